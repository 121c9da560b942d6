// Handshakes and frames to the byte.
import assert from "node:assert/strict";
import { test, until } from "../lib/suite.mjs";
import { raw, refusal, server, start } from "./harness.mjs";

const v2 = "/socket/websocket?vsn=2.0.0";
const token = `base64url.bearer.phx.${Buffer.from("secret token?>").toString("base64").replaceAll("=", "")}`;

test("handshake: versions", async () => {
  const { ws } = await server("server");
  for (const query of ["", "?vsn=1.0.0", "?vsn=2.0.0", "?vsn=2.1.0"]) {
    assert.equal(await refusal(`${ws}/socket/websocket${query}`), "accepted", query);
  }
  for (const query of ["?vsn=0.9.0", "?vsn=3.0.0", "?vsn=nonsense", "?vsn=", "?vsn%5Ba%5D=2.0.0"]) {
    assert.equal(await refusal(`${ws}/socket/websocket${query}`), "status 403", query);
  }
});

test("handshake: origins", async () => {
  const { ws, port } = await server("server");
  assert.equal(await refusal(ws + v2, [], { origin: `http://127.0.0.1:${port}` }), "accepted");
  // A development server at another port, and TLS that a proxy takes off.
  assert.equal(await refusal(ws + v2, [], { origin: "http://127.0.0.1:5173" }), "accepted");
  assert.equal(await refusal(ws + v2, [], { origin: "https://127.0.0.1" }), "accepted");
  assert.equal(await refusal(ws + v2, [], { origin: "https://friend.example" }), "accepted");
  assert.equal(await refusal(ws + v2, [], { origin: "http://friend.example" }), "status 403");
  assert.equal(await refusal(ws + v2, [], { origin: "https://friend.example:8443" }), "status 403");
  assert.equal(await refusal(ws + v2, [], { origin: "https://evil.example" }), "status 403");
  assert.equal(await refusal(ws + v2, [], { origin: "null" }), "status 403");
  // So it is with sockets that are no channels.
  assert.equal(await refusal(`${ws}/echo`, [], { origin: "https://evil.example" }), "status 403");
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
  for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD"]) {
    assert.equal((await fetch(http + v2, { method })).status, 400, method);
  }
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

test("frames: a crash, an answer before its close, too many channels", async () => {
  const { ws } = await server("server");
  const socket = await raw(`${ws}/small/websocket?vsn=2.0.0`);
  const exchange = [
    ['["1","1","echo:a","phx_join",{}]', /^\["1","1","echo:a","phx_reply",\{"status":"ok","response":/],
    ['["1","2","echo:a","crash",{}]', '["1","1","echo:a","phx_error",{"reason":"channel_crash"}]'],
    ['["3","3","echo:a","phx_join",{}]', /^\["3","3","echo:a","phx_reply",\{"status":"ok"/],
    ['["3","4","echo:a","stop",{}]', '["3","4","echo:a","phx_reply",{"status":"ok","response":{"bye":true}}]',
      '["3","3","echo:a","phx_close",{}]'],
    ['["5","5","echo:boom","phx_join",{}]', '["5","5","echo:boom","phx_reply",{"status":"error","response":{"reason":"join crashed"}}]'],
    ['["6","6","nowhere","phx_join",{}]', '[null,"6","nowhere","phx_reply",{"status":"error","response":{"reason":"unmatched topic"}}]'],
    ['[null,"7","echo:b","phx_join",{}]', /^\["7","7","echo:b","phx_reply",\{"status":"ok"/],
    ['["8","8","echo:c","phx_join",{}]', /^\["8","8","echo:c","phx_reply",\{"status":"ok"/],
    ['["9","9","echo:d","phx_join",{}]', /^\["9","9","echo:d","phx_reply",\{"status":"ok"/],
    ['["10","10","echo:e","phx_join",{}]', '["10","10","echo:e","phx_reply",{"status":"error","response":{"reason":"too many channels joined"}}]'],
  ];
  for (const [sent, ...expected] of exchange) {
    socket.send(sent);
    for (const frame of expected) {
      const came = await socket.next();
      frame instanceof RegExp ? assert.match(came, frame) : assert.equal(came, frame);
    }
  }
  socket.close();
});

test("frames: version one to the byte", async () => {
  const { ws } = await server("hello");
  const socket = await raw(`${ws}/socket/websocket`);
  const object = (topic, event, payload, ref) => JSON.stringify({ topic, event, payload, ref });
  const reply = (topic, ref, response = {}) => object(topic, "phx_reply", { status: "ok", response }, ref);
  const exchange = [
    [object("phoenix", "heartbeat", {}, "7"), reply("phoenix", "7")],
    [object("room:a", "phx_join", {}, "1"), reply("room:a", "1")],
    [object("room:a", "echo", { n: [1] }, "2"), reply("room:a", "2", { n: [1] })],
    [object("room:a", "shout", { a: 1 }, null), object("room:a", "shout", { a: 1 }, null)],
    [object("room:a", "phx_leave", {}, "4"), reply("room:a", "4"), object("room:a", "phx_close", {}, "1")],
  ];
  for (const [sent, ...expected] of exchange) {
    socket.send(sent);
    for (const frame of expected) assert.equal(await socket.next(), frame);
  }
  socket.send('["1","1","room:a","phx_join",{}]');
  assert.equal((await socket.closed)[0], 1011);
});

test("frames: garbage closes with 1011", async () => {
  const { ws } = await server("hello");
  for (const garbage of ["no json", "[]", '{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"1"}',
    '["1","1","a","b"]', '["1","1","room:a","phx_join",{"a":1 "a":2}]', '[1,1,"room:a","phx_join",{}]', Buffer.from([9, 9, 9])]) {
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
  const { output } = await server("server");
  await until("the log names the setting", () => /"?longer than the socket takes.*max_message/.test(output()));
  const silent = await raw(`${ws}/brief/websocket?vsn=2.0.0`);
  const began = Date.now();
  await silent.closed;
  assert.ok(Date.now() - began >= 900, "closed too early");
});

test("frames: a server that stops closes with 1012", async () => {
  const program = await start("hello");
  // So many that every shard has some.
  const sockets = await Promise.all(Array.from({ length: 200 }, () => raw(program.ws + v2)));
  await program.stop();
  for (const socket of sockets) assert.equal((await socket.closed)[0], 1012);
});
