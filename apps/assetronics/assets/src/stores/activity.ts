import { defineStore } from 'pinia'
import { computed, reactive } from 'vue'
import { assetsApi } from '../api/assets.ts'
import { activityApi } from '../api/others.ts'
import { EntityMap } from '../lib/entity.ts'
import type { Transaction } from '../types.ts'

/** More than this is not kept in the page. */
const keep = 2000

export const useActivity = defineStore('activity', () => {
  const entities = new EntityMap<Transaction>()
  const fresh = reactive(new Set<string>())

  /** Newest first; ids are ordered by time, so they settle ties within a millisecond. */
  const newest = computed(() =>
    [...entities.byId.values()].sort(
      (a, b) => b.performed_at.localeCompare(a.performed_at) || b.id.localeCompare(a.id),
    ),
  )
  const ofAsset = (assetId: string) => newest.value.filter((transaction) => transaction.asset_id === assetId)

  async function fetchRecent(limit: number) {
    entities.setMany(await activityApi.list(limit))
  }
  async function fetchHistory(assetId: string) {
    entities.setMany(await assetsApi.history(assetId))
  }

  function happened(transaction: Transaction) {
    if (entities.get(transaction.id)) return
    entities.setOne(transaction)
    fresh.add(transaction.id)
    setTimeout(() => fresh.delete(transaction.id), 2300)
    if (entities.byId.size > keep) for (const old of newest.value.slice(keep / 2)) entities.remove(old.id)
  }

  return { newest, fresh, ofAsset, fetchRecent, fetchHistory, happened, clear: () => entities.clear() }
})
