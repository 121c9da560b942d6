import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import type { Viewer } from '../types.ts'

/** What the company's own channel tells: who is here, and how often it was joined. */
export const useLive = defineStore('live', () => {
  const viewers = shallowRef<Viewer[]>([])
  /** Grows with every join; who watches it refetches what may have been missed. */
  const joins = ref(0)
  return { viewers, joins }
})
