import { watch } from 'vue'
import { useLive } from '../stores/live.ts'

/** Runs after every join of the company's channel: events may have been missed before it. */
export function useRejoined(refetch: () => void): void {
  const live = useLive()
  watch(() => live.joins, refetch)
}
