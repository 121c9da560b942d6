import { useChannel, usePresence } from '@bennu/client/vue'
import { watch } from 'vue'
import { useRoute } from 'vue-router'
import type { AssetsChannel } from '../channels.ts'
import { viewerName } from '../lib/viewer.ts'
import { reopenSocket } from '../lib/socket.ts'
import { useActivity } from '../stores/activity.ts'
import { useAssets } from '../stores/assets.ts'
import { useLive } from '../stores/live.ts'
import { useSummary } from '../stores/summary.ts'
import { useReread } from './useReread.ts'

/** Held by the frame around all pages: applies the company's events to the stores and tells others what is viewed here. */
export function useLiveCompany(tenant: string): void {
  const assets = useAssets()
  const activity = useActivity()
  const summary = useSummary()
  const live = useLive()
  const route = useRoute()

  const topic = `assets:${tenant}`

  const { push } = useChannel<AssetsChannel>(topic, {
    resume: true,
    timeout: 5000,
    events: {
      asset_created: ({ asset }) => (assets.changed('created', asset), summary.refreshSoon()),
      asset_updated: ({ asset }) => (assets.changed('updated', asset), summary.refreshSoon()),
      asset_deleted: ({ id }) => (assets.removed(id), summary.refreshSoon()),
      asset_assigned: ({ asset, transaction }) => {
        assets.changed('updated', asset)
        activity.happened(transaction)
        summary.refreshSoon()
      },
      asset_returned: ({ asset, transaction }) => {
        assets.changed('updated', asset)
        activity.happened(transaction)
        summary.refreshSoon()
      },
      assets_imported: ({ count }) => (assets.imported(count), summary.refreshSoon()),
    },
    onJoin: tellPage,
  })
  useReread(() => void summary.refresh(), { again: summary.refreshSoon })

  const present = usePresence<AssetsChannel>(topic)
  watch(
    present,
    (people) => (live.viewers = people.flatMap(({ metas }) => metas).sort((a, b) => (a.online_at < b.online_at ? -1 : 1))),
    { immediate: true },
  )

  function tellPage() {
    push('view', { page: pageName(route.path) }).catch(() => {
      // Who looks at what is a courtesy: without it everything else works.
    })
  }
  watch(() => route.path, tellPage)
  watch(viewerName, reopenSocket)
}

/** "/t/demo/assets/1" → "assets/1". */
export function pageName(path: string): string {
  return path.split('/').slice(3).join('/') || 'assets'
}
