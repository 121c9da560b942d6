import type { Socket } from 'phoenix'

export type Connection =
  /** Not connected, and no attempt has failed since it is watched. */
  | 'connecting'
  | 'connected'
  /** It was lost, or could not be made; phoenix tries again by itself. */
  | 'reconnecting'

/** What the socket's connection is now. */
export function connectionOf(socket: Socket): Connection {
  return socket.isConnected() ? 'connected' : 'connecting'
}

/** Tells of each change of the socket's connection; the returned function ends that. */
export function watchConnection(socket: Socket, told: (connection: Connection) => void): () => void {
  const refs = [
    socket.onOpen(() => told('connected')),
    socket.onClose(() => told('reconnecting')),
    socket.onError(() => told('reconnecting')),
  ]
  return () => socket.off(refs)
}
