import { Presence, type Channel, type Push, type Socket } from 'phoenix'
import { ChannelError, closed } from './error.ts'
import { isPosition, Reached, type Position } from './position.ts'
import type { AnyChannel, ChannelState, Continuation, Present } from './types.ts'

/** What holds for all members: of each, the first that a member gives. */
export interface SharedOptions {
  params?: object | (() => object)
  resume?: boolean | Position
  reduce?: Record<string, ((data: any, payload: any) => unknown) | undefined>
  timeout?: number
}

/** Somebody who uses a shared channel. */
export interface Member {
  event(name: string, payload: unknown): void
  state(state: ChannelState<AnyChannel>): void
  joined(reply: unknown, how: Continuation): void
  resync(): void
  presence(present: Present<AnyChannel>[]): void
}

interface Waiting {
  push: Push
  fail(error: ChannelError): void
}

const gone = 'the channel was left or closed before an answer came'

const topics = new WeakMap<Socket, Map<string, SharedChannel>>()

/** The one channel of a topic on a socket, made for the first that asks. */
export function sharedChannel(socket: Socket, topic: string): SharedChannel {
  let open = topics.get(socket)
  if (!open) topics.set(socket, (open = new Map()))
  let channel = open.get(topic)
  if (!channel) open.set(topic, (channel = new SharedChannel(socket, topic)))
  return channel
}

/**
 * A channel that its members share: joined with the first, left once the last is gone.
 *
 * Events are handed out here and not by phoenix's bindings: so a message of a durable topic counts as handled after all members
 * had it, and a member's fault costs neither the others their event nor the topic its place.
 */
export class SharedChannel {
  readonly channel: Channel
  state: ChannelState<AnyChannel> = { joined: false, error: null, data: undefined, closed: false }
  present: Present<AnyChannel>[] = []
  readonly #socket: Socket
  #options: SharedOptions = {}
  #reached: Reached | null = null
  readonly #members = new Set<Member>()
  readonly #waiting = new Set<Waiting>()
  /** What was pushed before it began to join; null from then on. */
  #early: (() => void)[] | null = []
  #hasData = false

