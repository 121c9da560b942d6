// What `connect` learns of a client, over both transports.
import assert from "node:assert/strict";
import WebSocket from "ws";
import { test, until } from "../lib/suite.mjs";
import { client, raw, server, testEach } from "./harness.mjs";

async function assignsOf(socket) {
  const channel = socket.channel("echo:who", {});
  return new Promise((resolve, reject) =>
    channel.join().receive("ok", ({ assigns }) => resolve(assigns)).receive("error", reject));
}

async function visit(http) {
  const response = await fetch(`${http}/page`);
  const cookie = response.headers.getSetCookie().map((text) => text.split(";")[0]).join("; ");
  return { cookie, csrf: (await response.json()).csrf };
}

test("connecting: the session, to pages that know its token", async () => {
  const { http, ws } = await server("server");
  const ada = await visit(http);
  const other = await visit(http);
  const rows = [
    [ada.cookie, ada.csrf, { user: "ada" }],
    [ada.cookie, other.csrf, null],
    [ada.cookie, "nonsense", null],
    [ada.cookie, undefined, null],
    [undefined, ada.csrf, null],
  ];
  for (const [cookie, csrf, expected] of rows) {
    const headers = cookie ? { cookie } : {};
    const query = csrf === undefined ? "vsn=2.0.0" : `_csrf_token=${encodeURIComponent(csrf)}&vsn=2.0.0`;
    const socket = await raw(`${ws}/private/websocket?${query}`, [], { headers });
    socket.send('["1","1","echo:a","phx_join",{}]');
    assert.deepEqual(JSON.parse(await socket.next())[4].response.assigns.session, expected);
    socket.close();

    const url = `${http}/private/longpoll?${query}`;
    const { token } = await (await fetch(url, { headers })).json();
    const with_token = { headers: { "x-phoenix-longpoll-token": token } };
    await fetch(url, { method: "POST", body: '["1","1","echo:a","phx_join",{}]', ...with_token });
    const { messages } = await (await fetch(url, with_token)).json();
    assert.deepEqual(JSON.parse(messages[0])[4].response.assigns.session, expected);
  }
});

test("connecting: no session where the socket is not behind one", async () => {
  const { http, ws } = await server("server");
  const { cookie, csrf } = await visit(http);
  const socket = await raw(`${ws}/socket/websocket?_csrf_token=${csrf}&vsn=2.0.0`, [], { headers: { cookie } });
  socket.send('["1","1","echo:a","phx_join",{}]');
  assert.equal(JSON.parse(await socket.next())[4].response.assigns.session, null);
  socket.close();
});

testEach("connecting: parameters, token, address, path", async ({ kind, transport }) => {
  const { ws } = await server("server");
  const params = { person: "ada", deep: { list: ["x", "y"], a: { b: "ü&=" } } };
  const assigns = await assignsOf(await client(ws, { transport, params, authToken: "sécret?>".normalize("NFC") }));
  assert.equal(assigns.info.ip, "127.0.0.1");
  assert.equal(assigns.info.scheme, "http");
  assert.equal(assigns.info.path, kind === "WebSocket" ? "/socket/websocket" : "/socket/longpoll");
  assert.equal(assigns.params.person, "ada");
  assert.equal(assigns.params.deep.a.b, "ü&=");
  assert.equal(assigns.params.vsn, "2.0.0");
});

test("connecting: agent and x-headers", async () => {
  const { ws } = await server("server");
  const headers = { "user-agent": "tester/1", "x-tenant": "demo", accept: "*/*" };
  const transport = class extends WebSocket {
    constructor(url, protocols) {
      super(url, protocols, { headers });
    }
  };
  const { info } = await assignsOf(await client(ws, { transport }));
  assert.equal(info.agent, "tester/1");
  assert.deepEqual(info.x_headers, { "x-tenant": "demo" });
});

test("connecting: heartbeats keep a socket open", async () => {
  const { ws } = await server("server");
  // Where the machine kept the client from its heartbeats, nothing is said of the server.
  await until("a client sent them in time for long enough", async () => {
    let [longest, last] = [0, performance.now()];
    const transport = class extends WebSocket {
      send(...args) {
        longest = Math.max(longest, performance.now() - last);
        last = performance.now();
        super.send(...args);
      }
    };
    const socket = await client(ws, { transport, heartbeatIntervalMs: 200 }, "/brief");
    let closed = 0;
    socket.onClose(() => (closed += 1));
    await new Promise((resolve) => setTimeout(resolve, 2500));
    longest = Math.max(longest, performance.now() - last);
    if (longest > 700) return false;
    assert.equal(closed, 0);
    assert.ok(socket.isConnected());
    return true;
  }, 60_000);
});
