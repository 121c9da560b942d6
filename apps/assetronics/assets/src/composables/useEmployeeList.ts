import { computed, onScopeDispose, ref, shallowRef, watch } from 'vue'
import { useRoute } from 'vue-router'
import { debounce } from '../lib/debounce.ts'
import { isAbort } from '../lib/request.ts'
import { useAssets } from '../stores/assets.ts'
import { useEmployees } from '../stores/employees.ts'
import { employeeStatuses, type EmployeeStatus, type ListMeta } from '../types.ts'
import { useLiveEmployees } from './useLiveEmployees.ts'
import { useOwnAddress } from './useOwnAddress.ts'
import { useReread } from './useReread.ts'

/** The people, searched by the server; their asset counts follow their channel. */
export function useEmployeeList() {
  const route = useRoute()
  const address = useOwnAddress()
  const store = useEmployees()
  const search = ref(String(route.query.q ?? ''))
  const status = ref<EmployeeStatus | ''>(employeeStatuses.find((each) => each === route.query.status) ?? '')
  const page = ref(Math.max(1, Number.parseInt(String(route.query.page ?? '1'), 10) || 1))
  const ids = ref<string[]>([])
  const meta = shallowRef<ListMeta | null>(null)
  const error = shallowRef<unknown>(null)
  const loading = ref(true)
  let running: AbortController | null = null

  async function load() {
    running?.abort()
    const mine = (running = new AbortController())
    loading.value = true
    try {
      const query = { q: search.value.trim(), status: status.value, page: page.value, page_size: 50 }
      const answer = await store.fetchList(query, mine.signal)
      if (mine !== running) return
      ids.value = answer.ids
      meta.value = answer.meta
      error.value = null
    } catch (problem) {
      if (mine === running && !isAbort(problem)) error.value = problem
    } finally {
      if (mine === running) loading.value = false
    }
  }
  function show() {
    const query: Record<string, string> = {}
    if (search.value.trim()) query.q = search.value.trim()
    if (status.value) query.status = status.value
    if (page.value > 1) query.page = String(page.value)
    address.replace(query)
    void load()
  }
  const showSoon = debounce(show, 220)
  watch(search, () => {
    page.value = 1
    showSoon()
  })
  watch(status, () => {
    page.value = 1
    show()
  })
  const reloadSoon = debounce(() => void load(), 400, 1500)
  useReread(() => void load(), { again: reloadSoon, failed: () => error.value !== null, topics: ['assets', 'employees'] })
  useLiveEmployees()
  // Many changes at once are told as that.
  const stop = useAssets().onChange(({ kind }) => {
    if (kind === 'imported') reloadSoon()
  })
  onScopeDispose(() => {
    stop()
    showSoon.cancel()
    reloadSoon.cancel()
    running?.abort()
  })

  function goTo(next: number) {
    page.value = next
    show()
  }
  return { rows: computed(() => store.pick(ids.value)), meta, error, loading, search, status, load, goTo }
}
