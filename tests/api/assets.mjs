// One asset: its whole life, and everything that is refused.
import assert from "node:assert/strict";
import { created, fields } from "../lib/assetronics.mjs";
import { test } from "../lib/suite.mjs";
import { api, assertErrors, assertStatus, instant, nowhere, uuid7 } from "./expect.mjs";

const everything = {
  description: "With the <b>good</b> keyboard\nand a 🦅",
  category: "laptop",
  status: "in_repair",
  condition: "fair",
  make: "Lenovo",
  model: "T14 Gen 5",
  serial: "PF-4X1Z9",
  purchase_date: "2025-02-28",
  cost: 1299.5,
  vendor: "Bechtle",
  location: "Berlin / 3rd floor",
  warranty_end: "2028-02-28",
  notes: "“quoted”, ümläut, \\ backslash",
};

// proves 1.6, 3.10
test("an asset is created with every field, shown, changed and deleted", async () => {
  const call = await api();
  const given = fields(everything);
  const { data } = assertStatus(await call("POST", "/assets", { asset: given }), 201);
  for (const [name, value] of Object.entries(given)) assert.deepEqual(data[name], value, name);
  assert.match(data.id, uuid7);
  assert.match(data.inserted_at, instant);
  assert.match(data.updated_at, instant);
  assert.equal(data.employee_id, null);
  assert.deepEqual(Object.keys(data), [
    "id", "tag", "name", "description", "category", "status", "condition", "make", "model", "serial", "purchase_date",
    "cost", "vendor", "location", "warranty_end", "employee_id", "employee_name", "assigned_at", "assignment_type",
    "expected_return", "notes", "inserted_at", "updated_at",
  ]);
  assert.deepEqual(assertStatus(await call("GET", `/assets/${data.id}`), 200).data, data);

  const patched = assertStatus(await call("PATCH", `/assets/${data.id}`, { asset: { name: "Renamed", cost: null } }), 200);
  assert.equal(patched.data.name, "Renamed");
  assert.equal(patched.data.cost, null);
  assert.equal(patched.data.serial, given.serial);
  assert.ok(patched.data.updated_at >= data.updated_at);
  const put = assertStatus(await call("PUT", `/assets/${data.id}`, { asset: { status: "in_stock" } }), 200);
  assert.equal(put.data.status, "in_stock");

  const history = assertStatus(await call("GET", `/assets/${data.id}/history`), 200);
  assert.deepEqual(history.data.map(({ type }) => type), ["status_change", "updated", "created"]);
  assert.equal(history.data[0].from_status, "in_repair");
  assert.equal(history.data[0].to_status, "in_stock");
  assert.equal(history.data[0].asset_tag, given.tag);
  assert.ok(history.data[0].performed_by);
  assert.match(history.data[0].performed_at, instant);

  const gone = await call("DELETE", `/assets/${data.id}`);
  assert.equal(gone.status, 204);
  assert.equal(gone.text, "");
  assertErrors(await call("GET", `/assets/${data.id}`), 404);
  assertErrors(await call("DELETE", `/assets/${data.id}`), 404);
  const after = assertStatus(await call("GET", `/assets/${data.id}/history`), 200);
  assert.equal(after.data[0].type, "deleted");
});

test("an asset needs a tag and a name; the rest has defaults", async () => {
  const call = await api();
  const { data } = assertStatus(await call("POST", "/assets", { asset: fields() }), 201);
  assert.deepEqual([data.category, data.status, data.condition, data.cost], ["other", "in_stock", "good", null]);
  assertErrors(await call("POST", "/assets", { asset: {} }), 422, [["tag", "required"], ["name", "required"]]);
  assertErrors(await call("POST", "/assets", { asset: fields({ tag: data.tag }) }), 422, [["tag", "taken"]]);
  const other = await created(call);
  assertErrors(await call("PATCH", `/assets/${other.id}`, { asset: { tag: data.tag } }), 422, [["tag", "taken"]]);
});

// proves 2.4
test("each invalid field is named, and nothing is written", async () => {
  const call = await api();
  const asset = await created(call);
  const refused = {
    tag: ["", "with space", "ü", "x".repeat(65), 7, null],
    name: ["", "   ", "x".repeat(201), null, ["a"], "bell\u0007"],
    description: ["x".repeat(2001), 1, {}],
    notes: ["x".repeat(2001), true],
    serial: ["x".repeat(201), 12],
    location: ["ü".repeat(201)],
    category: ["spaceship", 1, ""],
    status: ["assigned", "broken", null],
    condition: ["shiny"],
    cost: [-1, 100_000_000.01, "12,50", 1.005, "many", {}],
    purchase_date: ["2025-02-29", "28.02.2025", "2025-2-1", 20250228, "2025-02-28T00:00:00Z"],
    warranty_end: ["soon"],
  };
  for (const [name, values] of Object.entries(refused)) {
    for (const value of values) {
      for (const [method, path, given] of [
        ["POST", "/assets", fields({ [name]: value })],
        ["PATCH", `/assets/${asset.id}`, { [name]: value }],
      ]) {
        const answer = await call(method, path, { asset: given });
        const what = `${method} ${name} ${JSON.stringify(value)?.slice(0, 40)}`;
        assert.equal(answer.status, 422, `${what}: ${answer.status} ${answer.text}`);
        assert.ok(answer.body.errors.every(({ field }) => field === name), `${what}: ${answer.text}`);
      }
    }
  }
  assert.deepEqual((await call("GET", `/assets/${asset.id}`)).body.data, asset);
});

