import type { ChannelHandle } from './channel.ts'
import { closed, type ChannelError } from './error.ts'
import type { ChannelTypes } from './types.ts'

/** Why a component's push cannot be sent. */
export const refusals = {
  unmounted: 'the component was unmounted, and its channel left',
  noTopic: 'the topic is null: there is no channel to push to',
  server: 'a server that renders joins nothing: push once the component is mounted',
} as const

interface Waiting<T extends ChannelTypes> {
  send(handle: ChannelHandle<T>): void
  fail(error: ChannelError): void
}

/**
 * The pushes of a component, which opens its channel later than it can push: they wait for the handle. `push` and `send` keep
 * their identity.
 */
export class Pushes<T extends ChannelTypes> {
  #handle: ChannelHandle<T> | null = null
  #refusal: string | null = null
  #waiting: Waiting<T>[] = []

  readonly push: ChannelHandle<T>['push'] = (...args) =>
    new Promise((resolve, reject) => this.#sendOrWait({ send: (handle) => resolve(handle.push(...args)), fail: reject }))

  /** Nobody waits for an answer: what waited and cannot be sent is as if it had been sent and not arrived. */
  readonly send: ChannelHandle<T>['send'] = (...args) => {
    if (this.#refusal !== null) throw closed(this.#refusal)
    this.#sendOrWait({ send: (handle) => handle.send(...args), fail: () => {} })
  }

  opened(handle: ChannelHandle<T>): void {
    this.#handle = handle
    this.#refusal = null
    for (const waiting of this.#waiting.splice(0)) waiting.send(handle)
  }

  /** There is no channel, for as long as no other is opened. */
  refuse(why: string): void {
    this.#handle = null
    this.#refusal = why
    for (const waiting of this.#waiting.splice(0)) waiting.fail(closed(why))
  }

  /** The channel was left. Within this turn another may be opened, and what is pushed meanwhile waits for that. */
  left(): void {
    this.#handle = null
    this.#refusal = null
    setTimeout(() => {
      if (this.#handle === null && this.#refusal === null) this.refuse(refusals.unmounted)
    }, 0)
  }

  #sendOrWait(one: Waiting<T>): void {
    if (this.#refusal !== null) one.fail(closed(this.#refusal))
    else if (this.#handle) one.send(this.#handle)
    else this.#waiting.push(one)
  }
}
