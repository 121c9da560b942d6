import { Activity, FileUp, Laptop, MonitorDot, UsersRound } from '@lucide/vue'

/** The places that the side bar and the bottom tabs lead to. */
export const places = [
  { page: 'assets', label: 'Assets', icon: Laptop },
  { page: 'employees', label: 'Employees', icon: UsersRound },
  { page: 'activity', label: 'Activity', icon: Activity },
  { page: 'monitor', label: 'Monitor', icon: MonitorDot },
  { page: 'import', label: 'Import', icon: FileUp },
] as const

export const isAt = (path: string, tenant: string, page: string) => path.startsWith(`/t/${tenant}/${page}`)