test("values at their limits are accepted", async () => {
  const call = await api();
  const long = fields({ name: "ü".repeat(200), notes: "🦅".repeat(500), cost: 100_000_000, purchase_date: "2024-02-29" });
  const { data } = assertStatus(await call("POST", "/assets", { asset: { ...long, tag: long.tag.padEnd(64, "._/-") } }), 201);
  assert.equal(data.name, long.name);
  assert.equal(data.notes, long.notes);
  assert.equal(data.cost, 100_000_000);
  for (const cost of [0, 0.1, 19.99, 1234567.89]) {
    assert.equal((await call("PATCH", `/assets/${data.id}`, { asset: { cost } })).body.data.cost, cost);
  }
});

test("changes of different fields at once all stay", async () => {
  const call = await api();
  const asset = await created(call);
  const changes = { name: "N", description: "D", make: "Ma", model: "Mo", serial: "S", vendor: "V", location: "L", notes: "No", cost: 7 };
  const answers = await Promise.all(Object.entries(changes).map(([field, value]) => call("PATCH", `/assets/${asset.id}`, { asset: { [field]: value } })));
  for (const answer of answers) assertStatus(answer, 200);
  const { data } = (await call("GET", `/assets/${asset.id}`)).body;
  for (const [field, value] of Object.entries(changes)) assert.equal(data[field], value, field);
});

test("unknown fields and fields that are not the client's are refused", async () => {
  const call = await api();
  const asset = await created(call);
  const own = ["id", "employee_id", "employee_name", "assigned_at", "inserted_at", "updated_at", "tenant", "search"];
  for (const name of ["colour", ...own]) {
    const given = { [name]: "x" };
    assertErrors(await call("POST", "/assets", { asset: fields(given) }), 422, [[name, "unknown"]]);
    assertErrors(await call("PATCH", `/assets/${asset.id}`, { asset: given }), 422, [[name, "unknown"]]);
  }
  assertErrors(await call("POST", "/assets", { asset: fields(), more: 1 }), 422, [["more", "unknown"]]);
  assertErrors(await call("POST", "/assets", {}), 422, [["asset", "required"]]);
  assertErrors(await call("POST", "/assets", { asset: [] }), 422, [["asset", "type"]]);
  assertErrors(await call("POST", "/assets", []), 422);
});

test("ids: a malformed one is 400, an unknown one 404", async () => {
  const call = await api();
  for (const [method, path, body] of [
    ["GET", "", undefined], ["PATCH", "", { asset: { name: "x" } }], ["DELETE", "", undefined], ["GET", "/history", undefined],
    ["POST", "/assign", { employee_id: nowhere }], ["POST", "/return", {}],
  ]) {
    for (const id of ["7", "019b0000-0000-7000-8000-00000000000g", "%00", "..%2f"]) {
      assertErrors(await call(method, `/assets/${id}${path}`, body), 400);
    }
    assertErrors(await call(method, `/assets/${nowhere}${path}`, body), 404);
  }
  assertErrors(await call("GET", "/employees/7"), 400);
  assertErrors(await call("GET", `/employees/${nowhere}`), 404);
  assertErrors(await call("GET", `/imports/${nowhere}`), 404);
  assertErrors(await call("GET", `/imports/${nowhere}/errors.csv`), 404);
  assertErrors(await call("GET", `/devices/${nowhere}`), 404);
});

test("scripts in every field come back as the text they are", async () => {
  const call = await api();
  const script = `<script>alert(1)</script>"'><img src=x onerror=alert(1)>`;
  const asset = await created(call, { name: script, description: script, make: script, model: script, serial: script,
    vendor: script, location: script, notes: script });
  const shown = await call("GET", `/assets/${asset.id}`);
  assert.equal(shown.headers.get("x-content-type-options"), "nosniff");
  for (const name of ["name", "description", "make", "serial", "notes"]) assert.equal(shown.body.data[name], script);
});

test("a tenant that does not exist has nothing", async () => {
  const call = await api();
  for (const [method, path, body] of [["GET", "/assets"], ["GET", "/summary"], ["GET", "/employees"], ["GET", "/activity"],
    ["GET", "/devices"], ["POST", "/assets", { asset: fields() }]]) {
    assertErrors(await call(method, path, body, { "x-tenant-id": "other" }), 404);
  }
  assertErrors(await call("GET", "/assets", undefined, { "x-tenant-id": "' OR 1=1" }), 404);
  assertStatus(await call("GET", "/assets", undefined, { "x-tenant-id": "demo" }), 200);
});
