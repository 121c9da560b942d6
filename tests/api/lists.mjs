// Lists: paging, search, filters, order; employees, activity, summary, health.
import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { created, server } from "../lib/assetronics.mjs";
import { test } from "../lib/suite.mjs";
import { api, assertErrors, assertStatus, employee, instant } from "./expect.mjs";

const word = `needle${process.pid}`;
let made;
/// Twelve assets that a search finds, made once.
function twelve() {
  made ??= (async () => {
    const call = await api();
    const list = [];
    for (let i = 0; i < 12; ++i) {
      list.push(await created(call, {
        name: `${word} ${String(i).padStart(2, "0")}`,
        cost: i * 100,
        status: ["in_stock", "in_repair", "retired"][i % 3],
        category: i % 2 ? "laptop" : "phone",
        purchase_date: `2025-01-${String(i + 1).padStart(2, "0")}`,
      }));
    }
    return list;
  })();
  return made;
}
const names = ({ data }) => data.map(({ name }) => Number(name.split(" ")[1]));

test("lists come in pages", async () => {
  await twelve();
  const call = await api();
  const page = assertStatus(await call("GET", `/assets?q=${word}&page=2&page_size=5&sort=name`), 200);
  assert.deepEqual(page.meta, { page: 2, page_size: 5, total: 12, total_pages: 3 });
  assert.deepEqual(names(page), [5, 6, 7, 8, 9]);
  assert.deepEqual((await call("GET", `/assets?q=${word}&page=4&page_size=5`)).body.data, []);
  const plain = assertStatus(await call("GET", "/assets"), 200);
  assert.equal(plain.meta.page_size, 50);
  assert.ok(plain.data.length <= 50 && plain.meta.total >= 12);
  for (const bad of ["page=0", "page=-1", "page=x", "page_size=0", "page_size=101", "page_size=1e2", "page="]) {
    assertErrors(await call("GET", `/assets?${bad}`), 400);
  }
});

test("search looks in tag, name, serial, make, model and the holder's name, whatever the case", async () => {
  const call = await api();
  const asset = await created(call, { make: `Mk-${process.pid}`, model: "M 5%_", serial: `SN-${process.pid}` });
  for (const q of [asset.tag.toLowerCase(), `MK-${process.pid}`, `sn-${process.pid}`, asset.name, "m 5%_"]) {
    const found = assertStatus(await call("GET", `/assets?q=${encodeURIComponent(q)}`), 200);
    assert.ok(found.data.some(({ id }) => id === asset.id), q);
  }
  assert.equal((await call("GET", "/assets?q=5%25%25%25")).body.meta.total, 0);
  const holder = await employee(call);
  await call("POST", `/assets/${asset.id}/assign`, { employee_id: holder.id });
  const held = await call("GET", `/assets?q=${encodeURIComponent(holder.name)}&page_size=100`);
  assert.ok(held.body.data.some(({ id }) => id === asset.id));
});

test("filters compare by the field's type", async () => {
  await twelve();
  const call = await api();
  const cases = {
    "status=retired": [2, 5, 8, 11],
    "status=in_stock,in_repair&category=laptop": [1, 3, 7, 9],
    "cost[gte]=1000": [10, 11],
    "cost[gt]=1000": [11],
    "cost[lt]=200": [0, 1],
    "cost[lte]=200&cost[ne]=100": [0, 2],
    "cost[eq]=300": [3],
    "cost%5Bgte%5D=300&cost%5Blt%5D=500": [3, 4],
    "purchase_date[lt]=2025-01-03": [0, 1],
  };
  for (const [query, expected] of Object.entries(cases)) {
    const answer = await call("GET", `/assets?q=${word}&sort=name&${query}`);
    assert.deepEqual(names(assertStatus(answer, 200)), expected, query);
  }
  const [first] = await twelve();
  assert.deepEqual((await call("GET", `/assets?tag=${first.tag}`)).body.data, [first]);
});

