import type {
  Asset, AssetStatus, AssignmentType, Category, Condition, Light, RowError, TransactionType,
} from './channels.ts'

// The records of the API. Those that channels tell of, too, are written from the server's; the others follow the contract field by field.
export type {
  Asset, AssetStatus, AssignmentType, Category, Condition, Device, Import, Light, Metrics, ProcessRow, RestartRow, RuntimeTotals,
  Transaction, TransactionType, Viewer,
} from './channels.ts'
export type ImportRowError = RowError

export const categories = [
  'laptop', 'desktop', 'monitor', 'phone', 'tablet', 'peripheral', 'server', 'network_equipment', 'other',
] as const satisfies readonly Category[]

export const assetStatuses = [
  'on_order', 'in_stock', 'assigned', 'in_transit', 'in_repair', 'retired', 'lost', 'stolen',
] as const satisfies readonly AssetStatus[]

export const conditions = ['new', 'good', 'fair', 'poor', 'damaged'] as const satisfies readonly Condition[]

export const assignmentTypes = ['permanent', 'temporary', 'loaner'] as const satisfies readonly AssignmentType[]

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
] as const satisfies readonly TransactionType[]

export const lights = ['green', 'amber', 'red'] as const satisfies readonly Light[]

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

