import type { Asset, AssetInput, AssignInput, Page, ReturnInput, Transaction } from '../types.ts'
import { request, type Query } from '../lib/request.ts'

interface One<T> {
  data: T
}
const data = <T>(answer: One<T>): T => answer.data

export const assetsApi = {
  list: (query: Query, signal?: AbortSignal) =>
    request<Page<Asset>>('GET', '/assets', { query, signal, key: 'assets.list' }),
  get: (id: string) => request<One<Asset>>('GET', `/assets/${id}`, { key: `assets.get.${id}` }).then(data),
  create: (asset: AssetInput) =>
    request<One<Asset>>('POST', '/assets', { json: { asset }, key: 'assets.save' }).then(data),
  update: (id: string, asset: AssetInput) =>
    request<One<Asset>>('PATCH', `/assets/${id}`, { json: { asset }, key: 'assets.save' }).then(data),
  remove: (id: string) => request<null>('DELETE', `/assets/${id}`, { key: `assets.remove.${id}` }),
  assign: (id: string, input: AssignInput) =>
    request<One<Asset>>('POST', `/assets/${id}/assign`, { json: input, key: `assets.assign.${id}` }).then(data),
  giveBack: (id: string, input: ReturnInput) =>
    request<One<Asset>>('POST', `/assets/${id}/return`, { json: input, key: `assets.return.${id}` }).then(data),
  history: (id: string) =>
    request<{ data: Transaction[] }>('GET', `/assets/${id}/history`, { key: `assets.history.${id}` }).then(data),
}
