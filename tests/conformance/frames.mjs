// Handshakes and frames to the byte.
import assert from "node:assert/strict";
import { raw, refusal, server, test } from "./harness.mjs";

const v2 = "/socket/websocket?vsn=2.0.0";
const token = `base64url.bearer.phx.${Buffer.from("secret token?>").toString("base64").replaceAll("=", "")}`;

test("handshake: versions", async () => {
  const { ws } = await server("server");
  assert.equal(await refusal(`${ws}/socket/websocket?vsn=2.1.0`), "accepted");
  for (const query of ["", "?vsn=1.0.0", "?vsn=3.0.0", "?vsn=nonsense", "?vsn="]) {
    assert.equal(await refusal(`${ws}/socket/websocket${query}`), "status 403", query);
  }
});

test("handshake: origins", async () => {
  const { ws, port } = await server("server");
  assert.equal(await refusal(ws + v2, [], { origin: `http://127.0.0.1:${port}` }), "accepted");
  assert.equal(await refusal(ws + v2, [], { origin: "https://friend.example" }), "accepted");
  assert.equal(await refusal(ws + v2, [], { origin: "https://evil.example" }), "status 403");
  assert.equal(await refusal(ws + v2, [], { origin: "null" }), "status 403");
});

test("handshake: subprotocols and the auth token", async () => {
  const { ws } = await server("server");
  const socket = await raw(ws + v2, ["phoenix", token]);
  assert.equal(socket.protocol, "phoenix");
  socket.send('["1","1","echo:a","phx_join",{}]');
  const [, , , , payload] = JSON.parse(await socket.next());
  assert.equal(payload.response.assigns.token, "secret token?>");
  socket.close();
  assert.equal(await refusal(ws + v2, ["mqtt"]), "status 403");
});

test("handshake: a refused connect, a plain request, another method", async () => {
  const { ws, http } = await server("server");
  assert.equal(await refusal(`${ws}/socket/websocket?deny=yes&vsn=2.0.0`), "status 403");
  assert.ok([400, 426].includes((await fetch(http + v2)).status));
  assert.ok([400, 405].includes((await fetch(http + v2, { method: "POST" })).status));
});

test("handshake: nested parameters", async () => {
  const { ws } = await server("server");
  const socket = await raw(`${ws}/socket/websocket?a%5Bb%5D=c&list%5B%5D=x&list%5B%5D=y&vsn=2.0.0`);
  socket.send('["1","1","echo:a","phx_join",{}]');
  const [, , , , payload] = JSON.parse(await socket.next());
  assert.deepEqual(payload.response.assigns.params, { a: { b: "c" }, list: ["x", "y"], vsn: "2.0.0" });
  socket.close();
});

test("frames: heartbeat, join, reply, leave as text", async () => {
  const { ws } = await server("hello");
  const socket = await raw(ws + v2);
  const exchange = [
    ['[null,"7","phoenix","heartbeat",{}]', '[null,"7","phoenix","phx_reply",{"status":"ok","response":{}}]'],
    ['[null,"8","phoenix","x",{}]', '[null,"8","phoenix","phx_reply",{"status":"error","response":{"reason":"unmatched topic"}}]'],
    ['["1","1","room:a","phx_join",{}]', '["1","1","room:a","phx_reply",{"status":"ok","response":{}}]'],
    ['["1","2","room:a","echo",{"n":[1,"x"]}]', '["1","2","room:a","phx_reply",{"status":"ok","response":{"n":[1,"x"]}}]'],
    ['[null,"3","room:a","echo",5]', '["1","3","room:a","phx_reply",{"status":"ok","response":5}]'],
    ['["1",null,"room:a","shout",{"a":1}]', '[null,null,"room:a","shout",{"a":1}]'],
    ['["1","4","room:a","phx_leave",{}]', '["1","4","room:a","phx_reply",{"status":"ok","response":{}}]', '["1","1","room:a","phx_close",{}]'],
    ['["1","5","room:a","phx_leave",{}]', '["1","5","room:a","phx_reply",{"status":"ok","response":{}}]'],
    ['["2","6","room:a","echo",{}]', '[null,"6","room:a","phx_reply",{"status":"error","response":{"reason":"unmatched topic"}}]'],
  ];
  for (const [sent, ...expected] of exchange) {
    socket.send(sent);
    for (const frame of expected) assert.equal(await socket.next(), frame);
  }
  assert.equal(socket.pending(), 0);
  socket.close();
});

test("frames: a duplicate join closes the old channel under its own ref; stale refs are ignored", async () => {
  const { ws } = await server("hello");
  const socket = await raw(ws + v2);
  socket.send('["1","1","room:a","phx_join",{}]');
  await socket.next();
  socket.send('["9","9","room:a","phx_join",{}]');
  assert.equal(await socket.next(), '["1","1","room:a","phx_close",{}]');
  assert.equal(await socket.next(), '["9","9","room:a","phx_reply",{"status":"ok","response":{}}]');
  socket.send('["1","10","room:a","echo",{}]');
  socket.send('["9","11","room:a","echo",{}]');
  assert.equal(await socket.next(), '["9","11","room:a","phx_reply",{"status":"ok","response":{}}]');
  socket.close();
});

test("frames: binary, byte for byte", async () => {
  const { ws } = await server("server");
  const socket = await raw(ws + v2);
  const text = (s) => Buffer.from(s).toString("hex");
  socket.send('["1","1","echo:a","phx_join",{}]');
  await socket.next();
  socket.send(Buffer.from(`0001010604${text("13echo:aecho")}0708`, "hex"));
  assert.equal(await socket.next(), `0101010602${text("13echo:aok")}0708`);
  socket.send(Buffer.from(`0001010607${text("14echo:apushbin")}09`, "hex"));
  assert.equal(await socket.next(), `00010609${text("1echo:apushedbin")}09`);
  await socket.next();
  socket.send(Buffer.from(`0001010606${text("15echo:aallbin")}010203`, "hex"));
  assert.equal(await socket.next(), `020606${text("echo:aallbin")}010203`);
  socket.close();
});

test("frames: garbage closes with 1011", async () => {
  const { ws } = await server("hello");
  for (const garbage of ["no json", "[]", '{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"1"}',
    '["1","1","a","b"]', Buffer.from([9, 9, 9])]) {
    const socket = await raw(ws + v2);
    socket.send(garbage);
    assert.equal((await socket.closed)[0], 1011, String(garbage));
  }
});

test("frames: a message over the limit closes with 1009, silence with a close", async () => {
  const { ws } = await server("server");
  const big = await raw(`${ws}/small/websocket?vsn=2.0.0`);
  big.send(`["1","1","echo:a","phx_join",{"x":"${"x".repeat(1000)}"}]`);
  assert.equal((await big.closed)[0], 1009);
  const silent = await raw(`${ws}/small/websocket?vsn=2.0.0`);
  const began = Date.now();
  await silent.closed;
  assert.ok(Date.now() - began >= 900, "closed too early");
});
