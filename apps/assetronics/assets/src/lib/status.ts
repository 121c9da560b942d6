export interface Tone {
  badge: string
  bar: string
}

const tones = {
  green: { badge: 'bg-green-soft text-green', bar: 'bg-green' },
  blue: { badge: 'bg-blue-soft text-blue', bar: 'bg-blue' },
  violet: { badge: 'bg-violet-soft text-violet', bar: 'bg-violet' },
  cyan: { badge: 'bg-cyan-soft text-cyan', bar: 'bg-cyan' },
  amber: { badge: 'bg-amber-soft text-amber', bar: 'bg-amber' },
  red: { badge: 'bg-red-soft text-red', bar: 'bg-red' },
  grey: { badge: 'bg-grey-soft text-muted', bar: 'bg-subtle' },
} satisfies Record<string, Tone>

const byStatus: Record<string, Tone> = {
  in_stock: tones.green,
  assigned: tones.blue,
  on_order: tones.violet,
  in_transit: tones.cyan,
  in_repair: tones.amber,
  retired: tones.grey,
  lost: tones.red,
  stolen: tones.red,
  active: tones.green,
  on_leave: tones.amber,
  terminated: tones.grey,
}

/** The colours of an asset's or an employee's status. */
export const statusTone = (status: string): Tone => byStatus[status] ?? tones.grey
