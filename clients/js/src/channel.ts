import type { Socket } from 'phoenix'
import { closed } from './error.ts'
import type { Position } from './position.ts'
import { attempt, sharedChannel, type Member, type SharedChannel, type SharedOptions } from './shared.ts'
import type {
  AnyChannel,
  AskName,
  ChannelState,
  ChannelTypes,
  Continuation,
  EventName,
  Handlers,
  PayloadArgument,
  PayloadOf,
  Present,
  PushName,
  Reducers,
  ReplyOf,
} from './types.ts'

/** What holds for all that share a topic's channel: of each, what the first gives. */
export interface TopicOptions<T extends ChannelTypes> {
  /** Sent with every join; a function is asked each time. */
  params?: T['params'] | (() => T['params'])
  /**
   * The topic is durable: after a lost connection nothing is missed, or `onResync` says so. A position goes on from there.
   * Without it what was said while the connection was lost is missed, and `onResync` tells of what the server dropped alone.
   */
  resume?: boolean | Position
  /** How events change `data`. */
  reduce?: Reducers<T>
  /** Milliseconds until a join or push without an answer fails; the socket's own unless given. */
  timeout?: number
}

/** What one user of the channel wants to hear. */
export interface Listener<T extends ChannelTypes> {
  events?: Handlers<T>
  /** Every accepted join, the first and those after a lost connection. */
  onJoin?: (reply: T['joined'], how: Continuation) => void
  /**
   * Something was missed that the server cannot give any more: read the state anew. With `resume`: when a join could not go on
   * from the position, or something got lost between nodes. With or without it, on any topic: when this client read so slowly
   * that the server dropped messages (sockets with the outbox policy `resync`).
   */
  onResync?: () => void
  onState?: (state: ChannelState<T>) => void
  onPresence?: (present: Present<T>[]) => void
}

const left = 'the channel was left: nothing can be pushed any more'

export type ChannelOptions<T extends ChannelTypes> = TopicOptions<T> & Listener<T>

/**
 * One user's part in a channel. All users of a topic on a socket share one channel, which is left when the last of them has left.
 * An event reaches the users in the order in which they came.
 */
export class ChannelHandle<T extends ChannelTypes = AnyChannel> {
  readonly topic: string
  readonly #shared: SharedChannel
  readonly #member: Member
  readonly #handlers = new Map<string, Set<(payload: any) => void>>()
  readonly #timeout: number | undefined
  #left = false

  /** `openChannel` makes them. */
  constructor(shared: SharedChannel, options: ChannelOptions<T>) {
    this.topic = shared.channel.topic
    this.#shared = shared
    this.#timeout = options.timeout
    this.#member = {
      event: (name, payload) => {
        const handlers = options.events as Record<string, ((payload: unknown) => void) | undefined> | undefined
        for (const handle of [handlers?.[name], ...(this.#handlers.get(name) ?? [])]) {
          if (!this.#left) attempt(() => handle?.(payload))
        }
      },
      state: () => options.onState?.(this.state),
      joined: (reply, how) => options.onJoin?.(reply, how),
      resync: () => options.onResync?.(),
      presence: (present) => options.onPresence?.(present as unknown as Present<T>[]),
    }
    shared.enter(this.#member, options as SharedOptions)
  }

  get state(): ChannelState<T> {
    const state = this.#shared.state as ChannelState<T>
    return this.#left ? { ...state, joined: false, closed: true } : state
  }
  /** Everybody who is there, as last heard. */
  get present(): Present<T>[] {
    return this.#shared.present as unknown as Present<T>[]
  }
  /** What was seen of a durable topic: kept elsewhere, another client can go on from here. */
  get position(): Position {
    return this.#shared.position
  }

  /** Calls `handle` for each such event; the returned function ends that. */
  on<E extends EventName<T>>(event: E, handle: (payload: T['events'][E]) => void): () => void {
    const handlers = this.#handlers.get(event) ?? new Set()
    this.#handlers.set(event, handlers.add(handle))
    return () => void handlers.delete(handle)
  }

  /**
   * Pushes an event and waits for the reply. Rejects with a ChannelError: what the server refused, nothing in time, or left
   * before. While the channel is not joined the push waits for that, within its time.
   */
  push<E extends AskName<T>>(event: E, ...payload: PayloadArgument<PayloadOf<T, E>>): Promise<ReplyOf<T, E>> {
    return new Promise((resolve, reject) => {
      if (this.#left) return reject(closed(left))
      this.#shared.ask(event, (payload[0] ?? {}) as object, this.#timeout, (reply) => resolve(reply as ReplyOf<T, E>), reject)
    })
  }

  /** Pushes an event to which no answer is awaited. Throws a ChannelError once left. */
  send<E extends PushName<T>>(event: E, ...payload: PayloadArgument<PayloadOf<T, E>>): void {
    if (this.#left) throw closed(left)
    this.#shared.tell(event, (payload[0] ?? {}) as object)
  }

  /** Nothing is heard from now on; the channel itself is left with its last user. */
  leave(): void {
    if (this.#left) return
    this.#left = true
    this.#handlers.clear()
    this.#shared.exit(this.#member)
  }
}

/**
 * Joins a topic, or shares the channel that joined it already. Errors are in the state, not thrown: phoenix joins again by itself.
 *
 *     const room = openChannel<RoomChannel>(socket, 'room:lobby', { events: { shout: ({ text }) => show(text) } })
 *     const { n } = await room.push('echo', { n: 1 })
 *     room.leave()
 */
export function openChannel<T extends ChannelTypes = AnyChannel>(
  socket: Socket,
  topic: string,
  options: ChannelOptions<T> = {},
): ChannelHandle<T> {
  return new ChannelHandle<T>(sharedChannel(socket, topic), options)
}
