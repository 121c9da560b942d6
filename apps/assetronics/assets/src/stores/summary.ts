import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import { summaryApi } from '../api/others.ts'
import { debounce } from '../lib/debounce.ts'
import { ApiError } from '../lib/errors.ts'
import type { Light, Summary } from '../types.ts'

export const useSummary = defineStore('summary', () => {
  const summary = shallowRef<Summary | null>(null)
  const tenantUnknown = ref(false)

  async function refresh() {
    try {
      summary.value = await summaryApi.get()
      tenantUnknown.value = false
    } catch (error) {
      // The numbers are a side dish: the pages report what fails; only an unknown company changes the whole frame.
      tenantUnknown.value = error instanceof ApiError && error.status === 404
    }
  }
  const refreshSoon = debounce(() => void refresh(), 250, 1000)

  /** Who watches all devices knows their lights sooner. */
  function countedLights(devices: Record<Light, number>) {
    if (summary.value) summary.value = { ...summary.value, devices }
  }
  function clear() {
    summary.value = null
    tenantUnknown.value = false
  }
  return { summary, tenantUnknown, refresh, refreshSoon, countedLights, clear }
})
