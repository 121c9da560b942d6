// Long polling: every request of the protocol to the byte, and what npm phoenix makes of the answers.
import assert from "node:assert/strict";
import { LongPoll, Socket } from "phoenix";
import { test, took, until, within } from "../lib/suite.mjs";
import { client, join, nextEvent, outcome, patience, server, start } from "./harness.mjs";

const quick = { rejoinAfterMs: () => 20, reconnectAfterMs: () => 20 };

/// No less by the wall's clock, and no more by that of a machine that may have paused.
function assertTook(time, least, most) {
  const { wall, ran } = time();
  assert.ok(wall >= least && ran < most, `it took ${wall.toFixed(0)} ms, of them ${ran.toFixed(0)} ms without a pause`);
}

function poller(http, path = "/socket", query = "vsn=2.0.0") {
  let token = "";
  const url = () => `${http}${path}/longpoll?${query}&token=${token}`;
  const send = async (init) => {
    const response = await fetch(url(), init);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), "application/json");
    assert.equal(response.headers.get("cache-control"), "no-store");
    assert.equal(response.headers.get("access-control-allow-origin"), "*");
    return response.json();
  };
  return {
    url,
    send,
    use: (text) => (token = text),
    async poll(init = {}) {
      const answer = await send(init);
      if (answer.token) token = answer.token;
      return answer;
    },
    post: (frames, type = "application/x-ndjson") =>
      send({ method: "POST", headers: { "Content-Type": type }, body: [].concat(frames).join("\n") }),
  };
}

test("longpoll: open, publish, drain", async () => {
  const { http } = await server("hello");
  const one = poller(http);
  const opened = await one.poll();
  assert.deepEqual(Object.keys(opened), ["status", "token", "messages"]);
  assert.equal(opened.status, 410);
  assert.deepEqual(opened.messages, []);
  const posted = await one.post(['["1","1","room:p","phx_join",{}]', '["1","2","room:p","echo",{"n":"\\"é"}]']);
  assert.deepEqual(posted, { status: 200 });
  const drained = await one.poll();
  assert.deepEqual(drained, {
    status: 200,
    token: opened.token,
    messages: [
      '["1","1","room:p","phx_reply",{"status":"ok","response":{}}]',
      '["1","2","room:p","phx_reply",{"status":"ok","response":{"n":"\\"é"}}]',
    ],
  });
  const waiting = one.poll();
  assert.deepEqual(await one.post('["1",null,"room:p","shout",{"a":1}]', "text/plain"), { status: 200 });
  assert.deepEqual((await waiting).messages, ['[null,null,"room:p","shout",{"a":1}]']);
});

test("longpoll: binary frames go up as base64", async () => {
  const { http } = await server("server");
  const one = poller(http);
  await one.poll();
  const push = Buffer.from("\x00\x01\x01\x06\x0413echo:aecho\x07\x08", "latin1").toString("base64");
  assert.deepEqual(await one.post(['["1","1","echo:a","phx_join",{}]', push]), { status: 200 });
  const { messages } = await one.poll();
  assert.equal(messages[1], '["1","3","echo:a","phx_reply",{"status":"error","response":{"reason":"binary payloads need a WebSocket"}}]');
});

test("longpoll: an empty window, and a session that nobody polls", async () => {
  const { http } = await server("server");
  const one = poller(http, "/quick");
  await one.poll();
  const window = took();
  const empty = await one.poll();
  assert.equal(empty.status, 204);
  assert.deepEqual(empty.messages, []);
  assertTook(window, 950, 3000);
  // To post keeps no session.
  const heartbeat = '[null,"1","phoenix","heartbeat",{}]';
  await until("it is gone", async () => (await one.post(heartbeat)).status !== 200);
  assertTook(window, 2450, 10_000);
  assert.deepEqual(await one.post("[]"), { status: 410 });
  assert.equal((await one.poll()).status, 410);
});

test("longpoll: the default window is ten seconds", async () => {
  const { http } = await server("hello");
  const one = poller(http);
  await one.poll();
  const window = took();
  assert.equal((await one.poll()).status, 204);
  assertTook(window, 9900, 13_000);
});

