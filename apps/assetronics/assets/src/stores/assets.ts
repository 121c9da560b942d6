import { defineStore } from 'pinia'
import { reactive } from 'vue'
import { assetsApi } from '../api/assets.ts'
import { EntityMap } from '../lib/entity.ts'
import type { Query } from '../lib/request.ts'
import type { Asset, AssetInput, AssignInput, ListMeta, ReturnInput } from '../types.ts'

/** What a channel told about assets; lists decide what it means for their rows. */
export type AssetChange =
  | { kind: 'created' | 'updated'; asset: Asset; before: Asset | undefined }
  | { kind: 'deleted'; id: string }
  | { kind: 'imported'; count: number }

const flashTime = 2300

export const useAssets = defineStore('assets', () => {
  const entities = new EntityMap<Asset>()
  const flashing = reactive(new Set<string>())
  const listeners = new Set<(change: AssetChange) => void>()

  async function fetchList(query: Query, signal?: AbortSignal): Promise<{ ids: string[]; meta: ListMeta }> {
    const page = await assetsApi.list(query, signal)
    entities.setMany(page.data)
    return { ids: page.data.map((asset) => asset.id), meta: page.meta }
  }
  const fetchOne = async (id: string) => entities.setOne(await assetsApi.get(id))
  const create = async (input: AssetInput) => entities.setOne(await assetsApi.create(input))
  const update = async (id: string, input: AssetInput) => entities.setOne(await assetsApi.update(id, input))
  const assign = async (id: string, input: AssignInput) => entities.setOne(await assetsApi.assign(id, input))
  const giveBack = async (id: string, input: ReturnInput) => entities.setOne(await assetsApi.giveBack(id, input))
  async function remove(id: string) {
    await assetsApi.remove(id)
    removed(id)
  }

  function changed(kind: 'created' | 'updated', asset: Asset) {
    const before = entities.get(asset.id)
    const now = entities.setOne(asset)
    flash(asset.id)
    tell({ kind, asset: now, before })
  }
  function removed(id: string) {
    entities.remove(id)
    tell({ kind: 'deleted', id })
  }
  const imported = (count: number) => tell({ kind: 'imported', count })

  function onChange(listener: (change: AssetChange) => void): () => void {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
  function tell(change: AssetChange) {
    for (const listener of [...listeners]) listener(change)
  }
  function flash(id: string) {
    flashing.add(id)
    setTimeout(() => flashing.delete(id), flashTime)
  }

  return {
    flashing, onChange, changed, removed, imported,
    get: (id: string) => entities.get(id), pick: (ids: readonly string[]) => entities.pick(ids), clear: () => entities.clear(),
    fetchList, fetchOne, create, update, assign, giveBack, remove,
  }
})
