import { defineStore } from 'pinia'
import { employeesApi } from '../api/others.ts'
import { EntityMap } from '../lib/entity.ts'
import type { Query } from '../lib/request.ts'
import type { Employee, ListMeta } from '../types.ts'

export const useEmployees = defineStore('employees', () => {
  const entities = new EntityMap<Employee>()

  async function fetchList(query: Query, signal?: AbortSignal): Promise<{ ids: string[]; meta: ListMeta }> {
    const page = await employeesApi.list(query, signal)
    entities.setMany(page.data)
    return { ids: page.data.map((employee) => employee.id), meta: page.meta }
  }
  const fetchOne = async (id: string) => entities.setOne(await employeesApi.get(id))

  const changed = (employee: Employee) => entities.setOne(employee)

  return {
    changed,
    get: (id: string) => entities.get(id), pick: (ids: readonly string[]) => entities.pick(ids), clear: () => entities.clear(),
    fetchList, fetchOne,
  }
})
