import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EntityMap } from './entity.ts'

interface Thing {
  id: string
  name?: string
  note?: string
  updated_at?: string
}
const at = (second: number) => `2026-01-31T09:30:0${second}.000Z`

test('a record that was fetched in part keeps what is known of it', () => {
  const map = new EntityMap<Thing>()
  map.setOne({ id: '1', name: 'Laptop', note: 'Scratched', updated_at: at(1) })
  map.setOne({ id: '1', name: 'Laptop 14', updated_at: at(2) })
  assert.deepEqual(map.get('1'), { id: '1', name: 'Laptop 14', note: 'Scratched', updated_at: at(2) })
})

test('a late answer does not replace what a newer event brought', () => {
  const map = new EntityMap<Thing>()
  map.setOne({ id: '1', name: 'new', updated_at: at(5) })
  assert.equal(map.setOne({ id: '1', name: 'old', updated_at: at(4) }).name, 'new')
  map.setMany([{ id: '1', name: 'older', updated_at: at(3) }, { id: '2', name: 'other' }])
  assert.equal(map.get('1')?.name, 'new')
  assert.equal(map.get('2')?.name, 'other')
})

test('pick keeps the order of the ids and leaves out what was removed', () => {
  const map = new EntityMap<Thing>()
  map.setMany([{ id: 'a' }, { id: 'b' }, { id: 'c' }])
  assert.equal(map.remove('b')?.id, 'b')
  assert.deepEqual(map.pick(['c', 'b', 'a']).map((thing) => thing.id), ['c', 'a'])
})
