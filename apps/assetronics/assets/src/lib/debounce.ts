export interface Debounced {
  (): void
  cancel(): void
}

/** Calls `run` once `wait` ms after the last call, and at the latest `maxWait` ms after the first. */
export function debounce(run: () => void, wait: number, maxWait = Infinity): Debounced {
  let timer: ReturnType<typeof setTimeout> | undefined
  let first = 0
  const fire = () => {
    clearTimeout(timer)
    timer = undefined
    first = 0
    run()
  }
  const call = () => {
    const now = Date.now()
    first ||= now
    clearTimeout(timer)
    timer = setTimeout(fire, Math.max(0, Math.min(wait, first + maxWait - now)))
  }
  call.cancel = () => {
    clearTimeout(timer)
    timer = undefined
    first = 0
  }
  return call
}
