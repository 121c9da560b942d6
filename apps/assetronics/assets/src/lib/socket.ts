import { Socket } from 'phoenix'
import { viewerName } from './viewer.ts'

/** The page's one socket; components reach it through the kit (`@bennu/client/vue`). */
export const socket = new Socket('/socket', {
  params: () => ({ name: viewerName.value }),
  heartbeatIntervalMs: 15_000,
  reconnectAfterMs: (tries) => [100, 300, 700, 1000, 2000][tries - 1] ?? 4000,
  rejoinAfterMs: (tries) => [300, 1000, 2000][tries - 1] ?? 4000,
})

/** Connects anew, so that changed connect params reach the server. */
export function reopenSocket(): void {
  socket.disconnect(() => socket.connect())
}
