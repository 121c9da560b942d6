import { useChannel } from '@bennu/client/vue'
import type { EmployeesChannel } from '../channels.ts'
import { tenant } from '../lib/tenant.ts'
import { useEmployees } from '../stores/employees.ts'

/** People as they change, in the store: how many assets each of them has. */
export function useLiveEmployees(): void {
  const employees = useEmployees()
  useChannel<EmployeesChannel>(`employees:${tenant.value}`, {
    resume: true,
    events: { employee_updated: ({ employee }) => employees.changed(employee) },
  })
}
