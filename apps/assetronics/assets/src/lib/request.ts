import type { FieldError } from '../types.ts'
import { useRequests } from '../stores/requests.ts'
import { ApiError } from './errors.ts'
import { tenant } from './tenant.ts'

const base = '/api/v1'

export type Query = Record<string, string | number | undefined>

export interface RequestOptions {
  query?: Query
  json?: unknown
  signal?: AbortSignal
  /** Name under which the requests store shows this call as active; method and path by default. */
  key?: string
}

/** One call to the API. Resolves to the decoded body; rejects with an ApiError, or the AbortError of `signal`. */
export async function request<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
  const requests = useRequests()
  const key = options.key ?? `${method} ${path}`
  requests.started(key)
  try {
    const response = await send(method, path, options)
    const text = response.status === 204 ? '' : await response.text()
    const body = parse(text)
    if (!response.ok) throw new ApiError(response.status, errorsOf(body))
    return body as T
  } finally {
    requests.finished(key)
  }
}

/** A body that is not JSON: a report to download. */
export async function requestBlob(path: string): Promise<Blob> {
  const response = await send('GET', path, {})
  if (!response.ok) throw new ApiError(response.status, errorsOf(parse(await response.text())))
  return response.blob()
}

/** Sends a file and reports how much of it has left (0 to 1); fetch cannot tell that. */
export function upload<T>(path: string, file: File, onProgress: (share: number) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest()
    call.open('POST', base + path)
    call.setRequestHeader('content-type', 'text/csv')
    call.setRequestHeader('x-tenant-id', tenant.value)
    call.upload.onprogress = (event) => {
      if (event.lengthComputable) onProgress(event.loaded / event.total)
    }
    call.onload = () => {
      const body = parse(call.responseText)
      if (call.status >= 200 && call.status < 300) resolve(body as T)
      else reject(new ApiError(call.status, errorsOf(body)))
    }
    call.onerror = () => reject(new ApiError(0, []))
    call.send(file)
  })
}

async function send(method: string, path: string, options: RequestOptions): Promise<Response> {
  const headers: Record<string, string> = { accept: 'application/json', 'x-tenant-id': tenant.value }
  if (options.json !== undefined) headers['content-type'] = 'application/json'
  try {
    return await fetch(base + path + queryString(options.query), {
      method,
      headers,
      body: options.json === undefined ? undefined : JSON.stringify(options.json),
      signal: options.signal,
    })
  } catch (error) {
    if (options.signal?.aborted) throw error
    throw new ApiError(0, [])
  }
}

function queryString(query: Query | undefined): string {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== '') params.set(name, String(value))
  }
  const text = params.toString()
  return text && `?${text}`
}

function parse(text: string): unknown {
  try {
    return text ? JSON.parse(text) : null
  } catch {
    return null
  }
}

function errorsOf(body: unknown): FieldError[] {
  const errors = (body as { errors?: unknown } | null)?.errors
  return Array.isArray(errors) ? (errors as FieldError[]) : []
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError'
}
