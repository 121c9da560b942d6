import type { Asset } from '../types.ts'
import type { ListQuery } from './list-query.ts'

/** Whether an asset that changed elsewhere belongs to the list; the server's answer to a refetch has the last word. */
export function matches(asset: Asset, query: ListQuery): boolean {
  if (query.status.length && !query.status.includes(asset.status)) return false
  if (query.category && asset.category !== query.category) return false
  if (!query.q) return true
  const needle = query.q.trim().toLowerCase()
  return [asset.tag, asset.name, asset.serial, asset.make, asset.model, asset.employee_name].some((value) =>
    value?.toLowerCase().includes(needle),
  )
}

/** Negative when `a` stands before `b` in this order (`-updated_at`, `tag`). */
export function compareBy(sort: string, a: Asset, b: Asset): number {
  const descending = sort.startsWith('-')
  const field = sort.replace(/^-/, '') as keyof Asset
  const left = a[field]
  const right = b[field]
  const order = compareValues(left, right)
  return descending ? -order : order
}

/** Whether an asset that enters the list stands above everything on its first page. */
export function entersAtTop(asset: Asset, first: Asset | undefined, query: ListQuery): boolean {
  return query.page === 1 && (!first || compareBy(query.sort, asset, first) <= 0)
}

function compareValues(a: string | number | null, b: string | number | null): number {
  if (a === b) return 0
  if (a === null) return -1
  if (b === null) return 1
  return a < b ? -1 : 1
}