  constructor(socket: Socket, topic: string) {
    this.#socket = socket
    this.channel = socket.channel(topic, () => this.#params())
    this.channel.onMessage = (event, payload, ref) => this.#arrived(event, payload, ref)
    this.channel.onError((reason) => this.#lost(reason))
    this.channel.onClose(() => this.#closed())
    const presence = new Presence(this.channel)
    presence.onSync(() => {
      this.present = presence.list((key, entry) => ({ ...entry, key }) as Present<AnyChannel>)
      this.#each((member) => member.presence(this.present))
    })
    // The components of a page are mounted within one turn, children first: all of them have a say before it joins.
    queueMicrotask(() => this.#begin())
  }

  #begin(): void {
    const early = this.#early ?? []
    this.#early = null
    this.channel
      .join(this.#options.timeout)
      .receive('ok', (reply) => this.#joined(reply))
      .receive('error', (reply) => this.#change({ joined: false, error: new ChannelError('refused', 'error', reply) }))
      .receive('timeout', () => this.#change({ joined: false, error: new ChannelError('timeout', 'timeout', null) }))
    for (const push of early) attempt(push)
  }

  /** Now, or once it has begun: phoenix takes no push before, and a push must not cost others their say. */
  #onceBegun(push: () => void): void {
    if (this.#early) this.#early.push(push)
    else push()
  }

  #params(): object {
    const { params = {} } = this.#options
    return { ...(typeof params === 'function' ? (params as () => object)() : params), ...this.#reached?.joinParams() }
  }

  get position(): Position {
    return this.#reached?.position ?? {}
  }

  enter(member: Member, { params, resume, reduce, timeout }: SharedOptions): void {
    this.#members.add(member)
    const its = this.#options
    this.#options = {
      params: its.params ?? params,
      resume: its.resume ?? resume,
      reduce: its.reduce ?? reduce,
      timeout: its.timeout ?? timeout,
    }
    if (this.#options.resume) this.#reached ??= new Reached(this.#options.resume === true ? {} : this.#options.resume)
  }

  /** Members come and go within one turn (a page changes, StrictMode mounts twice): only then the channel is left. */
  exit(member: Member): void {
    if (!this.#members.delete(member) || this.#members.size > 0) return
    setTimeout(() => {
      if (this.#members.size === 0 && !this.state.closed) this.channel.leave()
    }, 0)
  }

  /** Pushes, and gives the answer to one of the two. */
  ask(event: string, payload: object, timeout: number | undefined, done: (reply: unknown) => void, fail: (error: ChannelError) => void): void {
    if (this.state.closed) return fail(closed(gone))
    this.#onceBegun(() => this.#ask(event, payload, timeout, done, fail))
  }

  #ask(event: string, payload: object, timeout: number | undefined, done: (reply: unknown) => void, fail: (error: ChannelError) => void): void {
    const push = this.channel.push(event, payload, timeout)
    const waiting: Waiting = {
      push,
      fail: (error) => {
        if (this.#waiting.delete(waiting)) fail(error)
      },
    }
    this.#waiting.add(waiting)
    push
      .receive('ok', (reply) => {
        if (this.#waiting.delete(waiting)) done(reply)
      })
      .receive('error', (reply) => waiting.fail(new ChannelError('refused', 'error', reply)))
      .receive('timeout', () => waiting.fail(new ChannelError('timeout', 'timeout', null)))
  }

  tell(event: string, payload: object): void {
    if (this.state.closed) throw closed(gone)
    this.#onceBegun(() => void this.channel.push(event, payload))
  }

  /** Every message of the topic, before phoenix's own bindings see it. */
  #arrived(event: string | null, payload: any, ref: unknown): unknown {
    // So phoenix tells of a join whose time is up, when its connection was lost before.
    if (event === null) return payload
    if (event === 'phx_reply') this.#otherStatus(payload, ref)
    if (event.startsWith('phx_') || event.startsWith('chan_reply_')) return payload
    if (event === 'resync' && isPosition(payload?.position)) {
      // Also without `resume`, and on topics that are not durable: the server drops what a slow client does not read.
      this.#reached?.resync(payload.position)
      this.#each((member) => member.resync())
      return payload
    }
    if (this.#reached && !this.#reached.isNew(payload)) return payload
    const reduce = this.#options.reduce?.[event]
    if (reduce && this.#hasData) {
      attempt(() => this.#change({ data: reduce(this.state.data, payload) }))
    }
    this.#each((member) => member.event(event, payload))
    this.#reached?.handled(payload)
    return payload
  }

  /** phoenix tells of ok and error alone; an app may answer with another word. */
  #otherStatus(payload: { status: string; response: unknown }, ref: unknown): void {
    if (payload.status === 'ok' || payload.status === 'error') return
    for (const waiting of this.#waiting) {
      if ((waiting.push as unknown as { ref: unknown }).ref === ref) {
        waiting.fail(new ChannelError('refused', payload.status, payload.response))
      }
    }
  }

  #joined(reply: unknown): void {
    const how = this.#reached?.joined(reply) ?? 'new'
    // What was missed follows, and changes the data that is here; the reply may hold it already.
    const carriesOn = how === 'resumed' && this.#hasData && this.#options.reduce !== undefined
    this.#hasData = true
    this.#change({ joined: true, error: null, data: carriesOn ? this.state.data : reply })
    this.#each((member) => member.joined(reply, how))
    if (how === 'resync') this.#each((member) => member.resync())
  }

  #lost(reason: unknown): void {
    const byTransport = (reason as { source?: unknown } | undefined)?.source === 'transport'
    const error = byTransport ? this.state.error : new ChannelError('crashed', 'error', reason)
    this.#change({ joined: false, error })
  }

  #closed(): void {
    const open = topics.get(this.#socket)
    if (open?.get(this.channel.topic) === this) open.delete(this.channel.topic)
    this.#change({ joined: false, closed: true })
    for (const waiting of this.#waiting) waiting.fail(closed(gone))
    this.#members.clear()
  }

  #change(change: Partial<ChannelState<AnyChannel>>): void {
    this.state = { ...this.state, ...change }
    this.#each((member) => member.state(this.state))
  }

  #each(tell: (member: Member) => void): void {
    for (const member of [...this.#members]) {
      if (this.#members.has(member)) attempt(() => tell(member)) // unless one before it made it leave
    }
  }
}

/** A fault of the app's code is told to the world as any uncaught one, and stops nothing here. */
export function attempt(run: () => void): void {
  try {
    run()
  } catch (fault) {
    queueMicrotask(() => {
      throw fault
    })
  }
}

