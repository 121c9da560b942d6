import { defineStore } from 'pinia'
import { computed, reactive } from 'vue'

/** Which calls are under way, by key: loading states are selectors over this. */
export const useRequests = defineStore('requests', () => {
  const active = reactive(new Map<string, number>())

  function started(key: string) {
    active.set(key, (active.get(key) ?? 0) + 1)
  }
  function finished(key: string) {
    const left = (active.get(key) ?? 1) - 1
    if (left > 0) active.set(key, left)
    else active.delete(key)
  }
  const isActive = (key: string) => active.has(key)
  const anyActive = computed(() => active.size > 0)

  return { active, started, finished, isActive, anyActive }
})
