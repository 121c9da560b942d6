import assert from 'node:assert/strict'
import { test } from 'node:test'
import { previewCsv } from './csv-preview.ts'

test('quotes, doubled quotes and line breaks inside a cell', () => {
  const preview = previewCsv('\uFEFFTag,"Full ""name"""\r\nA-1,"two\nlines, one cell"\r\nA-2,x', 3)
  assert.deepEqual(preview, { header: ['Tag', 'Full "name"'], rows: [['A-1', 'two\nlines, one cell'], ['A-2', 'x']] })
})

test('semicolons are recognised and the row limit holds', () => {
  assert.deepEqual(previewCsv('a;b\n1;2\n3;4\n5;6\n', 2), { header: ['a', 'b'], rows: [['1', '2'], ['3', '4']] })
})
