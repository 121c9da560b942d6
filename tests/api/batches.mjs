// Many at once: what is good goes in, what is not is told item by item.
import assert from "node:assert/strict";
import { created, fields } from "../lib/assetronics.mjs";
import { test } from "../lib/suite.mjs";
import { api, assertErrors, assertStatus, nowhere } from "./expect.mjs";

// proves 0.15
test("batches of new assets: 201, 206, 422", async () => {
  const call = await api();
  const all = assertStatus(await call("POST", "/assets", { assets: [fields(), fields(), fields()] }), 201);
  assert.equal(all.data.length, 3);

  const good = fields();
  const twin = { ...fields(), tag: good.tag };
  const some = assertStatus(await call("POST", "/assets", { assets: [fields({ cost: -1 }), good, twin, fields({ a: 1, status: "x" })] }), 206);
  assert.deepEqual([some.success_count, some.fail_count], [1, 3]);
  assert.deepEqual(some.data.map(({ tag }) => tag), [good.tag]);
  const told = some.errors.map(({ index, field }) => `${index} ${field}`).sort();
  assert.deepEqual(told, ["0 cost", "2 tag", "3 a", "3 status"]);

  const none = await call("POST", "/assets", { assets: [{}, 7, good] });
  assertErrors(none, 422);
  assert.deepEqual([...new Set(none.body.errors.map(({ index }) => index))].sort(), [0, 1, 2]);
});

test("batches of changes: 200, 206, 422, 400", async () => {
  const call = await api();
  const [a, b] = [await created(call), await created(call)];
  const both = assertStatus(await call("PATCH", "/assets", { assets: [{ id: a.id, name: "A" }, { id: b.id, name: "B" }] }), 200);
  assert.deepEqual(both.data.map(({ name }) => name), ["A", "B"]);
  const some = assertStatus(await call("PATCH", "/assets", { assets: [{ id: nowhere, name: "x" }, { id: a.id, name: "" }, { id: b.id, name: "BB" }] }), 206);
  assert.deepEqual([some.success_count, some.fail_count], [1, 2]);
  assert.deepEqual([...new Set(some.errors.map(({ index }) => index))].sort(), [0, 1]);
  assert.equal((await call("GET", `/assets/${a.id}`)).body.data.name, "A");
  assertErrors(await call("PATCH", "/assets", { assets: [{ id: a.id, tag: b.tag }] }), 422);
  assertErrors(await call("PATCH", "/assets", { assets: [{ name: "no id" }] }), 422);
  assertErrors(await call("PATCH", "/assets", { assets: [{ id: "7", name: "x" }, { id: a.id, name: "y" }] }), 400);
});

test("batches of deletions: 200, 206, 404, 400", async () => {
  const call = await api();
  const [a, b, c] = [await created(call), await created(call), await created(call)];
  const two = assertStatus(await call("DELETE", "/assets", { ids: [a.id, b.id] }), 200);
  assert.deepEqual([two.success_count, two.fail_count, [...two.data].sort()], [2, 0, [a.id, b.id].sort()]);
  assertErrors(await call("DELETE", "/assets", { ids: [c.id, "7"] }), 400);
  assertStatus(await call("GET", `/assets/${c.id}`), 200);
  const one = assertStatus(await call("DELETE", "/assets", { ids: [a.id, c.id] }), 206);
  assert.deepEqual([one.success_count, one.fail_count, one.data], [1, 1, [c.id]]);
  assertErrors(await call("DELETE", "/assets", { ids: [a.id, nowhere] }), 404);
  assertErrors(await call("DELETE", "/assets", { ids: [] }), 422);
  assertErrors(await call("DELETE", "/assets", {}), 422);
});

test("a batch must be a list with something in it", async () => {
  const call = await api();
  for (const body of [{ assets: [] }, { assets: {} }, { assets: "x" }, { assets: [fields()], more: 1 }]) {
    assertErrors(await call("POST", "/assets", body), 422);
    assertErrors(await call("PATCH", "/assets", body), 422);
  }
});

test("a batch of 2,500 goes in as a whole, each with its history", async () => {
  const call = await api();
  const assets = Array.from({ length: 2500 }, () => fields({ make: "Batch" }));
  const began = Date.now();
  const { data } = assertStatus(await call("POST", "/assets", { assets }), 201);
  const took = Date.now() - began;
  assert.deepEqual(data.map(({ tag }) => tag), assets.map(({ tag }) => tag));
  const last = await call("GET", `/assets/${data[2499].id}/history`);
  assert.deepEqual(last.body.data.map(({ type }) => type), ["created"]);
  assertStatus(await call("DELETE", "/assets", { ids: data.map(({ id }) => id) }), 200);
  return `${took} ms`;
});
