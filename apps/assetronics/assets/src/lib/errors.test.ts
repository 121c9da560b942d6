import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ApiError, formErrors } from './errors.ts'

test('errors go to their fields, the rest to the form', () => {
  const error = new ApiError(422, [
    { field: 'tag', code: 'taken', message: 'has already been taken' },
    { field: 'tag', code: 'format', message: 'is malformed' },
    { field: 'colour', code: 'unknown', message: 'is not known' },
    { field: null, code: 'conflict', message: 'Somebody was faster.' },
  ])
  assert.deepEqual(formErrors(error, ['tag', 'name']), {
    fields: { tag: 'has already been taken' },
    general: 'colour: is not known Somebody was faster.',
  })
})

test('a failure without details still says something', () => {
  assert.match(formErrors(new ApiError(0, []), []).general ?? '', /cannot be reached/)
  assert.match(formErrors(new ApiError(503, []), []).general ?? '', /busy/)
})
