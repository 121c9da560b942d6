import { useChannel } from '@bennu/client/vue'
import { onMounted, onScopeDispose, watch } from 'vue'
import type { AssetsChannel } from '../channels.ts'
import { tenant } from '../lib/tenant.ts'

/** How long a page waits for its channels before it reads without them. */
const patience = 300

interface Options {
  /** The last attempt to read failed. */
  failed?: () => boolean
  /** In place of `read`, when it has read before. */
  again?: () => void
  /** The company's channels that carry what changes in what was read. */
  topics?: ('assets' | 'activity' | 'employees')[]
}

/**
 * Calls `read` once its channels are joined: what happens after it read is told there, so nothing is missed and nothing is read twice.
 * Should they take long, or be refused, it reads without them.
 *
 * Calls `again` when what was read may lack something: it was read before a channel was joined, the server cannot give what was missed
 * (`resync`), or the last attempt failed. After a short loss the missed events come instead.
 */
export function useReread(read: () => void, { failed = () => false, again = read, topics = ['assets'] }: Options = {}): void {
  let begun = false
  function begin() {
    if (begun) return
    begun = true
    clearTimeout(timer)
    read()
  }
  const channels = topics.map((name) =>
    useChannel<AssetsChannel>(`${name}:${tenant.value}`, {
      resume: true,
      onJoin: (_reply, how) => {
        if (!begun) beginIfSettled()
        else if (how === 'new' || (how === 'resumed' && failed())) again()
      },
      onResync: () => {
        if (begun) again()
      },
    }),
  )
  function beginIfSettled() {
    if (channels.every(({ joined, error }) => joined.value || error.value)) begin()
  }
  const timer = setTimeout(begin, patience)
  onScopeDispose(() => clearTimeout(timer))
  // Joined before, by another page or the frame; or refused.
  onMounted(beginIfSettled)
  watch(channels.map(({ error }) => error), beginIfSettled)
}
