// The same sockets over HTTP/2 (RFC 8441): Node's http2 below, npm `phoenix` on top.
import assert from "node:assert/strict";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { connection, handshake, Http2WebSocket } from "./http2_socket.mjs";
import { test, within } from "../lib/suite.mjs";
import { client, join, nextEvent, outcome, patience, server, start } from "./harness.mjs";

const http2 = { transport: Http2WebSocket };
const path = "/socket/websocket?vsn=2.0.0";

/// A bare socket with what came in, in order.
async function raw(base, target = path, protocols = [], fields = {}) {
  const socket = new Http2WebSocket(base + target, protocols, fields);
  const frames = [];
  const waiting = [];
  socket.onmessage = ({ data }) => {
    const frame = typeof data === "string" ? data : Buffer.from(data).toString("hex");
    waiting.length > 0 ? waiting.shift()(frame) : frames.push(frame);
  };
  socket.next = () =>
    frames.length > 0
      ? Promise.resolve(frames.shift())
      : within(patience, "a frame", new Promise((resolve) => waiting.push(resolve)));
  socket.closed = new Promise((resolve) => (socket.onclose = ({ code }) => resolve(code)));
  await within(patience, "the handshake", new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = ({ error }) => reject(error);
  }));
  return socket;
}

/// The answer to a handshake that is not accepted: [status, headers].
async function refusal(origin, fields) {
  const session = await connection(origin);
  const stream = session.request(fields);
  stream.on("error", () => {});
  stream.resume();
  const [headers] = await within(patience, "an answer", once(stream, "response"));
  stream.close();
  return [headers[":status"], headers];
}

test("http2: a message of five megabytes, and another", async () => {
  const { ws } = await server("server");
  const socket = await client(ws, http2);
  const closes = [];
  socket.onClose((event) => closes.push(event.code));
  const channel = await join(socket, "echo:large");
  for (let n = 0; n < 2; n += 1) {
    const large = nextEvent(channel, "large");
    channel.push("large", { bytes: 5_000_000 });
    assert.equal((await large).text.length, 5_000_000);
  }
  assert.deepEqual(closes, []);
});

test("http2: connect, join, echo, leave", async () => {
  const { ws } = await server("hello");
  const room = await join(await client(ws, http2), "room:lobby");
  for (const payload of [{}, { n: [1, 2.5, null, "ü\u2028🦅"] }, { text: "x".repeat(60_000) }]) {
    assert.deepEqual(await outcome(room.push("echo", payload)), ["ok", payload]);
  }
  assert.deepEqual(await outcome(room.leave()), ["ok", {}]);
});

test("http2: a broadcast reaches sockets of one connection, of another, and of HTTP/1.1", async () => {
  const { ws } = await server("hello");
  const rooms = await Promise.all(
    [http2, http2, {}].map(async (options) => join(await client(ws, options), "room:both")));
  const heard = rooms.map((room) => nextEvent(room, "shout"));
  rooms[2].push("shout", { text: "hello" });
  assert.deepEqual(await Promise.all(heard), Array(3).fill({ text: "hello" }));
});

test("http2: fifty sockets and requests on one connection", async () => {
  const { http, ws } = await server("hello");
  const rooms = await Promise.all(Array.from({ length: 50 }, async () => join(await client(ws, http2), "room:many")));
  const heard = rooms.map((room) => nextEvent(room, "shout"));
  rooms[0].push("shout", { n: 1 });
  assert.equal((await Promise.all(heard)).length, 50);
  const session = await connection(http);
  const [status] = await refusal(http, { ":path": "/json" });
  assert.equal(status, 200);
  assert.equal(session.destroyed, false);
});

