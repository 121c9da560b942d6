// Sockets whose messages are compressed (permessage-deflate), where app and client want it.
import assert from "node:assert/strict";
import WebSocket from "ws";
import { test } from "../lib/suite.mjs";
import { Http2WebSocket } from "./http2_socket.mjs";
import { client, join, nextEvent, outcome, raw, server } from "./harness.mjs";

const path = "/squeezed/websocket?vsn=2.0.0";
// Not so much alike that it would grow more than `max_ratio` allows.
const list = Array.from({ length: 600 }, (_, n) => ({ id: n * 7919, name: `device ${(n * 104_729) % 10_007}`, status: "in use" }));
const payload = { list };
const size = JSON.stringify(payload).length;

/// npm `phoenix` over that transport, and the transport itself.
async function squeezed(ws, Transport, ...fields) {
  let socket;
  const transport = class extends Transport {
    constructor(url, protocols) {
      super(url, protocols, ...fields);
      socket = this;
    }
  };
  const channel = await join(await client(ws, { transport }, "/squeezed"), "echo:a");
  return { channel, socket };
}

test("compression: npm phoenix over ws", async () => {
  const { ws } = await server("server");
  const { channel, socket } = await squeezed(ws, WebSocket);
  assert.match(socket.extensions, /permessage-deflate/);
  const { bytesRead, bytesWritten } = socket._socket;
  assert.deepEqual(await outcome(channel.push("echo", payload)), ["ok", payload]);
  const read = socket._socket.bytesRead - bytesRead;
  const written = socket._socket.bytesWritten - bytesWritten;
  assert.ok(read < size / 2, `${read} bytes came`);
  assert.ok(written < size / 2, `${written} bytes went`);
  // Short ones, and broadcasts, go as they are.
  assert.deepEqual(await outcome(channel.push("echo", { a: 1 })), ["ok", { a: 1 }]);
  const other = (await squeezed(ws, WebSocket)).channel;
  const heard = nextEvent(other, "others");
  channel.push("others", payload);
  assert.deepEqual(await heard, payload);
});

test("compression: npm phoenix over a socket of Node's own", async () => {
  const { ws } = await server("server");
  if (!globalThis.WebSocket) throw new Error("this Node has no WebSocket: the suite runs with Node 22");
  const { channel, socket } = await squeezed(ws, globalThis.WebSocket);
  assert.match(socket.extensions, /permessage-deflate/);
  assert.deepEqual(await outcome(channel.push("echo", payload)), ["ok", payload]);
});

test("compression: npm phoenix over HTTP/2", async () => {
  const { ws } = await server("server");
  const { channel, socket } = await squeezed(ws, Http2WebSocket, { "sec-websocket-extensions": "permessage-deflate" });
  assert.match(socket.headers["sec-websocket-extensions"], /permessage-deflate/);
  assert.deepEqual(await outcome(channel.push("echo", payload)), ["ok", payload]);
  assert.ok(socket.inflated >= 1);
});

test("compression: none for a client that does not offer it, and none unless the app says so", async () => {
  const { ws } = await server("server");
  const plain = await raw(ws + path, [], { perMessageDeflate: false });
  assert.equal(plain.extensions, "");
  plain.close();
  const other = await raw(`${ws}/socket/websocket?vsn=2.0.0`);
  assert.equal(other.extensions, "");
  other.close();
});

test("compression: the limit counts what a message is inflated to", async () => {
  const { ws } = await server("server");
  for (const text of ["x".repeat(70_000), "x".repeat(60_000)]) {
    const socket = await raw(ws + path, [], { perMessageDeflate: { threshold: 0 } });
    socket.send(JSON.stringify(["1", "1", "echo:a", "phx_join", { text }]));
    // The second is short enough, but grew too much to be trusted.
    assert.equal((await socket.closed)[0], 1009, String(text.length));
  }
});
