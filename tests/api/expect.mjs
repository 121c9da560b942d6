// What all answers have in common.
import assert from "node:assert/strict";
import { apiOf, server } from "../lib/assetronics.mjs";

export async function api() {
  return apiOf(await server());
}

export const nowhere = "019b0000-0000-7000-8000-000000000000";
export const uuid7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
export const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/// The answer is that error, with these `[field, code]` (in any order), each with a message for people.
export function assertErrors(answer, status, expected = undefined) {
  assert.equal(answer.status, status, `${answer.status} ${answer.text}`);
  assert.match(answer.headers.get("content-type"), /^application\/json/);
  assert.ok(answer.body.errors.length > 0, answer.text);
  for (const error of answer.body.errors) {
    assert.ok(Object.hasOwn(error, "field"), answer.text);
    assert.equal(typeof error.code, "string", answer.text);
    assert.ok(error.message.length > 3, answer.text);
  }
  if (!expected) return;
  const found = answer.body.errors.map(({ field, code }) => `${field} ${code}`).sort();
  assert.deepEqual(found, expected.map(([field, code]) => `${field} ${code}`).sort(), answer.text);
}

export function assertStatus(answer, status) {
  assert.equal(answer.status, status, `${answer.status} ${answer.text.slice(0, 500)}`);
  return answer.body;
}

export async function employee(call, status = "active") {
  const { body } = await call("GET", `/employees?status=${status}&page_size=1`);
  assert.equal(body.data.length, 1, `the demo company has somebody who is ${status}`);
  return body.data[0];
}
