import { onScopeDispose } from 'vue'
import { isNavigationFailure, NavigationFailureType, onBeforeRouteLeave, useRoute, useRouter, type LocationQueryRaw } from 'vue-router'

/**
 * Keeps what a page shows in the query of its address. Once somebody is on the way to another page the address is no longer this page's:
 * a change that is still due then would call them back.
 */
export function useOwnAddress() {
  const route = useRoute()
  const router = useRouter()
  const own = route.path
  let leaving = false
  onBeforeRouteLeave(() => {
    leaving = true
  })
  const stop = router.afterEach((_to, _from, failure) => {
    // A way that another one took the place of ends too, and that one is still under way.
    if (!isNavigationFailure(failure, NavigationFailureType.cancelled)) leaving = false
  })
  onScopeDispose(stop)

  function replace(query: LocationQueryRaw) {
    if (route.path === own && !leaving) void router.replace({ path: own, query })
  }
  return { replace }
}
