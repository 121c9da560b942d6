import type { Device, Employee, Import, Page, Summary, Transaction } from '../types.ts'
import { request, requestBlob, upload, type Query } from '../lib/request.ts'

interface One<T> {
  data: T
}
const data = <T>(answer: One<T>): T => answer.data

export const employeesApi = {
  list: (query: Query, signal?: AbortSignal) =>
    request<Page<Employee>>('GET', '/employees', { query, signal, key: 'employees.list' }),
  get: (id: string) => request<One<Employee>>('GET', `/employees/${id}`, { key: `employees.get.${id}` }).then(data),
}

export const activityApi = {
  list: (limit: number) =>
    request<One<Transaction[]>>('GET', '/activity', { query: { limit }, key: 'activity.list' }).then(data),
}

export const summaryApi = {
  get: () => request<One<Summary>>('GET', '/summary', { key: 'summary' }).then(data),
}

export const importsApi = {
  start: (file: File, onProgress: (share: number) => void) =>
    upload<One<Import>>(`/imports?filename=${encodeURIComponent(file.name)}`, file, onProgress).then(data),
  get: (id: string) => request<One<Import>>('GET', `/imports/${id}`, { key: `imports.get.${id}` }).then(data),
  errorsCsv: (id: string) => requestBlob(`/imports/${id}/errors.csv`),
}

export const devicesApi = {
  get: (id: string) => request<One<Device>>('GET', `/devices/${id}`, { key: `devices.get.${id}` }).then(data),
}
