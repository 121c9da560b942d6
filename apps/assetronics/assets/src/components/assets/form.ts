import type { Asset, AssetInput } from '../../types.ts'

/** The form holds text, as its controls do. */
export type FormState = Record<(typeof formFields)[number], string>

export const formFields = [
  'tag', 'name', 'category', 'status', 'condition', 'make', 'model', 'serial', 'location', 'cost', 'purchase_date',
  'vendor', 'warranty_end', 'description', 'notes',
] as const

export function toForm(asset?: Asset): FormState {
  const blank: Partial<FormState> = { category: 'laptop', status: 'in_stock', condition: 'new' }
  return Object.fromEntries(formFields.map((name) => [name, asset ? String(asset[name] ?? '') : (blank[name] ?? '')])) as FormState
}

/** Only what differs from the start: what another person changes meanwhile is left alone. */
export function changes(form: FormState, start: FormState, all = false): AssetInput {
  const input: Record<string, unknown> = {}
  for (const name of formFields) {
    const value = form[name].trim()
    if (!all && value === start[name].trim()) continue
    if (all && value === '') continue
    input[name] = value === '' ? null : name === 'cost' ? Number(value) : value
  }
  return input as AssetInput
}

const limits: Partial<Record<keyof FormState, number>> = { tag: 64, description: 2000, notes: 2000 }

/** What can be told without the server; the server checks everything again. */
export function validate(form: FormState): Record<string, string> {
  const errors: Record<string, string> = {}
  const tag = form.tag.trim()
  if (!tag) errors.tag = 'Give it a tag, such as LT-0042.'
  else if (!/^[A-Za-z0-9._/-]+$/.test(tag)) errors.tag = 'Only letters, digits and . _ / - are allowed.'
  if (!form.name.trim()) errors.name = 'Give it a name.'
  for (const name of formFields) {
    const limit = limits[name] ?? 200
    if ([...form[name].trim()].length > limit) errors[name] ??= `At most ${limit.toLocaleString('en')} characters.`
  }
  const cost = form.cost.trim()
  if (cost && !/^\d+(\.\d{1,2})?$/.test(cost)) errors.cost = 'An amount such as 1299 or 1299.90.'
  else if (Number(cost) > 100_000_000) errors.cost = 'At most 100,000,000.'
  return errors
}
