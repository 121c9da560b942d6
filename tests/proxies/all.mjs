import assert from "node:assert/strict";
import { copyFileSync, renameSync } from "node:fs";
import { Agent } from "node:https";
import { join } from "node:path";
import { Socket } from "phoenix";
import WebSocket from "ws";
import { fields, program, temporaryFolder } from "../lib/assetronics.mjs";
import { finish, test, until, within } from "../lib/suite.mjs";
import { ask, behind, bytes, certificate } from "./harness.mjs";

const trusting = { TRUSTED_PROXIES: "[\"127.0.0.1\"]" };

/// The official client, over TLS and through the proxy, as a page of `origin`.
function socketTo({ secure }, origin = `https://localhost:${secure}`) {
  class Trusting extends WebSocket {
    constructor(address, protocols) {
      super(address, protocols, { ca: certificate, headers: { origin } });
    }
  }
  return new Socket(`wss://localhost:${secure}/socket`, { transport: Trusting, params: { tenant: "demo" }, reconnectAfterMs: () => 50 });
}

const created = async (proxy) => {
  const answer = await ask(proxy, "/api/v1/assets", {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ asset: fields() }),
  });
  assert.equal(answer.status, 201, answer.text);
  return JSON.parse(answer.text).data;
};

for (const name of ["nginx", "haproxy"]) {
  test(`behind ${name} a client is who it is, whatever it says`, async () => {
    const proxy = await behind(name, trusting);
    const page = await ask(proxy, "/t/demo/assets", { headers: { accept: "text/html" } });
    assert.equal(page.status, 200);
    assert.match(page.text, /<div id="app"/);
    // The policy names the host that the client asked for.
    assert.ok(page.headers["content-security-policy"].includes(`localhost:${proxy.secure}`), page.headers["content-security-policy"]);
    const id = "0123456789abcdef-lies";
    await ask(proxy, "/api/v1/summary", { localAddress: "127.0.0.7", headers: {
      "x-forwarded-for": "6.6.6.6", "x-forwarded-proto": "http", "x-forwarded-host": "evil.example", forwarded: "for=6.6.6.6", "x-request-id": id } });
    const line = await until("the request is in the log", () => proxy.server.stderr.split("\n").find((one) => one.includes(id)));
    assert.match(line, /peer=127\.0\.0\.7$/);
    const plain = bytes(proxy, "GET /t/demo/assets?x=1 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n", { tls: false });
    await plain.settled();
    assert.match(plain.answer(), /^HTTP\/1\.1 301 [^]*location: https:\/\/localhost\/t\/demo\/assets\?x=1/i);
    await proxy.stop();
  });

  test(`behind ${name} sockets are live, and a stranger's page opens none`, async () => {
    const proxy = await behind(name, trusting);
    const socket = socketTo(proxy);
    socket.connect();
    const channel = socket.channel("assets:demo", { tenant: "demo", viewer: "Ada" });
    const heard = [];
    channel.onMessage = (event, payload) => (heard.push([event, payload]), payload);
    await within(20_000, "the join", new Promise((resolve, reject) => channel.join().receive("ok", resolve).receive("error", (why) => reject(new Error(JSON.stringify(why))))));
    const asset = await created(proxy);
    await until("the change is heard", () => heard.some(([, payload]) => JSON.stringify(payload ?? {}).includes(asset.id)));
    socket.disconnect();
    const strange = socketTo(proxy, "https://evil.example");
    let refused = 0;
    strange.onError(() => (refused += 1));
    strange.connect();
    await until("the stranger is refused", () => refused > 0);
    assert.equal(strange.isConnected(), false);
    strange.disconnect();
    await proxy.stop();
  });

  test(`behind ${name} large and wrong requests get their answers, and requests cannot be smuggled`, async () => {
    const proxy = await behind(name, trusting);
    const large = await ask(proxy, "/api/v1/assets", {
      method: "POST", headers: { "content-type": "application/json" }, body: `{"asset":{"name":"${"a".repeat(40_000_000)}"}}` }).catch((error) => error);
    assert.ok(large.status === 413 || /EPIPE|ECONNRESET|hang up/.test(large.message), `${large.status} ${large.message}`);
    assert.equal((await ask(proxy, "/api/v1/assets", { method: "POST", headers: { "content-type": "application/json" }, body: "{" })).status, 400);
    const hidden = "GET /api/v1/summary HTTP/1.1\r\nhost: localhost\r\n\r\n";
    const lines = () => proxy.server.stderr.split("request method=GET path=/api/v1/summary").length - 1;
    let asked = 0;
    /// What the node has answered so far is in its log once the request that follows is.
    const logged = async () => {
      const id = `0123456789abcdef-${(asked += 1)}`;
      await ask(proxy, "/api/v1/summary", { headers: { "x-request-id": id } });
      await until("the request is in the log", () => proxy.server.stderr.includes(id));
      return lines() - asked;
    };
    const summaries = (answer) => answer.split("\"by_status\"").length - 1;
    const hides = (head) => `POST /api/v1/assets HTTP/1.1\r\nhost: localhost\r\nconnection: keep-alive\r\ncontent-type: application/json\r\n${head}\r\n\r\n0\r\n\r\n${hidden}`;
    // The node never answers a request that the client gets no answer to: it and the proxy agree where each one ends.
    for (const head of [`content-length: ${hidden.length + 5}\r\ntransfer-encoding: chunked`, "transfer-encoding: chunked\r\ntransfer-encoding: identity",
      "transfer-encoding : chunked", "transfer-encoding: xchunked", "content-length: 0\r\ncontent-length: 50", "content-length: +0", "transfer-encoding: chunked"]) {
      const before = await logged();
      const sent = bytes(proxy, hides(head));
      await sent.settled();
      // An answer that the machine holds up comes a little later.
      await until(() => `the client has as many answers as the node gave; to ${head} it has ${sent.answer()}`,
        async () => (await logged()) - before === summaries(sent.answer()));
      sent.end();
    }
    const follows = bytes(proxy, hides("transfer-encoding: chunked"));
    await until(() => `what follows a body is answered: ${follows.answer()}`, () => summaries(follows.answer()) > 0);
    await follows.settled();
    assert.equal(summaries(follows.answer()), 1, follows.answer());
    follows.end();
    await proxy.stop();
  });

  test(`behind ${name} nobody notices that the program is exchanged, and a crash costs a moment`, async () => {
    const copy = join(temporaryFolder(), "assetronics");
    copyFileSync(program, copy);
    const proxy = await behind(name, trusting, copy);
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    const tally = {};
    let working = true;
    const clients = Array.from({ length: 8 }, async (_, i) => {
      while (working) {
        const answer = await (i % 2 ? ask(proxy, "/api/v1/summary", { agent }) : ask(proxy, "/api/v1/assets", {
          agent, method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ asset: fields() }) })).catch((error) => ({ status: error.code }));
        tally[answer.status] = (tally[answer.status] ?? 0) + 1;
      }
    });
    for (let round = 1; round <= 3; ++round) {
      const ready = proxy.server.readyCount();
      copyFileSync(program, `${copy}.new`);
      renameSync(`${copy}.new`, copy);
      process.kill(proxy.server.pid, "SIGUSR2");
      await until("the new node serves", () => proxy.server.readyCount() > ready);
      await until("the old node is gone", () => proxy.server.nodes().length === 1);
    }
    working = false;
    await Promise.all(clients);
    agent.destroy();
    const { 200: read, 201: written, ...others } = tally;
    assert.deepEqual(others, {}, `${JSON.stringify(tally)}\n${proxy.output()}`);
    await proxy.server.killNode();
    assert.equal((await ask(proxy, "/api/v1/summary")).status, 200);
    await proxy.stop();
    return `${read} reads and ${written} writes during 3 upgrades`;
  });
}

test("behind a proxy of bytes, the PROXY protocol names the client", async () => {
  const proxy = await behind("HAProxy in TCP mode", { PROXY_PROTOCOL: "true" });
  const id = "0123456789abcdef-proxied";
  assert.equal((await ask(proxy, "/api/v1/summary", {
    localAddress: "127.0.0.7", headers: { "x-request-id": id, "x-forwarded-for": "6.6.6.6" } })).status, 200);
  const line = await until("the request is in the log", () => proxy.server.stderr.split("\n").find((one) => one.includes(id)));
  assert.match(line, /peer=127\.0\.0\.7$/);
  // Without its header nobody is heard.
  const direct = await fetch(`${proxy.server.http}/api/v1/summary`).then((answer) => answer.status, () => "closed");
  assert.ok(direct === "closed" || direct === 400, `${direct}`);
  await proxy.stop();
});

await finish();
