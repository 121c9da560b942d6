import { ArrowLeftRight, CirclePlus, FileUp, Pencil, Trash2, Undo2, UserRoundCheck } from '@lucide/vue'
import { humanize } from '../../lib/format.ts'
import type { Transaction, TransactionType } from '../../types.ts'

/** The look of an entry of the ledger. */
export const looks: Record<TransactionType, { icon: typeof Pencil; tone: string }> = {
  created: { icon: CirclePlus, tone: 'bg-green-soft text-green' },
  updated: { icon: Pencil, tone: 'bg-grey-soft text-muted' },
  deleted: { icon: Trash2, tone: 'bg-red-soft text-red' },
  assignment: { icon: UserRoundCheck, tone: 'bg-blue-soft text-blue' },
  return: { icon: Undo2, tone: 'bg-violet-soft text-violet' },
  status_change: { icon: ArrowLeftRight, tone: 'bg-amber-soft text-amber' },
  import: { icon: FileUp, tone: 'bg-accent-soft text-accent' },
}
export const lookOf = (type: TransactionType) => looks[type] ?? looks.updated

/** What happened, as the words that follow the asset's name. */
export function wordsOf(transaction: Transaction): string {
  switch (transaction.type) {
    case 'created':
      return 'was added'
    case 'updated':
      return 'was changed'
    case 'deleted':
      return 'was deleted'
    case 'assignment':
      return `was assigned to ${transaction.employee_name ?? 'an employee'}`
    case 'return':
      return transaction.employee_name ? `was returned by ${transaction.employee_name}` : 'was returned'
    case 'status_change':
      return `went from ${status(transaction.from_status)} to ${status(transaction.to_status)}`
    case 'import':
      return transaction.asset_id ? 'came in with an import' : 'Import'
    default:
      return humanize(transaction.type)
  }
}

const status = (value: string | null) => (value ? humanize(value).toLowerCase() : 'nothing')
