import type { Continuation } from './types.ts'

/** What was seen of a durable topic: for each run of a node the number of its last message. */
export type Position = Record<string, number>

interface ResumeReply {
  status?: unknown
  position?: unknown
}

/** Keeps the position of one topic; the wire of it is in the README. */
export class Reached {
  #reached: Map<string, number>
  /** Whether the client was here before: then a join asks for what it missed, were it from the topic's first message on. */
  #here: boolean

  constructor(position: Position = {}) {
    this.#reached = new Map(Object.entries(position))
    this.#here = this.#reached.size > 0
  }

  get position(): Position {
    return Object.fromEntries(this.#reached)
  }

  /** What a join sends beside the app's params. */
  joinParams(): { resume?: { position: Position } } {
    return this.#here ? { resume: { position: this.position } } : {}
  }

  /** Takes what a join replied: of a resumed one where the replay begins, of others where the topic is now. */
  joined(reply: unknown): Continuation {
    const resume = (reply as { resume?: ResumeReply } | null)?.resume
    const asked = this.#here
    this.#here = typeof resume === 'object' && resume !== null
    this.resync(resume?.position)
    if (resume?.status === 'resumed') return 'resumed'
    // A server that does not know the wire (any more) gives nothing of what was missed.
    return resume?.status === 'resync' || (asked && resume?.status !== 'new') ? 'resync' : 'new'
  }

  /** Takes a position as one's own. */
  resync(position: unknown): void {
    this.#reached.clear()
    if (!isPosition(position)) return
    for (const [epoch, sequence] of Object.entries(position)) {
      if (Number.isSafeInteger(sequence)) this.#reached.set(epoch, sequence as number)
    }
  }

  /** Whether a message was not handled before; one without a number always is new. */
  isNew(payload: unknown): boolean {
    const at = numberOf(payload)
    return !at || at[1] > (this.#reached.get(at[0]) ?? 0)
  }

  /** Notes that a message was handled. */
  handled(payload: unknown): void {
    const at = numberOf(payload)
    if (at && this.isNew(payload)) this.#reached.set(at[0], at[1])
  }
}

/** Whether it has a position's shape; an empty one is of a topic that is not durable. */
export function isPosition(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function numberOf(payload: unknown): [string, number] | null {
  const at = (payload as { _at?: unknown } | null | undefined)?._at
  if (!Array.isArray(at) || at.length !== 2) return null
  const [epoch, sequence] = at as unknown[]
  return typeof epoch === 'string' && Number.isSafeInteger(sequence) ? [epoch, sequence as number] : null
}
