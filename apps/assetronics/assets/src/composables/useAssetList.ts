import { computed, onScopeDispose, ref, shallowRef, watch, type Ref } from 'vue'
import { debounce } from '../lib/debounce.ts'
import { entersAtTop, matches } from '../lib/list-match.ts'
import { toApiQuery, type ListQuery } from '../lib/list-query.ts'
import { isAbort } from '../lib/request.ts'
import { useAssets, type AssetChange } from '../stores/assets.ts'
import type { ListMeta } from '../types.ts'
import { useReread } from './useReread.ts'

export const pageSize = 50

/** The rows of the asset list: one page of the server's answer, kept right by the channel's events. */
export function useAssetList(query: Ref<ListQuery>) {
  const store = useAssets()
  const ids = ref<string[]>([])
  const meta = shallowRef<ListMeta | null>(null)
  const error = shallowRef<unknown>(null)
  const loading = ref(true)
  /** Assets that now belong to the list but not to the top of this page. */
  const waiting = ref(new Set<string>())
  let running: AbortController | null = null
  /** Something was told while the list was on its way, which may lack it. */
  let overtaken = false

  async function load() {
    running?.abort()
    overtaken = false
    const mine = (running = new AbortController())
    loading.value = true
    try {
      const page = await store.fetchList(toApiQuery(query.value, pageSize), mine.signal)
      if (mine !== running) return
      ids.value = page.ids
      meta.value = page.meta
      error.value = null
      waiting.value = new Set()
      if (overtaken) reloadSoon()
    } catch (problem) {
      if (mine === running && !isAbort(problem)) error.value = problem
    } finally {
      if (mine === running) loading.value = false
    }
  }
  const reloadSoon = debounce(() => void load(), 400, 1000)

  function countTotal(by: number) {
    if (meta.value) meta.value = { ...meta.value, total: Math.max(0, meta.value.total + by) }
  }

  function onChange(change: AssetChange) {
    overtaken = true
    if (change.kind === 'imported') return reloadSoon()
    if (change.kind === 'deleted') {
      waiting.value.delete(change.id)
      if (ids.value.includes(change.id)) takeOut(change.id)
      return
    }
    const { asset, before } = change
    const shown = ids.value.includes(asset.id)
    const belongs = matches(asset, query.value)
    if (shown && !belongs) return takeOut(asset.id)
    if (shown || !belongs) return
    // A known asset that already belonged only moves; anything else is one more.
    const isMore = change.kind === 'created' || (before !== undefined && !matches(before, query.value))
    const first = store.get(ids.value[0] ?? '')
    if (entersAtTop(asset, first, query.value)) {
      ids.value = [asset.id, ...ids.value].slice(0, pageSize)
      if (isMore) countTotal(1)
    } else if (isMore) waiting.value = new Set(waiting.value).add(asset.id)
  }

  function takeOut(id: string) {
    ids.value = ids.value.filter((each) => each !== id)
    countTotal(-1)
    // The row that moves up from the next page comes with a refetch.
    if (meta.value && meta.value.total_pages > 1) reloadSoon()
  }

  const rows = computed(() => store.pick(ids.value))
  watch(() => JSON.stringify(query.value), () => void load())
  useReread(() => void load(), { again: reloadSoon, failed: () => error.value !== null })
  const stop = store.onChange(onChange)
  onScopeDispose(() => {
    stop()
    reloadSoon.cancel()
    running?.abort()
  })

  return { rows, meta, error, loading, waiting, load }
}
