import { computed, type ComputedRef } from 'vue'
import { viewerName } from '../lib/viewer.ts'
import { useLive } from '../stores/live.ts'

/** The names of the other tabs on a page (or below it, such as its edit form). */
export function useOtherViewers(page: string): ComputedRef<string[]> {
  const live = useLive()
  return computed(() => {
    const names = live.viewers.filter((viewer) => viewer.page === page || viewer.page?.startsWith(`${page}/`)).map((viewer) => viewer.name)
    const own = names.indexOf(viewerName.value)
    if (own >= 0) names.splice(own, 1)
    return names
  })
}
