import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changes, toForm, validate } from './form.ts'

test('an edit sends only what changed, and null for what was emptied', () => {
  const start = { ...toForm(), tag: 'A-1', name: 'Old', make: 'Dell', cost: '5' }
  const form = { ...start, name: ' New ', make: '', cost: '12.50' }
  assert.deepEqual(changes(form, start), { name: 'New', make: null, cost: 12.5 })
})

test('a new asset sends everything that was filled in', () => {
  const form = { ...toForm(), tag: 'A-1', name: 'New' }
  assert.deepEqual(changes(form, toForm(), true), { tag: 'A-1', name: 'New', category: 'laptop', status: 'in_stock', condition: 'new' })
})

test('what can be told without the server is told', () => {
  assert.deepEqual(Object.keys(validate(toForm())), ['tag', 'name'])
  const errors = validate({ ...toForm(), tag: 'a b', name: 'x'.repeat(201), cost: '1.234' })
  assert.deepEqual(Object.keys(errors).sort(), ['cost', 'name', 'tag'])
  assert.deepEqual(validate({ ...toForm(), tag: 'a/b_1.2-3', name: 'ok', cost: '100000000' }), {})
})
