import { defineStore } from 'pinia'
import { computed, shallowRef, triggerRef } from 'vue'
import type { Device, Light } from '../types.ts'

/**
 * Thousands of devices that change every second: one map, replaced record by record, and one trigger per message
 * instead of a reactive cell per device.
 */
export const useDevices = defineStore('devices', () => {
  const byId = shallowRef(new Map<string, Device>())

  // Sorted once, not every second: only a new device or a new name changes the order.
  const order = shallowRef<string[]>([])
  const all = computed(() => order.value.map((id) => byId.value.get(id)!))
  const counts = computed(() => {
    const result: Record<Light, number> = { green: 0, amber: 0, red: 0 }
    for (const device of byId.value.values()) result[device.light]++
    return result
  })
  const online = computed(() => all.value.filter((device) => device.online).length)
  const anySimulated = computed(() => all.value.some((device) => device.simulated))

  function replaceAll(devices: Device[]) {
    byId.value = new Map(devices.map((device) => [device.id, device]))
    sort()
  }
  function changed(devices: Device[]) {
    let reordered = false
    for (const device of devices) {
      reordered ||= byId.value.get(device.id)?.name !== device.name
      byId.value.set(device.id, device)
    }
    if (reordered) sort()
    triggerRef(byId)
  }
  function sort() {
    order.value = [...byId.value.values()].sort((a, b) => collate(a.name, b.name)).map((device) => device.id)
  }
  const get = (id: string) => byId.value.get(id)

  return { all, counts, online, anySimulated, replaceAll, changed, get, clear: () => replaceAll([]) }
})

const collator = new Intl.Collator('en', { numeric: true })
const collate = (a: string, b: string) => collator.compare(a, b)