test("longpoll: refusals are in the body", async () => {
  const { http } = await server("server");
  assert.deepEqual(await poller(http, "/socket", "vsn=2.0.0&deny=yes").poll(), { status: 403 });
  assert.deepEqual(await poller(http, "/socket", "vsn=3.0.0").poll(), { status: 403 });
  const one = poller(http);
  one.use("nonsense");
  assert.deepEqual(await one.post("[]"), { status: 410 });
  assert.equal((await one.poll()).status, 410);
  assert.deepEqual(await one.send({ headers: { origin: "https://evil.example" } }), { status: 403 });
  assert.equal((await one.poll({ headers: { origin: "https://friend.example" } })).status, 204);
  for (const garbage of ["no base64!", "[1]", '["1","1","a","b"]']) {
    const bad = poller(http);
    await bad.poll();
    assert.deepEqual(await bad.post(garbage), { status: 500 }, garbage);
    assert.equal((await bad.post("[]")).status, 410);
  }
  const small = poller(http, "/quick");
  await small.poll();
  for (const bytes of [10_001, 1_000_000]) assert.deepEqual(await small.post("x".repeat(bytes)), { status: 413 });
});

test("longpoll: preflights, and methods that are none of its", async () => {
  const { http } = await server("server");
  const headers = { origin: "https://friend.example", "access-control-request-headers": "content-type, x-a" };
  const preflight = await fetch(`${http}/socket/longpoll`, { method: "OPTIONS", headers });
  assert.equal(preflight.status, 200);
  assert.equal(preflight.headers.get("access-control-allow-origin"), "*");
  assert.equal(preflight.headers.get("access-control-allow-headers"), "content-type, x-a");
  assert.equal(preflight.headers.get("access-control-allow-methods"), "get, post, options");
  assert.equal(preflight.headers.get("access-control-max-age"), "3600");
  for (const method of ["PUT", "PATCH", "DELETE", "HEAD"]) {
    assert.equal((await fetch(`${http}/socket/longpoll`, { method })).status, 400, method);
  }
});

test("longpoll: tokens in headers", async () => {
  const { http } = await server("server");
  const url = `${http}/socket/longpoll?vsn=2.0.0`;
  const opened = await (await fetch(url, { headers: { "X-Phoenix-AuthToken": "t0ken" } })).json();
  const headers = { "x-phoenix-longpoll-token": opened.token };
  await fetch(url, { method: "POST", headers, body: '["1","1","echo:a","phx_join",{}]' });
  const { messages } = await (await fetch(url, { headers })).json();
  assert.equal(JSON.parse(messages[0])[4].response.assigns.token, "t0ken");
});

test("longpoll: a refused client stops", async () => {
  const { ws } = await server("server");
  const socket = new Socket(`${ws}/socket`, { transport: LongPoll, params: { deny: "yes" }, ...quick });
  const closed = new Promise((resolve) => socket.onClose(resolve));
  socket.connect();
  assert.equal((await within(patience, "the close", closed)).code, 1008);
  socket.disconnect();
});

test("longpoll: hundreds of pushes at once, in order", async () => {
  const { ws } = await server("server");
  const channel = await join(await client(ws, { transport: LongPoll }), "echo:many");
  const answers = await Promise.all(
    Array.from({ length: 350 }, (_, n) => outcome(channel.push("echo", { n })).then(([, { n: back }]) => back)));
  assert.deepEqual(answers, Array.from({ length: 350 }, (_, n) => n));
});

test("longpoll: answers of a megabyte and a half at once", async () => {
  const { ws } = await server("server");
  const socket = await client(ws, { transport: LongPoll, ...quick });
  const closes = [];
  socket.onClose((event) => closes.push(event.code));
  const channel = await join(socket, "echo:large");
  const text = "y".repeat(50_000);
  const answers = await Promise.all(Array.from({ length: 30 }, (_, n) => outcome(channel.push("echo", { n, text }))));
  assert.deepEqual(answers.map(([status, { n }]) => [status, n]), Array.from({ length: 30 }, (_, n) => ["ok", n]));
  assert.deepEqual(closes, []);
});

