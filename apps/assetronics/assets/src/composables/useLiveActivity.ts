import { useChannel } from '@bennu/client/vue'
import type { ActivityChannel } from '../channels.ts'
import { tenant } from '../lib/tenant.ts'
import { useActivity } from '../stores/activity.ts'

/** Takes the ledger as it grows into its store. */
export function useLiveActivity(): void {
  const activity = useActivity()
  useChannel<ActivityChannel>(`activity:${tenant.value}`, {
    resume: true,
    events: { activity_created: ({ transaction }) => activity.happened(transaction) },
  })
}
