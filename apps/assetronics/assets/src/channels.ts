import type { Asset, Device, Import, ProcessRow, RestartRow, RuntimeTotals, Transaction } from './types.ts'

// What the server pushes, topic by topic.

export interface AssetEvents {
  asset_created: { asset: Asset }
  asset_updated: { asset: Asset }
  asset_deleted: { id: string }
  asset_assigned: { asset: Asset; transaction: Transaction }
  asset_returned: { asset: Asset; transaction: Transaction }
  assets_imported: { count: number }
}
export interface ActivityEvents {
  activity_created: { transaction: Transaction }
}
export interface ImportEvents {
  import_progress: { import: Import }
}
export interface DeviceEvents {
  devices_changed: { devices: Device[] }
}
export interface DevicesJoined {
  devices: Device[]
}
export interface ProcessesJoined {
  /** Whether this node offers a practice crew. */
  practice: boolean
  tick_ms: number
}
export interface ProcessEvents {
  everything: { seq: number; processes: ProcessRow[]; restarts: RestartRow[]; totals: RuntimeTotals }
  changes: {
    seq: number
    /** Key and microseconds of every process that gave a sign of life since the last message. */
    beats: [number, number][]
    added?: ProcessRow[]
    changed?: (Partial<ProcessRow> & { key: number })[]
    removed?: number[]
    restarts?: RestartRow[]
    totals?: RuntimeTotals
  }
}
