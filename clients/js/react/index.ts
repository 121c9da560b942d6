import type { Socket } from 'phoenix'
import { createContext, createElement, useContext, useEffect, useRef, useState, type ReactNode } from 'react'
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
  type Handlers,
  type Present,
} from '../src/index.ts'
import { Pushes, refusals } from '../src/pushes.ts'

const SocketContext = createContext<Socket | null>(null)

/** The socket of all components below. The app connects it, in the browser alone. */
export function SocketProvider({ socket, children }: { socket: Socket; children?: ReactNode }) {
  return createElement(SocketContext.Provider, { value: socket }, children)
}

export interface UseChannel<T extends ChannelTypes> extends Pick<ChannelHandle<T>, 'push' | 'send'> {
  joined: boolean
  error: ChannelError | null
  data: T['joined'] | undefined
}

const nothing = { joined: false, error: null, data: undefined, closed: false } as const

/**
 * A channel for as long as the component is mounted; none while `topic` is null, or while a server renders. Components on one
 * topic share its channel. Handlers may be new at each render: the last rendered ones are called. `push` and `send` stay the same;
 * what a child's effect pushes before this component's own effect waits for that, and what is pushed once it was unmounted fails.
 */
export function useChannel<T extends ChannelTypes = AnyChannel>(
  topic: string | null,
  options: ChannelOptions<T> = {},
): UseChannel<T> {
  const [state, setState] = useState<ChannelState<T>>(nothing)
  const { push, send } = useHandle<T>(topic, options, { onState: setState }, (now) => setState(now?.state ?? nothing))
  return { joined: state.joined, error: state.error, data: state.data, push, send }
}

/** Everybody in the topic, by key; the channel is shared with `useChannel`. */
export function usePresence<T extends ChannelTypes = AnyChannel>(
  topic: string | null,
  options: ChannelOptions<T> = {},
): Present<T>[] {
  const [present, setPresent] = useState<Present<T>[]>([])
  useHandle<T>(topic, options, { onPresence: setPresent }, (now) => setPresent(now?.present ?? []))
  return present
}

/** Whether the socket of the components above is connected. */
export function useConnection(): Connection {
  const socket = useSocket()
  const [connection, setConnection] = useState<Connection>('connecting')
  useEffect(() => {
    setConnection(connectionOf(socket))
    return watchConnection(socket, setConnection)
  }, [socket])
  return connection
}

function useSocket(): Socket {
  const socket = useContext(SocketContext)
  if (!socket) throw new Error('no socket: put the component inside a SocketProvider')
  return socket
}

interface Own<T extends ChannelTypes> {
  onState?: (state: ChannelState<T>) => void
  onPresence?: (present: Present<T>[]) => void
}

/** Opens the topic's channel in an effect; `changed` runs whenever there is another handle, or none. */
function useHandle<T extends ChannelTypes>(
  topic: string | null,
  options: ChannelOptions<T>,
  own: Own<T>,
  changed: (handle: ChannelHandle<T> | null) => void,
): Pushes<T> {
  const socket = useSocket()
  const [pushes] = useState(() => new Pushes<T>())
  const latest = useRef({ options, own, changed })
  useEffect(() => {
    latest.current = { options, own, changed }
  })
  useEffect(() => {
    if (topic === null) {
      pushes.refuse(refusals.noTopic)
      return () => pushes.left()
    }
    const now = () => latest.current
    const opened = openChannel<T>(socket, topic, {
      ...now().options,
      events: latestHandlers(() => now().options.events),
      onJoin: (reply, how) => now().options.onJoin?.(reply, how),
      onResync: () => now().options.onResync?.(),
      onState(state) {
        now().own.onState?.(state)
        now().options.onState?.(state)
      },
      onPresence(present) {
        now().own.onPresence?.(present)
        now().options.onPresence?.(present)
      },
    })
    now().changed(opened)
    pushes.opened(opened)
    return () => {
      opened.leave()
      pushes.left()
      now().changed(null)
    }
  }, [socket, topic, pushes])
  return pushes
}

/** An object whose every event is what the last render gave for it. */
function latestHandlers<T extends ChannelTypes>(handlers: () => Handlers<T> | undefined): Handlers<T> {
  return new Proxy({} as Handlers<T>, {
    get: (_, event) => (handlers() as Record<string | symbol, unknown> | undefined)?.[event],
  })
}