test("http2: binary frames and a crash, byte for byte", async () => {
  const { ws } = await server("server");
  const socket = await raw(ws, path, ["phoenix"]);
  const text = (s) => Buffer.from(s).toString("hex");
  assert.equal(socket.protocol, "phoenix");
  socket.send('["1","1","echo:a","phx_join",{}]');
  await socket.next();
  socket.send(Buffer.from(`0001010604${text("13echo:aecho")}0708`, "hex"));
  assert.equal(await socket.next(), `0101010602${text("13echo:aok")}0708`);
  socket.send('["1","2","echo:a","crash",{}]');
  assert.equal(await socket.next(), '["1","1","echo:a","phx_error",{"reason":"channel_crash"}]');
  socket.close();
  assert.equal(await within(patience, "the close", socket.closed), 1000);
});

test("http2: messages of a megabyte", async () => {
  const { ws } = await server("server");
  const socket = await raw(ws, "/echo");
  const big = "0123456789abcdef".repeat(65_536);
  socket.send(big);
  assert.equal(await socket.next(), big);
  socket.close();
});

test("http2: the session, to pages that know its token", async () => {
  const { http, ws } = await server("server");
  const response = await fetch(`${http}/page`);
  const cookie = response.headers.getSetCookie().map((field) => field.split(";")[0]).join("; ");
  const { csrf } = await response.json();
  const rows = [
    [cookie, csrf, { user: "ada" }],
    [cookie, "nonsense", null],
    [undefined, csrf, null],
  ];
  for (const [sent, token, expected] of rows) {
    const target = `/private/websocket?_csrf_token=${encodeURIComponent(token)}&vsn=2.0.0`;
    const socket = await raw(ws, target, [], sent ? { cookie: sent } : {});
    socket.send('["1","1","echo:a","phx_join",{}]');
    assert.deepEqual(JSON.parse(await socket.next())[4].response.assigns.session, expected);
    socket.close();
  }
});

test("http2: refusals", async () => {
  const { http } = await server("server");
  const rows = [
    [handshake(path, { origin: "https://evil.example" }), 403],
    [handshake("/echo", { origin: "https://evil.example" }), 403],
    [handshake(path, { origin: "https://friend.example" }), 200],
    [handshake(path, { "sec-websocket-version": "8" }), 400],
    [handshake(path, { ":protocol": "connect-udp" }), 501],
    [handshake("/page"), 400],
    [handshake("/nowhere"), 404],
    [{ ":path": path }, 426],
  ];
  for (const [fields, expected] of rows) {
    const [status, headers] = await refusal(http, fields);
    assert.equal(status, expected, JSON.stringify(fields));
    if (fields["sec-websocket-version"] === "8") assert.equal(headers["sec-websocket-version"], "13");
  }
});

test("http2: early hints come before the answer, while that is being made", async () => {
  const { http } = await server("server");
  const session = await connection(http);
  // The action computes until this is there: a client that had the hints with the answer only would not make it.
  const had = `${tmpdir()}/bennu-hints-${process.pid}`;
  const stream = session.request({ ":path": `/hinted?until=${encodeURIComponent(had)}` });
  const hints = [];
  stream.on("headers", (headers) => hints.push([headers[":status"], headers.link]) === 2 && writeFileSync(had, ""));
  const [headers] = await within(patience, "an answer", once(stream, "response"));
  assert.equal(headers[":status"], 200);
  assert.equal(headers.link, undefined);
  assert.deepEqual(hints, [
    [103, "</app.css>; rel=preload; as=style"],
    [103, "</app.js>; rel=preload, </logo.svg>; rel=preload"],
  ]);
  stream.setEncoding("utf8");
  let body = "";
  for await (const piece of stream) body += piece;
  rmSync(had, { force: true });
  assert.equal(body, "page");
});

test("http2: a server that stops closes with 1012", async () => {
  const program = await start("hello");
  const sockets = await Promise.all(Array.from({ length: 20 }, () => raw(program.ws)));
  await program.stop();
  for (const socket of sockets) assert.equal(await within(patience, "the close", socket.closed), 1012);
});
