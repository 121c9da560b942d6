import { Presence, type Channel } from 'phoenix'
import { shallowRef, type ShallowRef } from 'vue'
import type { Viewer } from '../types.ts'

/** Everybody on the channel, one entry per open tab, oldest first. */
export function usePresence(channel: Channel): ShallowRef<Viewer[]> {
  const viewers = shallowRef<Viewer[]>([])
  const presence = new Presence(channel)
  presence.onSync(() => {
    const tabs = presence.list((_key, entry: { metas: Viewer[] }) => entry.metas).flat()
    viewers.value = tabs.sort((a, b) => (String(a.online_at) < String(b.online_at) ? -1 : 1))
  })
  return viewers
}
