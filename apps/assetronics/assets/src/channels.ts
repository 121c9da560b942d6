// Written by `assetronics types` from the server's records; not edited by hand.

export interface View {
  page: string
}

export interface AssetChanged {
  asset: Asset
}

export interface AssetDeleted {
  id: string
}

export interface AssetHandedOver {
  asset: Asset
  transaction: Transaction
}

export interface AssetsImported {
  count: number
}

export interface Viewer {
  name: string
  page: string
  online_at: string
}

export interface Asset {
  id: string
  tag: string
  name: string
  description: string | null
  category: Category
  status: AssetStatus
  condition: Condition
  make: string | null
  model: string | null
  serial: string | null
  purchase_date: string | null
  cost: number | null
  vendor: string | null
  location: string | null
  warranty_end: string | null
  employee_id: string | null
  employee_name: string | null
  assigned_at: string | null
  assignment_type: AssignmentType | null
  expected_return: string | null
  notes: string | null
  inserted_at: string
  updated_at: string
}

export interface Transaction {
  id: string
  type: TransactionType
  asset_id: string | null
  asset_tag: string | null
  asset_name: string | null
  employee_id: string | null
  employee_name: string | null
  from_status: string | null
  to_status: string | null
  description: string | null
  performed_by: string | null
  performed_at: string
}

export type Category = | "laptop" | "desktop" | "monitor" | "phone" | "tablet" | "peripheral" | "server" | "network_equipment" | "other"

export type AssetStatus = | "on_order" | "in_stock" | "assigned" | "in_transit" | "in_repair" | "retired" | "lost" | "stolen"

export type Condition = | "new" | "good" | "fair" | "poor" | "damaged"

export type AssignmentType = | "permanent" | "temporary" | "loaner"

export type TransactionType = | "created" | "updated" | "deleted" | "assignment" | "return" | "status_change" | "import"

export interface AssetsChannel {
  params: Record<string, never>
  joined: Record<string, never>
  pushes: {
    view: { payload: View; reply: Record<string, never> }
  }
  events: {
    asset_created: AssetChanged
    asset_updated: AssetChanged
    asset_deleted: AssetDeleted
    asset_assigned: AssetHandedOver
    asset_returned: AssetHandedOver
    assets_imported: AssetsImported
  }
  presence: Viewer
}

export interface ActivityCreated {
  transaction: Transaction
}

export interface ActivityChannel {
  params: Record<string, never>
  joined: Record<string, never>
  pushes: {}
  events: {
    activity_created: ActivityCreated
  }
  presence: Record<string, never>
}

export interface EmployeeUpdated {
  employee: Employee
}

export interface Employee {
  id: string
  number: string
  name: string
  email: string
  title: string | null
  department: string | null
  location: string | null
  status: EmployeeStatus
  asset_count: number
  inserted_at: string
  updated_at: string
}

export type EmployeeStatus = | "active" | "on_leave" | "terminated"

export interface EmployeesChannel {
  params: Record<string, never>
  joined: Record<string, never>
  pushes: {}
  events: {
    employee_updated: EmployeeUpdated
  }
  presence: Record<string, never>
}

export interface ImportProgress {
  import: Import
}

export interface Import {
  id: string
  filename: string
  status: ImportStatus
  total: number
  processed: number
  created_count: number
  updated_count: number
  failed_count: number
  columns: Column[]
  ignored_columns: string[]
  errors: RowError[]
  error_count: number
  started_at: string | null
  finished_at: string | null
}

export type ImportStatus = | "pending" | "running" | "completed" | "failed"

export interface Column {
  column: string
  field: string
}

export interface RowError {
  line: number
  field: string
  code: string
  message: string
  value: string
}

export interface ImportsChannel {
  params: Record<string, never>
  joined: Record<string, never>
  pushes: {}
  events: {
    import_progress: ImportProgress
  }
  presence: Record<string, never>
}

export interface DevicesChanged {
  devices: Device[]
}

export interface ActionRequest {
  id: string
  action: DeviceAction
}

export interface Device {
  id: string
  mac: string
  name: string
  light: Light
  online: boolean
  simulated: boolean
  firmware: string
  last_seen: string
  metrics: Metrics | null
}

export type DeviceAction = | "blink" | "reboot"

export type Light = | "green" | "amber" | "red"

export interface Metrics {
  cpu: number
  memory: number
  temperature: number
  battery: number
  signal: number
}

export interface DevicesChannel {
  params: Record<string, never>
  joined: DevicesChanged
  pushes: {
    action: { payload: ActionRequest; reply: Record<string, never> }
  }
  events: {
    devices_changed: DevicesChanged
  }
  presence: Record<string, never>
}

export interface DeviceParamsInput {
  token: string
  name?: string | null
  firmware?: string | null
  simulated?: boolean | null
}

export interface DeviceCommand {
  action: DeviceAction
}

export interface DeviceChannel {
  params: DeviceParamsInput
  joined: Record<string, never>
  pushes: {
    metrics: { payload: Metrics; reply: Record<string, never> }
    pong: { payload: Record<string, never>; reply: Record<string, never> }
  }
  events: {
    ping: Record<string, never>
    action: DeviceCommand
  }
  presence: Record<string, never>
}

export interface OpsParamsInput {
  token?: string | null
}

export interface OpsJoined {
  practice: boolean
  tick_ms: number
}

export interface OperationRequestInput {
  pid: string
  seconds?: number | null
}

export interface PracticeRequest {
  running: boolean
}

export interface TreeSeen {
  seq: number
  processes: ProcessRow[]
  restarts: RestartRow[]
  totals: RuntimeTotals
}

export interface TreeChanges {
  seq: number
  beats: number[][]
  added: ProcessRow[]
  changed: (Partial<ProcessRow> & Pick<ProcessRow, "key">)[]
  removed: number[]
  restarts: RestartRow[]
  totals: RuntimeTotals | null
}

export interface ProcessRow {
  key: number
  parent: number
  position: number
  id: string
  pid: string
  name: string
  type: string
  strategy: string
  state: string
  activity: string
  restarts: number
  last_exit: string
  mailbox: number
  bytes: number
  runs: number
  shard: number
  children: number
  answers: boolean
  practice: boolean
  guarded: string
  started_at: string | null
  retry_at: string | null
}

export interface RestartRow {
  id: string
  at: string
  supervisor: string
  child: string
  reason: string
  awaits: string[]
  restarts: number
  delay_ms: number
  was: string
  pid: string
  took_us: number
}

export interface RuntimeTotals {
  shards: ShardTotals[]
  types: TypeTotals[]
  memory: MemoryTotals[]
  resident: number
}

export interface ShardTotals {
  shard: number
  processes: number
  queued: number
  suspended: number
  timers: number
  messages: number
  steps: number
}

export interface TypeTotals {
  type: string
  processes: number
  bytes: number
  mailbox: number
}

export interface MemoryTotals {
  kind: string
  bytes: number
}

export interface OpsChannel {
  params: OpsParamsInput
  joined: OpsJoined
  pushes: {
    crash: { payload: OperationRequestInput; reply: Record<string, never> }
    hang: { payload: OperationRequestInput; reply: Record<string, never> }
    kill: { payload: OperationRequestInput; reply: Record<string, never> }
    practice: { payload: PracticeRequest; reply: Record<string, never> }
    refresh: { payload: Record<string, never>; reply: Record<string, never> }
  }
  events: {
    everything: TreeSeen
    changes: TreeChanges
  }
  presence: Record<string, never>
}