test("longpoll: a client whose session is gone begins anew and joins again", async () => {
  const { ws } = await server("server");
  const socket = await client(ws, { transport: LongPoll, ...quick }, "/quick");
  const channel = await join(socket, "echo:gone");
  const codes = [];
  socket.onClose((event) => codes.push(event.code));
  let rejoins = 0;
  channel.joinPush.receive("ok", () => (rejoins += 1));
  rejoins = 0;
  socket.conn.endpointURL = () => `${socket.conn.pollEndpoint}&token=nonsense`;
  await until("it is back", () => rejoins === 1);
  assert.ok(codes.includes(3410), String(codes));
});

test("longpoll: a WebSocket that does not open falls back", async () => {
  const { ws } = await server("server");
  class Broken {
    constructor() {
      setTimeout(() => this.onerror?.(new Error("blocked")), 5);
    }
    close() {}
  }
  const stored = new Map();
  const sessionStorage = {
    getItem: (key) => stored.get(key) ?? null,
    setItem: (key, value) => stored.set(key, value),
    removeItem: (key) => stored.delete(key),
  };
  const socket = await client(ws, { transport: Broken, longPollFallbackMs: 50, sessionStorage, ...quick });
  const channel = await join(socket, "echo:fallback");
  assert.deepEqual(await outcome(channel.push("echo", { a: 1 })), ["ok", { a: 1 }]);
  assert.ok([...stored.keys()].some((key) => key.startsWith("phx:fallback:")), [...stored.keys()].join());
});

test("longpoll: messages cross between transports", async () => {
  const { ws } = await server("hello");
  const poll = await join(await client(ws, { transport: LongPoll }), "room:both");
  const socket = await join(await client(ws), "room:both");
  for (const [from, to] of [[poll, socket], [socket, poll]]) {
    const heard = nextEvent(to, "shout");
    from.push("shout", { n: 1 });
    assert.deepEqual(await heard, { n: 1 });
  }
});

test("longpoll: requests may land on any worker", async () => {
  const program = await start("workers");
  const http = program.http;
  // A connection of its own for each request: the kernel chooses the worker.
  const headers = { connection: "close" };
  const fresh = (url, init = {}) => fetch(url, { ...init, headers });
  for (let n = 0; n < 8; n += 1) {
    const url = `${http}/socket/longpoll?vsn=2.0.0`;
    const { token } = await (await fresh(url)).json();
    const mine = `${url}&token=${token}`;
    const post = (body) => fresh(mine, { method: "POST", body }).then((response) => response.json());
    assert.deepEqual(await post(`["1","1","room:${n}","phx_join",{}]`), { status: 200 });
    assert.deepEqual(await post(`["1",null,"room:${n}","shout",{"n":${n}}]`), { status: 200 });
    const messages = [];
    while (messages.length < 2) {
      const answer = await (await fresh(mine)).json();
      assert.equal(answer.status, 200);
      messages.push(...answer.messages);
    }
    assert.equal(messages[1], `[null,null,"room:${n}","shout",{"n":${n}}]`);
  }
  const rooms = await Promise.all(Array.from({ length: 6 }, async () =>
    join(await client(program.ws, { transport: LongPoll, ...quick }), "room:all")));
  const heard = rooms.map((room) => nextEvent(room, "shout"));
  rooms[0].push("shout", { n: 1 });
  assert.equal((await Promise.all(heard)).length, 6);
  await program.stop();
});

for (const signal of ["SIGTERM", "SIGKILL"]) {
  test(`longpoll: clients come back after the server restarts (${signal})`, async () => {
    const first = await start("hello");
    const socket = await client(first.ws, { transport: LongPoll, ...quick });
    const room = await join(socket, "room:restart");
    const stopping = took();
    await first.stop(signal);
    assert.ok(stopping().ran < 5000, "a waiting poll held the server up");
    await until("the client notices", () => !socket.isConnected());
    const second = await start("hello", first.port);
    await until("it joined again", () => room.state === "joined" && socket.isConnected());
    assert.deepEqual(await outcome(room.push("echo", { back: true })), ["ok", { back: true }]);
    socket.disconnect();
    await second.stop();
  });
}
