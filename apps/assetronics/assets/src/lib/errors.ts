import type { FieldError } from '../types.ts'

/** A call that the server refused, or that never reached it (status 0). */
export class ApiError extends Error {
  readonly status: number
  readonly errors: FieldError[]

  constructor(status: number, errors: FieldError[]) {
    super(errors[0]?.message || fallbackMessage(status))
    this.name = 'ApiError'
    this.status = status
    this.errors = errors
  }

  get code(): string | null {
    return this.errors[0]?.code ?? null
  }
}

export function fallbackMessage(status: number): string {
  if (status === 0) return 'The server cannot be reached. Check the connection and try again.'
  if (status === 404) return 'This does not exist, or not any more.'
  if (status === 409) return 'This was changed in the meantime.'
  if (status === 413) return 'This is too large.'
  if (status === 429) return 'Too many requests. Wait a moment and try again.'
  if (status === 503) return 'The server is busy. Try again in a moment.'
  if (status >= 500) return 'Something went wrong on the server.'
  return 'The server refused this request.'
}

export function messageOf(error: unknown): string {
  if (error instanceof Error && error.message) return error.message
  return 'Something went wrong.'
}

export interface FormErrors {
  fields: Record<string, string>
  /** What belongs to no field of the form. */
  general: string | null
}

/** Sorts a refusal by field; what the form does not show becomes the general message. */
export function formErrors(error: unknown, known: readonly string[]): FormErrors {
  if (!(error instanceof ApiError) || error.errors.length === 0) return { fields: {}, general: messageOf(error) }
  const fields: Record<string, string> = {}
  const general: string[] = []
  for (const item of error.errors) {
    if (item.field && known.includes(item.field)) fields[item.field] ??= item.message
    else general.push(item.field ? `${item.field}: ${item.message}` : item.message)
  }
  return { fields, general: general.length ? general.join(' ') : null }
}
