import { defineStore } from 'pinia'
import { shallowRef } from 'vue'
import type { Viewer } from '../types.ts'

/** Who is here: one entry per open tab, oldest first. */
export const useLive = defineStore('live', () => ({ viewers: shallowRef<Viewer[]>([]) }))
