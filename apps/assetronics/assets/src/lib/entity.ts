import { shallowReactive } from 'vue'

export interface Entity {
  id: string
  updated_at?: string
}

/** The records of one kind, each once: answers of calls and events of channels meet here. */
export class EntityMap<T extends Entity> {
  readonly byId = shallowReactive(new Map<string, T>())

  get(id: string): T | undefined {
    return this.byId.get(id)
  }

  /** Merges one record and returns what is now stored: a late answer never replaces what a newer event brought. */
  setOne(record: T): T {
    const present = this.byId.get(record.id)
    if (present && isOlder(record, present)) return present
    const merged = present ? { ...present, ...record } : record
    this.byId.set(record.id, merged)
    return merged
  }

  setMany(records: readonly T[]): void {
    for (const record of records) this.setOne(record)
  }

  remove(id: string): T | undefined {
    const present = this.byId.get(id)
    this.byId.delete(id)
    return present
  }

  pick(ids: readonly string[]): T[] {
    return ids.map((id) => this.byId.get(id)).filter((record) => record !== undefined)
  }

  clear(): void {
    this.byId.clear()
  }
}

function isOlder(a: Entity, b: Entity): boolean {
  return a.updated_at !== undefined && b.updated_at !== undefined && a.updated_at < b.updated_at
}
