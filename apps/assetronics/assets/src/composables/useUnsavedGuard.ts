import { onBeforeUnmount, onMounted, ref, type Ref } from 'vue'
import { onBeforeRouteLeave } from 'vue-router'

/** Asks before unsaved input is lost: by the browser on reload, by the page's own dialog on navigation. */
export function useUnsavedGuard(dirty: Ref<boolean>) {
  const asking = ref(false)
  let answer: ((leave: boolean) => void) | null = null

  function onUnload(event: BeforeUnloadEvent) {
    if (dirty.value) event.preventDefault()
  }
  onMounted(() => window.addEventListener('beforeunload', onUnload))
  onBeforeUnmount(() => window.removeEventListener('beforeunload', onUnload))

  onBeforeRouteLeave(() => {
    if (!dirty.value) return true
    asking.value = true
    return new Promise<boolean>((resolve) => (answer = resolve))
  })
  function decide(leave: boolean) {
    asking.value = false
    answer?.(leave)
    answer = null
  }
  return { asking, decide }
}
