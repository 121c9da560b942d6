import { assetStatuses, categories, type AssetStatus, type Category } from '../types.ts'

/** What the asset list shows: the search part of the address, and nothing else, holds it. */
export interface ListQuery {
  q: string
  status: AssetStatus[]
  category: Category | ''
  sort: string
  page: number
}

export const defaultSort = '-updated_at'
export const sortable = [
  'tag', 'name', 'category', 'status', 'condition', 'employee_name', 'location', 'cost', 'updated_at', 'inserted_at',
] as const

type RawQuery = Record<string, string | null | undefined | (string | null)[]>

/** Reads an address that anybody may have typed: what is not known falls back to the default. */
export function parseListQuery(raw: RawQuery): ListQuery {
  const status = [...new Set(text(raw.status).split(','))].filter((s): s is AssetStatus =>
    (assetStatuses as readonly string[]).includes(s),
  )
  const category = text(raw.category)
  const sort = text(raw.sort)
  const page = Number.parseInt(text(raw.page), 10)
  return {
    q: text(raw.q).slice(0, 200),
    status,
    category: (categories as readonly string[]).includes(category) ? (category as Category) : '',
    sort: (sortable as readonly string[]).includes(sort.replace(/^-/, '')) ? sort : defaultSort,
    page: page > 0 ? page : 1,
  }
}

/** The shortest address that stands for this query. */
export function toUrlQuery(query: ListQuery): Record<string, string> {
  const url: Record<string, string> = {}
  if (query.q) url.q = query.q
  if (query.status.length) url.status = query.status.join(',')
  if (query.category) url.category = query.category
  if (query.sort !== defaultSort) url.sort = query.sort
  if (query.page > 1) url.page = String(query.page)
  return url
}

export function toApiQuery(query: ListQuery, pageSize: number): Record<string, string | number> {
  return { ...toUrlQuery(query), sort: query.sort, page: query.page, page_size: pageSize }
}

/** A click on a column head: ascending, then descending, then back to the default order. */
export function nextSort(current: string, field: string): string {
  if (current === field) return `-${field}`
  if (current === `-${field}`) return field === 'updated_at' ? field : defaultSort
  return field === 'updated_at' || field === 'cost' ? `-${field}` : field
}

export function isFiltered(query: ListQuery): boolean {
  return query.q !== '' || query.status.length > 0 || query.category !== ''
}

function text(value: RawQuery[string]): string {
  return (Array.isArray(value) ? value[0] : value) ?? ''
}
