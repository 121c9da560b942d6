import { Socket, type Channel } from 'phoenix'
import { connectionChanged } from './connection.ts'
import { viewerName } from './viewer.ts'

// One socket for the page, one channel per topic on it however many components listen: a second join of a
// topic on the same socket would close the first.

let socket: Socket | null = null

interface SharedChannel {
  channel: Channel
  users: number
  joins: number
  reply: unknown
  listeners: Set<JoinListener>
}
export interface JoinListener {
  /** Every successful join; `again` after a reconnect, when events may have been missed. */
  joined?(reply: unknown, again: boolean): void
  failed?(reason: string): void
}

const shared = new Map<string, SharedChannel>()

export function openSocket(): Socket {
  if (socket) return socket
  socket = new Socket('/socket', {
    params: () => ({ name: viewerName.value }),
    heartbeatIntervalMs: 15_000,
    reconnectAfterMs: (tries) => [100, 300, 700, 1000, 2000][tries - 1] ?? 4000,
    rejoinAfterMs: (tries) => [300, 1000, 2000][tries - 1] ?? 4000,
  })
  socket.onOpen(() => connectionChanged('connected'))
  socket.onClose(() => connectionChanged('reconnecting'))
  socket.onError(() => connectionChanged('reconnecting'))
  socket.connect()
  return socket
}

/** Connects anew, so that changed connect params reach the server. */
export function reopenSocket(): void {
  socket?.disconnect(() => socket?.connect())
}

export function acquireChannel(topic: string, listener: JoinListener, params: () => object = () => ({})): Channel {
  let entry = shared.get(topic)
  if (entry) {
    entry.users++
    entry.listeners.add(listener)
    if (entry.joins > 0 && entry.channel.state === 'joined') listener.joined?.(entry.reply, false)
    return entry.channel
  }
  const channel = openSocket().channel(topic, params)
  const created: SharedChannel = { channel, users: 1, joins: 0, reply: null, listeners: new Set([listener]) }
  entry = created
  shared.set(topic, entry)
  channel
    .join()
    .receive('ok', (reply) => {
      const again = created.joins++ > 0
      created.reply = reply
      for (const each of created.listeners) each.joined?.(reply, again)
    })
    .receive('error', (response) => {
      for (const each of created.listeners) each.failed?.(String(response?.reason ?? 'refused'))
    })
  return channel
}

export function releaseChannel(topic: string, listener: JoinListener): void {
  const entry = shared.get(topic)
  if (!entry) return
  entry.listeners.delete(listener)
  if (--entry.users > 0) return
  shared.delete(topic)
  entry.channel.leave()
}

export function channelOf(topic: string): Channel | undefined {
  return shared.get(topic)?.channel
}