test("sort by several fields, down with a minus", async () => {
  await twelve();
  const call = await api();
  const order = async (sort) => names(assertStatus(await call("GET", `/assets?q=${word}&sort=${sort}`), 200));
  assert.deepEqual(await order("-cost"), [11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
  const two = (await call("GET", `/assets?q=${word}&sort=-status,name`)).body.data.map(({ status }) => status);
  assert.deepEqual(two, [...two].sort().reverse());
  assert.deepEqual(await order("category,-name"), [11, 9, 7, 5, 3, 1, 10, 8, 6, 4, 2, 0]);
});

test("select leaves out the rest", async () => {
  const [first] = await twelve();
  const call = await api();
  const { data } = assertStatus(await call("GET", `/assets?tag=${first.tag}&select=id,tag`), 200);
  assert.deepEqual(data, [{ id: first.id, tag: first.tag }]);
  assertErrors(await call("GET", "/assets?select=id,tenant"), 400);
});

test("an unknown parameter, field, operator or value is an error and names it", async () => {
  const call = await api();
  for (const query of ["colour=red", "statuss=lost", "status=broken", "cost[gte]=much", "cost[like]=1", "cost[gte=1",
    "purchase_date[lt]=yesterday", "sort=colour", "sort=", "sort=-", "select=", "tenant=demo", "search=x", "id=7", "q=%ff", "q=%zz"]) {
    assertErrors(await call("GET", `/assets?${query}`), 400);
  }
  assertErrors(await call("GET", "/assets?colour=red"), 400, [["colour", "unknown"]]);
  for (const path of ["/summary?x=1", "/activity?limit=0", "/activity?limit=101", "/activity?x=1", "/employees?x=1", "/employees?page=0"]) {
    assertErrors(await call("GET", path), 400);
  }
});

test("employees are listed, searched and shown with what they have", async () => {
  const call = await api();
  const all = assertStatus(await call("GET", "/employees"), 200);
  assert.ok(all.meta.total > 10);
  const person = await employee(call);
  assert.deepEqual(Object.keys(person), ["id", "number", "name", "email", "title", "department", "location", "status",
    "asset_count", "inserted_at", "updated_at"]);
  const before = (await call("GET", `/employees/${person.id}`)).body.data.asset_count;
  const asset = await created(call);
  await call("POST", `/assets/${asset.id}/assign`, { employee_id: person.id });
  assert.equal((await call("GET", `/employees/${person.id}`)).body.data.asset_count, before + 1);
  const found = assertStatus(await call("GET", `/employees?q=${encodeURIComponent(person.name.toUpperCase())}`), 200);
  assert.ok(found.data.some(({ id }) => id === person.id));
  const left = assertStatus(await call("GET", "/employees?status=terminated"), 200);
  assert.ok(left.data.every(({ status }) => status === "terminated"));
});

test("the activity shows the newest first", async () => {
  const call = await api();
  const asset = await created(call);
  await call("DELETE", `/assets/${asset.id}`);
  const { data } = assertStatus(await call("GET", "/activity?limit=2"), 200);
  assert.deepEqual(data.map(({ type, asset_id }) => [type, asset_id]), [["deleted", asset.id], ["created", asset.id]]);
  assert.match(data[0].performed_at, instant);
  assert.deepEqual(Object.keys(data[0]), ["id", "type", "asset_id", "asset_tag", "asset_name", "employee_id",
    "employee_name", "from_status", "to_status", "description", "performed_by", "performed_at"]);
});

test("the summary counts what there is", async () => {
  const call = await api();
  const before = assertStatus(await call("GET", "/summary"), 200).data;
  const asset = await created(call, { cost: 12.34, status: "lost", category: "tablet" });
  const after = (await call("GET", "/summary")).body.data;
  assert.equal(after.total, before.total + 1);
  assert.equal(after.by_status.lost, before.by_status.lost + 1);
  assert.equal(after.by_category.tablet, before.by_category.tablet + 1);
  assert.equal(Math.round((after.value - before.value) * 100), 1234);
  assert.equal(Object.values(after.by_status).reduce((a, b) => a + b), after.total);
  assert.deepEqual(Object.keys(after.devices), ["green", "amber", "red"]);
  await call("DELETE", `/assets/${asset.id}`);
  assert.deepEqual((await call("GET", "/summary")).body.data.total, before.total);
});

test("answers of the API are compressed for those who take it, tokens are not", async () => {
  const here = await server();
  await twelve();
  const ask = async (path, coding, { method = "GET", body } = {}) => {
    const headers = { "accept-encoding": coding, "content-type": "application/json" };
    const [answer] = await once(request(`${here.http}/api/v1${path}`, { method, headers }).end(body), "response");
    const pieces = [];
    for await (const piece of answer) pieces.push(piece);
    return { answer, bytes: Buffer.concat(pieces) };
  };
  const path = `/assets?q=${word}`;
  const plain = await ask(path, "identity");
  assert.equal(plain.answer.headers["content-encoding"], undefined);
  for (const [coding, unpack] of [["br", brotliDecompressSync], ["gzip", gunzipSync]]) {
    const packed = await ask(path, coding);
    assert.equal(packed.answer.headers["content-encoding"], coding);
    assert.match(packed.answer.headers.vary, /accept-encoding/i);
    assert.ok(packed.bytes.length < plain.bytes.length / 2, `${packed.bytes.length} of ${plain.bytes.length}`);
    assert.deepEqual(unpack(packed.bytes), plain.bytes);
  }
  const devices = Array.from({ length: 20 }, (_, i) => ({ mac: `0c:00:00:00:00:${String(i + 10)}` }));
  const tokens = await ask("/devices/tokens", "br", { method: "POST", body: JSON.stringify({ devices }) });
  assert.equal(tokens.answer.statusCode, 201);
  assert.ok(tokens.bytes.length > 1024);
  assert.equal(tokens.answer.headers["content-encoding"], undefined);
});

test("health", async () => {
  const call = await api();
  assert.deepEqual(assertStatus(await call("GET", "/health"), 200), { status: "ok" });
});
