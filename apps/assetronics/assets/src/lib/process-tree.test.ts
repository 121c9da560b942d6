import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ProcessRow } from '../types.ts'
import { branchesOf, condition, missed, restarted, shortType, silence } from './process-tree.ts'

const row = (key: number, parent: number, position = 0, more: Partial<ProcessRow> = {}): ProcessRow => ({
  key, parent, position, id: `p${key}`, pid: `<0.${key}.1>`, name: '', type: 'X', strategy: '', state: 'running', activity: 'idle', restarts: 0,
  last_exit: '', mailbox: 0, bytes: 0, runs: 0, shard: 0, children: 0, answers: true, practice: false, guarded: '', started_at: null, retry_at: null,
  ...more,
})

test('the tree is walked by position, and what is collapsed hides what is below it', () => {
  const rows = [row(4, 2), row(3, 1, 1), row(2, 1, 0), row(1, 0), row(5, 3)]
  const said = (collapsed: number[]) => branchesOf(rows, new Set(collapsed)).map(({ row, level }) => `${level}:${row.key}`).join(' ')
  assert.equal(said([]), '1:1 2:2 3:4 2:3 3:5')
  assert.equal(said([2]), '1:1 2:2 2:3 3:5')
  assert.equal(said([1]), '1:1')
  assert.deepEqual(branchesOf(rows, new Set([2])).map((branch) => branch.hasChildren), [true, true, true, false])
  assert.deepEqual(branchesOf([], new Set()), [])
})

test('types are told without the namespaces that all have', () => {
  assert.equal(shortType('bennu::Supervisor'), 'Supervisor')
  assert.equal(shortType('bennu::net::HttpServer'), 'net::HttpServer')
  assert.equal(shortType('assetronics::ops::(anonymous namespace)::Counter'), 'ops::Counter')
  assert.equal(shortType('task'), 'task')
})

test('a running process without beats does not answer, and others say what they wait for', () => {
  assert.equal(silence([3, missed, 4, missed, missed]), 2)
  assert.equal(silence([missed, restarted]), 0)
  assert.equal(condition(row(1, 0), 0).tone, 'green')
  assert.equal(condition(row(1, 0), 4).text, 'no answer')
  assert.equal(condition(row(1, 0, 0, { state: 'waiting' }), 9).text, 'restarting')
  assert.equal(condition(row(1, 0, 0, { state: 'gave_up' }), 0).tone, 'red')
})
