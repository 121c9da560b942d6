import { nextTick, ref, watch, type Ref } from 'vue'
import { useShortcuts } from './useShortcuts.ts'

/** j and k move through the rows, Enter opens one. The active row carries `data-active`. */
export function useListNavigation(count: Ref<number>, open: (index: number) => void) {
  const active = ref(-1)

  async function move(by: number) {
    if (count.value === 0) return
    active.value = Math.min(count.value - 1, Math.max(0, active.value + by))
    await nextTick()
    document.querySelector('[data-active="true"]')?.scrollIntoView({ block: 'nearest' })
  }
  watch(count, (now) => {
    if (active.value >= now) active.value = now - 1
  })
  useShortcuts({
    j: () => void move(1),
    k: () => void move(-1),
    Enter: (event) => {
      // A focused link or button opens itself.
      if (event.target instanceof HTMLElement && event.target.closest('a,button')) {
        ;(event.target.closest('a,button') as HTMLElement).click()
      } else if (active.value >= 0) open(active.value)
    },
  })
  return { active }
}
