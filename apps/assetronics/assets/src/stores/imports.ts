import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { importsApi } from '../api/others.ts'
import { EntityMap } from '../lib/entity.ts'
import type { Import } from '../types.ts'

export const useImports = defineStore('imports', () => {
  const entities = new EntityMap<Import>()
  /** The import that the page shows: the one started here, else the last that a channel reported. */
  const currentId = ref<string | null>(null)
  const current = computed(() => (currentId.value ? entities.get(currentId.value) : undefined))

  function progressed(next: Import) {
    const present = entities.get(next.id)
    if (present && isBehind(next, present)) return
    entities.setOne(next)
    if (!currentId.value || (next.id !== currentId.value && isDone(current.value))) currentId.value = next.id
  }
  async function start(file: File, onProgress: (share: number) => void) {
    const started = await importsApi.start(file, onProgress)
    currentId.value = started.id
    progressed(started)
  }
  async function fetchOne(id: string) {
    progressed(await importsApi.get(id))
  }
  function show(id: string | null) {
    currentId.value = id
  }

  return { current, currentId, progressed, start, fetchOne, show, clear: () => (entities.clear(), show(null)) }
})

export function isDone(item: Import | undefined): boolean {
  return item?.status === 'completed' || item?.status === 'failed'
}

/** The answer to the upload may arrive after the first progress event. */
function isBehind(next: Import, present: Import): boolean {
  return next.processed < present.processed || (isDone(present) && !isDone(next))
}
