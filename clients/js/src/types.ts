import type { ChannelError } from './error.ts'

// What a channel says and hears. The generator writes such interfaces from the server's records (bennu/channel/typescript.hpp);
// they can be written by hand, too.

/** The shape that every channel's interface has. */
export interface ChannelTypes {
  /** What a join takes. */
  params: object
  /** What an accepted join replies. */
  joined: unknown
  /** What the client pushes: `{ name: { payload, reply } }`; without `reply` the server answers nothing. */
  pushes: object
  /** What the server pushes or broadcasts: `{ name: payload }`. */
  events: object
  /** A presence meta, without what the protocol adds. */
  presence: object
  /** What the server's `fetch` puts beside the metas of somebody who is there. */
  present?: object
}

/** A channel of which nothing is known. */
export interface AnyChannel extends ChannelTypes {
  params: Record<string, unknown>
  joined: any
  pushes: Record<string, { payload: any; reply: any }>
  events: Record<string, any>
  presence: Record<string, unknown>
}

export type EventName<T extends ChannelTypes> = keyof T['events'] & string
/** Every event that the client may push. */
export type PushName<T extends ChannelTypes> = keyof T['pushes'] & string
/** Those that the server answers. */
export type AskName<T extends ChannelTypes> = {
  [E in PushName<T>]: T['pushes'][E] extends { reply: unknown } ? E : never
}[PushName<T>]

export type PayloadOf<T extends ChannelTypes, E extends PushName<T>> = T['pushes'][E] extends { payload: infer P } ? P : never
export type ReplyOf<T extends ChannelTypes, E extends PushName<T>> = T['pushes'][E] extends { reply: infer R } ? R : never

/** The payload, which may be left out when nothing in it is required. */
export type PayloadArgument<P> = {} extends P ? [payload?: P] : [payload: P]

export type Handlers<T extends ChannelTypes> = {
  [E in EventName<T>]?: (payload: T['events'][E]) => void
}
/** How an event changes the data that the join replied; the old data is not to be changed in place. */
export type Reducers<T extends ChannelTypes> = {
  [E in EventName<T>]?: (data: T['joined'], payload: T['events'][E]) => T['joined']
}

/** One entry of somebody who is there: the app's fields, and the protocol's. */
export type Meta<T extends ChannelTypes> = T['presence'] & { phx_ref: string; phx_ref_prev?: string }
/** What the server's `fetch` knows of somebody; nothing when that failed. */
export type Known<T extends ChannelTypes> = T extends { present: infer P } ? Partial<P> : unknown
/** Somebody who is there, by key, with what is known of them beside the metas. */
export type Present<T extends ChannelTypes> = {
  key: string
  metas: Meta<T>[]
  [more: string]: unknown
} & Known<T>

/** How a join went on from what the client had seen before. */
export type Continuation =
  /** Nothing was asked: the first join, or no durable topic. */
  | 'new'
  /** Exactly what was missed follows as ordinary events. */
  | 'resumed'
  /** What was missed cannot be given: read the state anew. */
  | 'resync'

export interface ChannelState<T extends ChannelTypes> {
  /** Whether the server has this client in the topic right now. */
  readonly joined: boolean
  /** Why it is not: a refusal, a crash, a time-out. Null while the connection alone is missing. */
  readonly error: ChannelError | null
  /** What the last join replied, carried on by the reducers. */
  readonly data: T['joined'] | undefined
  /** The server has closed the channel for good, or everybody here has left it. */
  readonly closed: boolean
}
