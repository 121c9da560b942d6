import type { Socket } from 'phoenix'
import {
  getCurrentInstance,
  getCurrentScope,
  inject,
  onMounted,
  onScopeDispose,
  shallowRef,
  ssrContextKey,
  toValue,
  watch,
  type App,
  type InjectionKey,
  type MaybeRefOrGetter,
  type ShallowRef,
} from 'vue'
import {
  type ChannelError,
  connectionOf,
  openChannel,
  watchConnection,
  type AnyChannel,
  type ChannelHandle,
  type ChannelOptions,
  type ChannelState,
  type ChannelTypes,
  type Connection,
  type Present,
} from '../src/index.ts'
import { Pushes, refusals } from '../src/pushes.ts'

const key: InjectionKey<Socket> = Symbol('phoenix socket')

/** `app.use(channels, socket)`: the socket of all components below. The app connects it, in the browser alone. */
export const channels = {
  install(app: App, socket: Socket): void {
    app.provide(key, socket)
  },
}

/** A topic, and none as long as it is null: then nothing is joined. */
export type TopicSource = MaybeRefOrGetter<string | null>

export interface UseOptions {
  /** Another socket than the app's. */
  socket?: Socket
}

export interface UseChannel<T extends ChannelTypes> extends Pick<ChannelHandle<T>, 'push' | 'send'> {
  joined: Readonly<ShallowRef<boolean>>
  error: Readonly<ShallowRef<ChannelError | null>>
  data: Readonly<ShallowRef<T['joined'] | undefined>>
}

/**
 * A channel for as long as the component is mounted (outside a component: as long as the effect scope). Nothing is joined while a
 * server renders. Components on one topic share its channel; another topic leaves the old one. A push in `setup` opens the channel
 * at once; one after the component was unmounted fails.
 */
export function useChannel<T extends ChannelTypes = AnyChannel>(
  topic: TopicSource,
  options: ChannelOptions<T> & UseOptions = {},
): UseChannel<T> {
  const joined = shallowRef(false)
  const error = shallowRef<ChannelError | null>(null)
  const data = shallowRef<T['joined']>()
  const show = (state: ChannelState<T> | null) => {
    joined.value = state?.joined ?? false
    error.value = state?.error ?? null
    data.value = state?.data
  }
  const { begin, pushes } = useHandle<T>(topic, options, {
    ...options,
    onState(state) {
      show(state)
      options.onState?.(state)
    },
  }, show)
  return {
    joined,
    error,
    data,
    push(...args) {
      begin()
      return pushes.push(...args)
    },
    send(...args) {
      begin()
      pushes.send(...args)
    },
  }
}

/** Everybody in the topic, by key; the channel is shared with `useChannel`. */
export function usePresence<T extends ChannelTypes = AnyChannel>(
  topic: TopicSource,
  options: ChannelOptions<T> & UseOptions = {},
): Readonly<ShallowRef<Present<T>[]>> {
  const present = shallowRef<Present<T>[]>([])
  const { current } = useHandle<T>(topic, options, {
    ...options,
    onPresence(now) {
      present.value = now
      options.onPresence?.(now)
    },
  }, () => (present.value = current()?.present ?? []))
  return present
}

/** Whether the socket is connected, for as long as the component is mounted (outside a component: the effect scope lives). */
export function useConnection({ socket = injected() }: UseOptions = {}): Readonly<ShallowRef<Connection>> {
  const its = needed(socket)
  const connection = shallowRef(connectionOf(its))
  let stop = () => {}
  const follow = () => {
    connection.value = connectionOf(its)
    stop = watchConnection(its, (now) => (connection.value = now))
  }
  if (getCurrentInstance()) onMounted(follow)
  else follow()
  onScopeDispose(() => stop())
  return connection
}

const rendersOnServer = () => getCurrentInstance() !== null && inject<unknown>(ssrContextKey, null) !== null
const injected = () => (getCurrentInstance() ? inject(key) : undefined)

function needed(socket: Socket | undefined): Socket {
  if (!socket) throw new Error('no socket: app.use(channels, socket), or give one as an option')
  return socket
}

/** Of one user of a topic. */
interface Use<T extends ChannelTypes> {
  current(): ChannelHandle<T> | null
  /** Opens the channel before the component is mounted. */
  begin(): void
  pushes: Pushes<T>
}

/** Opens the topic's channel on mount, changes it with the topic; `changed` runs whenever there is another handle, or none. */
function useHandle<T extends ChannelTypes>(
  topic: TopicSource,
  { socket = injected() }: UseOptions,
  options: ChannelOptions<T>,
  changed: (state: ChannelState<T> | null) => void,
): Use<T> {
  const its = needed(socket)
  const scope = getCurrentScope()
  const pushes = new Pushes<T>()
  let handle: ChannelHandle<T> | null = null
  let begun = false
  const open = (name: string | null) => {
    handle?.leave()
    handle = name === null ? null : openChannel<T>(its, name, options)
    changed(handle?.state ?? null)
    if (handle) pushes.opened(handle)
    else pushes.refuse(refusals.noTopic)
  }
  const begin = () => {
    if (begun) return
    begun = true
    const follow = () => watch(() => toValue(topic), open, { immediate: true })
    if (scope) scope.run(follow)
    else follow()
  }
  if (rendersOnServer()) {
    begun = true
    pushes.refuse(refusals.server)
  } else if (getCurrentInstance()) onMounted(begin)
  else begin()
  onScopeDispose(() => {
    begun = true
    open(null)
    pushes.refuse(refusals.unmounted)
  })
  return { current: () => handle, begin, pushes }
}
