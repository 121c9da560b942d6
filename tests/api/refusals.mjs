// Requests that are wrong as requests: methods, types, sizes, broken text, garbage on the port.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { once } from "node:events";
import { created, fields, server } from "../lib/assetronics.mjs";
import { test, within } from "../lib/suite.mjs";
import { api, assertErrors, assertStatus } from "./expect.mjs";

/// Sends bytes and yields all that comes back until the server closes.
async function exchange(bytes, { end = false } = {}) {
  const { port } = await server();
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  const parts = [];
  socket.on("data", (data) => parts.push(data));
  socket.on("error", () => {});
  socket.write(bytes);
  if (end) socket.end();
  await within(20_000, "the server to close the connection", once(socket, "close"));
  return Buffer.concat(parts).toString("latin1");
}

test("unknown paths, wrong methods and HEAD", async () => {
  const call = await api();
  assertErrors(await call("GET", "/nothing"), 404);
  assertErrors(await call("GET", "/api/v2/assets"), 404);
  for (const [method, path, allowed] of [["PUT", "/assets", "POST"], ["POST", "/summary", "GET"], ["DELETE", "/activity", "GET"],
    ["GET", "/imports", "POST"], ["PATCH", "/employees", "GET"]]) {
    const answer = await call(method, path);
    assertErrors(answer, 405);
    assert.ok(answer.headers.get("allow").split(", ").includes(allowed), answer.headers.get("allow"));
  }
  const asset = await created(call);
  const full = await call("GET", `/assets/${asset.id}`);
  const head = await call("HEAD", `/assets/${asset.id}`);
  assert.deepEqual([head.status, head.text], [200, ""]);
  assert.equal(head.headers.get("content-length"), full.headers.get("content-length"));
});

test("bodies that are not JSON", async () => {
  const call = await api();
  for (const text of ["{", "{\"asset\": }", "nope", "[1,]", "{\"asset\": {\"tag\": \"a\"}} x", "\"\\ud8\"", "[".repeat(10_000), ""]) {
    const answer = await call("POST", "/assets", text);
    text === "" ? assertErrors(answer, 422, [["asset", "required"]]) : assertErrors(answer, 400);
  }
  // Half a surrogate pair is JSON, if no object.
  assertErrors(await call("POST", "/assets", "\"\\ud800\""), 422);
  const broken = new Uint8Array([...Buffer.from('{"asset": {"tag": "x", "name": "'), 0xff, 0xfe, ...Buffer.from('"}}')]);
  assertErrors(await call("POST", "/assets", broken), 400);
  assertErrors(await call("POST", "/assets", "tag=x&name=y", { "content-type": "application/x-www-form-urlencoded" }), 415);
  assertErrors(await call("POST", "/assets", "<a/>", { "content-type": "application/xml" }), 415);
  assertStatus(await call("POST", "/assets", JSON.stringify({ asset: fields() }), { "content-type": "application/json; charset=utf-8" }), 201);
});

test("bodies that are too large", async () => {
  const call = await api();
  const asset = await created(call);
  const large = JSON.stringify({ asset: { notes: "x".repeat(9 << 20) } });
  assertErrors(await call("PATCH", `/assets/${asset.id}`, large), 413);
  const answer = await exchange("POST /api/v1/assets HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 99999999999\r\n\r\n{");
  assert.match(answer, /^HTTP\/1\.1 413 /);
  assertStatus(await call("GET", `/assets/${asset.id}`), 200);
});

test("garbage on the port is answered or closed, and disturbs nobody", async () => {
  const call = await api();
  const before = await (await server()).node();
  const garbage = [
    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "GET\r\n\r\n", "\0\0\0\0\r\n\r\n", "GET / HTTP/9.9\r\nhost: x\r\n\r\n",
    "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n", `GET /${"a".repeat(100_000)} HTTP/1.1\r\nhost: x\r\n\r\n`,
    `GET / HTTP/1.1\r\nhost: x\r\n${"a: b\r\n".repeat(5000)}\r\n`, "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
    "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", "GET / HTTP/1.1\r\nhost : x\r\n\r\n",
    "GET /api/v1/assets HTTP/1.1\r\nhost: x\r\n bad: fold\r\n\r\n",
  ];
  for (const bytes of garbage) {
    const answer = await exchange(Buffer.from(bytes, "latin1"), { end: true });
    assert.match(answer, /^$|^HTTP\/1\.1 [45]\d\d /, JSON.stringify(bytes.slice(0, 60)));
  }
  let state = 12345;
  for (let round = 0; round < 30; ++round) {
    const bytes = Buffer.from(Array.from({ length: 400 }, () => (state = (state * 1103515245 + 12345) & 0x7fffffff) >> 16 & 255));
    await exchange(bytes, { end: true });
  }
  assertStatus(await call("GET", "/health"), 200);
  assert.equal(await (await server()).node(), before, "the node is the same process");
});

test("requests on one connection are answered in order", async () => {
  const one = "GET /api/v1/health HTTP/1.1\r\nhost: localhost\r\n\r\n";
  const two = "GET /api/v1/nothing HTTP/1.1\r\nhost: localhost\r\n\r\n";
  const last = "GET /api/v1/health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
  const answer = await exchange(one + two + one + last);
  assert.deepEqual(answer.match(/HTTP\/1\.1 \d+/g).map((line) => line.slice(9)), ["200", "404", "200", "200"]);
});

// proves 0.13, 1.5, 2.12
test("pages carry the headers of the house", async () => {
  const { http } = await server();
  const start = await fetch(http, { redirect: "manual" });
  assert.equal(start.headers.get("location"), "/t/demo/assets");
  const page = await fetch(`${http}/t/demo/monitor`, { headers: { accept: "text/html" } });
  assert.equal(page.status, 200);
  assert.match(page.headers.get("content-type"), /^text\/html/);
  assert.match(page.headers.get("content-security-policy"), /default-src 'self'/);
  assert.equal(page.headers.get("x-content-type-options"), "nosniff");
  const html = await page.text();
  assert.doesNotMatch(html, /<script(?![^>]*\ssrc=)[^>]*>/, "no inline script");
  for (const [, path] of html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)) {
    const file = await fetch(http + path);
    assert.equal(file.status, 200, path);
    assert.match(file.headers.get("cache-control"), /immutable/, path);
    const again = await fetch(http + path, { headers: { "if-none-match": file.headers.get("etag") } });
    assert.equal(again.status, 304, path);
  }
  assert.equal((await fetch(`${http}/assets/nothing.js`)).status, 404);
  assert.equal((await fetch(`${http}/healthz`)).status, 200);
  assert.equal((await fetch(`${http}/readyz`)).status, 200);
});
