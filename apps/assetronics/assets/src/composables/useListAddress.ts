import { computed, ref, watch, type Ref } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { debounce } from '../lib/debounce.ts'
import { parseListQuery, toUrlQuery, type ListQuery } from '../lib/list-query.ts'
import { useOwnAddress } from './useOwnAddress.ts'

/** The list's state lives in the address; typing in the search field follows after a short pause. */
export function useListAddress() {
  const route = useRoute()
  const router = useRouter()
  const own = route.path
  const address = useOwnAddress()
  let last = parseListQuery(route.query)
  // While the page is being left, the address is already another page's.
  const query = computed(() => (route.path === own ? (last = parseListQuery(route.query)) : last))
  const search: Ref<string> = ref(query.value.q)

  function set(patch: Partial<ListQuery>) {
    const next = { ...query.value, page: 1, ...patch }
    void router.push({ path: own, query: toUrlQuery(next) })
  }
  const apply = debounce(() => {
    if (search.value.trim() !== query.value.q) address.replace(toUrlQuery({ ...query.value, q: search.value.trim(), page: 1 }))
  }, 220)
  watch(search, apply)
  watch(
    () => query.value.q,
    (q) => {
      if (q !== search.value.trim()) search.value = q
    },
  )
  return { query, search, set }
}
