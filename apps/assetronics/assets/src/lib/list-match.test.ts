import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Asset } from '../types.ts'
import { compareBy, entersAtTop, matches } from './list-match.ts'
import { parseListQuery } from './list-query.ts'

const asset = (fields: Partial<Asset>) =>
  ({ tag: 'LT-1', name: 'MacBook', status: 'assigned', category: 'laptop', serial: null, make: 'Apple', model: null, employee_name: 'Mia Rossi', cost: 10, updated_at: '2026-01-02', ...fields }) as Asset

test('search, status and category all have to fit', () => {
  assert.ok(matches(asset({}), parseListQuery({ q: 'ROSSI', status: 'assigned,lost', category: 'laptop' })))
  assert.ok(!matches(asset({}), parseListQuery({ q: 'dell' })))
  assert.ok(!matches(asset({ status: 'in_stock' }), parseListQuery({ status: 'assigned' })))
  assert.ok(!matches(asset({}), parseListQuery({ category: 'phone' })))
})

test('order follows the field and its direction, nothing first', () => {
  assert.ok(compareBy('tag', asset({ tag: 'A' }), asset({ tag: 'B' })) < 0)
  assert.ok(compareBy('-tag', asset({ tag: 'A' }), asset({ tag: 'B' })) > 0)
  assert.ok(compareBy('cost', asset({ cost: null }), asset({ cost: 0 })) < 0)
})

test('only the first page takes new rows at its top', () => {
  const first = asset({ updated_at: '2026-01-01' })
  assert.ok(entersAtTop(asset({}), first, parseListQuery({})))
  assert.ok(entersAtTop(asset({}), undefined, parseListQuery({})))
  assert.ok(!entersAtTop(asset({}), first, parseListQuery({ page: '2' })))
  assert.ok(!entersAtTop(asset({ tag: 'Z' }), asset({ tag: 'A' }), parseListQuery({ sort: 'tag' })))
})
