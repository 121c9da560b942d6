import { useRouter } from 'vue-router'
import { messageOf } from '../lib/errors.ts'
import { tenant } from '../lib/tenant.ts'
import { useAssets } from '../stores/assets.ts'
import { useToasts } from '../stores/toasts.ts'
import type { Asset, AssetInput, AssignInput, ReturnInput } from '../types.ts'

export const writableFields = [
  'tag', 'name', 'description', 'category', 'status', 'condition', 'make', 'model', 'serial', 'purchase_date', 'cost',
  'vendor', 'location', 'warranty_end', 'notes',
] as const satisfies readonly (keyof AssetInput)[]

/** What hurts when done by mistake: each call offers its inverse in a toast. Errors are the caller's to show. */
export function useAssetActions() {
  const assets = useAssets()
  const toasts = useToasts()
  const router = useRouter()

  function undo(what: () => Promise<string>) {
    return {
      label: 'Undo',
      run: async () => {
        try {
          toasts.info(await what())
        } catch (error) {
          toasts.error(`Could not undo: ${messageOf(error)}`)
        }
      },
    }
  }

  async function assign(before: Asset, input: AssignInput) {
    const after = await assets.assign(before.id, input)
    toasts.success(
      `${after.tag} assigned to ${after.employee_name ?? 'the employee'}`,
      undo(async () => {
        await assets.giveBack(before.id, { condition: before.condition })
        if (before.status !== 'in_stock') await assets.update(before.id, { status: before.status })
        return `${before.tag} is not assigned any more`
      }),
    )
  }

  async function giveBack(before: Asset, input: ReturnInput) {
    const after = await assets.giveBack(before.id, input)
    toasts.success(
      `${after.tag} returned to stock`,
      undo(async () => {
        if (before.condition !== after.condition) await assets.update(before.id, { condition: before.condition })
        await assets.assign(before.id, assignmentOf(before))
        return `${before.tag} is assigned to ${before.employee_name} again`
      }),
    )
  }

  async function remove(before: Asset) {
    await assets.remove(before.id)
    toasts.success(
      `${before.tag} deleted`,
      undo(async () => {
        const { status, ...fields } = Object.fromEntries(writableFields.map((name) => [name, before[name]])) as AssetInput
        const again = await assets.create(status === 'assigned' ? fields : { ...fields, status })
        if (before.status === 'assigned') await assets.assign(again.id, assignmentOf(before))
        await router.push(`/t/${tenant.value}/assets/${again.id}`)
        return `${before.tag} is back`
      }),
    )
  }

  return { assign, giveBack, remove }
}

function assignmentOf(asset: Asset): AssignInput {
  return {
    employee_id: asset.employee_id ?? '',
    assignment_type: asset.assignment_type ?? undefined,
    expected_return: asset.expected_return ?? undefined,
  }
}
