/** Why a channel or a push failed. */
export type Failure =
  /** The server refused: `response` says why. */
  | 'refused'
  /** No answer came in time. */
  | 'timeout'
  /** The channel's process on the server crashed; it is joined again by itself. */
  | 'crashed'
  /** The channel was left or closed before an answer came, or there is none to push to: the message says which. */
  | 'closed'

interface ErrorResponse {
  reason?: unknown
  message?: unknown
  errors?: { field: string; code: string; message: string }[]
}

export class ChannelError extends Error {
  override readonly name = 'ChannelError'
  readonly failure: Failure
  /** The reply's status: `error`, or another word of the app. */
  readonly status: string
  /** What the server replied. */
  readonly response: unknown

  /** `message` is for what the server did not say. */
  constructor(failure: Failure, status: string, response: unknown, message: string = failure) {
    super(explain(message, response))
    this.failure = failure
    this.status = status
    this.response = response
  }

  /** The server's word for it, such as `unauthorized`; null when it gave none. */
  get reason(): string | null {
    const reason = (this.response as ErrorResponse | null)?.reason
    return typeof reason === 'string' ? reason : null
  }

  /** The fields that the server found wrong, with a message each. */
  get fields(): Record<string, string> {
    const errors = (this.response as ErrorResponse | null)?.errors
    return Object.fromEntries((Array.isArray(errors) ? errors : []).map(({ field, message }) => [field, message]))
  }
}

function explain(otherwise: string, response: unknown): string {
  const told = response as ErrorResponse | null
  const wrong = Array.isArray(told?.errors) ? told.errors[0] : undefined
  const text = wrong ? `${wrong.field} ${wrong.message}`.trim() : (told?.message ?? told?.reason)
  return typeof text === 'string' ? text : otherwise
}

/** A push that nobody will answer, since there is no channel (any more). */
export function closed(why: string): ChannelError {
  return new ChannelError('closed', 'closed', null, why)
}
