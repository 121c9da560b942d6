import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultSort, nextSort, parseListQuery, toApiQuery, toUrlQuery } from './list-query.ts'

test('the address and the query stand for each other', () => {
  const address = { q: 'mac', status: 'assigned,in_repair', category: 'laptop', sort: '-cost', page: '3' }
  const query = parseListQuery(address)
  assert.deepEqual(query, { q: 'mac', status: ['assigned', 'in_repair'], category: 'laptop', sort: '-cost', page: 3 })
  assert.deepEqual(toUrlQuery(query), address)
})

test('an address that anybody typed falls back to the defaults', () => {
  const query = parseListQuery({ status: 'assigned,nonsense,assigned', category: 'boat', sort: '-password', page: '-4', q: null })
  assert.deepEqual(query, { q: '', status: ['assigned'], category: '', sort: defaultSort, page: 1 })
  assert.deepEqual(toUrlQuery(parseListQuery({})), {})
})

test('a repeated parameter counts once', () => {
  assert.equal(parseListQuery({ q: ['first', 'second'] }).q, 'first')
})

test('the call always names its order and page', () => {
  assert.deepEqual(toApiQuery(parseListQuery({ status: 'lost' }), 50), { status: 'lost', sort: '-updated_at', page: 1, page_size: 50 })
})

test('a column head sorts up, down, and gives the default order back', () => {
  assert.equal(nextSort(defaultSort, 'tag'), 'tag')
  assert.equal(nextSort('tag', 'tag'), '-tag')
  assert.equal(nextSort('-tag', 'tag'), defaultSort)
  assert.equal(nextSort('tag', 'cost'), '-cost')
  assert.equal(nextSort('-updated_at', 'updated_at'), 'updated_at')
  assert.equal(nextSort('updated_at', 'updated_at'), '-updated_at')
})
