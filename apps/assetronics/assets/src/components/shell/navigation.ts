import { Activity, FileUp, Laptop, ListTree, MonitorDot, UsersRound } from '@lucide/vue'

/** The places that the side bar and the bottom tabs lead to. */
export const places = [
  { page: 'assets', label: 'Assets', icon: Laptop },
  { page: 'employees', label: 'Employees', icon: UsersRound },
  { page: 'activity', label: 'Activity', icon: Activity },
  { page: 'monitor', label: 'Monitor', icon: MonitorDot },
  { page: 'import', label: 'Import', icon: FileUp },
] as const

/** What belongs to the node and not to a company. */
export const operations = [{ page: 'processes', path: '/ops/processes', label: 'Processes', icon: ListTree }] as const

export const isAt = (path: string, tenant: string, page: string) => path.startsWith(`/t/${tenant}/${page}`)
