export type Drill = 'crash' | 'hang' | 'kill'

/** "84 µs", "1.3 ms", "2.0 s". */
export function formatTook(microseconds: number): string {
  if (microseconds < 1000) return `${Math.round(microseconds)} µs`
  if (microseconds < 1_000_000) return `${(microseconds / 1000).toFixed(1)} ms`
  return `${(microseconds / 1_000_000).toFixed(1)} s`
}
