import type { Asset, Device, Import, Transaction } from './types.ts'

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
