// The records of the API, field by field as the contract lists them.

export const categories = [
  'laptop', 'desktop', 'monitor', 'phone', 'tablet', 'peripheral', 'server', 'network_equipment', 'other',
] as const
export type Category = (typeof categories)[number]

export const assetStatuses = [
  'on_order', 'in_stock', 'assigned', 'in_transit', 'in_repair', 'retired', 'lost', 'stolen',
] as const
export type AssetStatus = (typeof assetStatuses)[number]

export const conditions = ['new', 'good', 'fair', 'poor', 'damaged'] as const
export type Condition = (typeof conditions)[number]

export const assignmentTypes = ['permanent', 'temporary', 'loaner'] as const
export type AssignmentType = (typeof assignmentTypes)[number]

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

/** What create and update accept: the rest of an asset belongs to the server or to assignment. */
export type AssetInput = Partial<
  Pick<
    Asset,
    | 'tag' | 'name' | 'description' | 'category' | 'status' | 'condition' | 'make' | 'model' | 'serial'
    | 'purchase_date' | 'cost' | 'vendor' | 'location' | 'warranty_end' | 'notes'
  >
>

export interface AssignInput {
  employee_id: string
  assignment_type?: AssignmentType
  expected_return?: string
  notes?: string
}

export interface ReturnInput {
  condition?: Condition
  notes?: string
}

export const employeeStatuses = ['active', 'on_leave', 'terminated'] as const
export type EmployeeStatus = (typeof employeeStatuses)[number]

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

export const transactionTypes = [
  'created', 'updated', 'deleted', 'assignment', 'return', 'status_change', 'import',
] as const
export type TransactionType = (typeof transactionTypes)[number]

export interface Transaction {
  id: string
  type: TransactionType
  asset_id: string | null
  asset_tag: string | null
  asset_name: string | null
  employee_id: string | null
  employee_name: string | null
  from_status: AssetStatus | null
  to_status: AssetStatus | null
  description: string | null
  performed_by: string | null
  performed_at: string
}

export interface ImportRowError {
  line: number
  field: string | null
  code: string
  message: string
  value: string | null
}

export interface Import {
  id: string
  filename: string | null
  status: 'pending' | 'running' | 'completed' | 'failed'
  total: number
  processed: number
  created_count: number
  updated_count: number
  failed_count: number
  columns: { column: string; field: string }[]
  ignored_columns: string[]
  errors: ImportRowError[]
  error_count: number
  started_at: string | null
  finished_at: string | null
}

export const lights = ['green', 'amber', 'red'] as const
export type Light = (typeof lights)[number]

export interface Metrics {
  cpu: number
  memory: number
  temperature: number
  battery: number
  signal: number
}

export interface Device {
  id: string
  mac: string
  name: string
  light: Light
  online: boolean
  simulated: boolean
  firmware: string | null
  last_seen: string | null
  metrics: Metrics | null
}

export interface Summary {
  total: number
  value: number
  by_status: Partial<Record<AssetStatus, number>>
  by_category: Partial<Record<Category, number>>
  devices: Record<Light, number>
}

export interface ListMeta {
  page: number
  page_size: number
  total: number
  total_pages: number
}

export interface Page<T> {
  data: T[]
  meta: ListMeta
}

export interface FieldError {
  field: string | null
  code: string
  message: string
  index?: number
}

/** One tab that looks at this company: the presence meta. */
export interface Viewer {
  name: string
  page: string
  online_at: string | number
}

/** A place in the supervision tree and the process that stands there now. */
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
  shards: { shard: number; processes: number; queued: number; suspended: number; timers: number; messages: number; steps: number }[]
  types: { type: string; processes: number; bytes: number; mailbox: number }[]
  memory: { kind: string; bytes: number }[]
  resident: number
}
