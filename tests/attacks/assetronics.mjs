// The product itself, which nobody signs in to: what a stranger's page must not make a visitor's browser do there, and must
// not read, also when the page's own name suddenly leads to the product (DNS rebinding).
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { hostname } from "node:os";
import { apiOf, created, start } from "../lib/assetronics.mjs";
import { atEnd, test, until, within } from "../lib/suite.mjs";
import { anyone, lured, rebound, sister, stranger } from "./harness.mjs";

let shared;
const product = () => (shared ??= start());

/// Sends a head and yields the head that comes back.
async function answerTo(port, lines) {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  let text = "";
  socket.on("data", (data) => (text += data));
  socket.on("error", () => {});
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  await until(`${lines[0]} is answered`, () => text.includes("\r\n\r\n"));
  socket.destroy();
  return text;
}
const statusOf = async (port, host, path = "/api/v1/assets") =>
  Number((await answerTo(port, [`GET ${path} HTTP/1.1`, `host: ${host}`, "connection: close"])).split(" ")[1]);
const handshake = (host, origin) => ["GET /socket/websocket?vsn=2.0.0 HTTP/1.1", `host: ${host}`, `origin: ${origin}`, "connection: upgrade",
  "upgrade: websocket", "sec-websocket-version: 13", "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ=="];

/// An asset that somebody has: any page that got through could give it back.
async function assigned(call) {
  const asset = await created(call);
  const { body } = await call("GET", "/employees?page_size=1&status=active");
  const given = await call("POST", `/assets/${asset.id}/assign`, { employee_id: body.data[0].id });
  assert.equal(given.status, 200, given.text);
  return asset.id;
}
const stateOf = async (call, id) => (await call("GET", `/assets/${id}`)).body.data.status;

for (const [whose, site] of [["a sister port", sister], ["another host", stranger]]) {
  // proves 2.16
  test(`a page of ${whose} changes nothing in the product`, async () => {
    const here = await product();
    const call = apiOf(here);
    const id = await assigned(call);
    const target = `${here.http}/api/v1/assets/${id}/return`;
    const context = await anyone();

    for (const type of ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"]) {
      const page = await lured(context, site);
      const answer = page.waitForResponse((response) => response.url() === target);
      await page.evaluate(([to, encoding]) => {
        const form = Object.assign(document.createElement("form"), { action: to, method: "post", enctype: encoding });
        document.body.append(form);
        form.submit();
      }, [target, type]);
      assert.equal((await answer).status(), 403, type);
      await page.close();
    }

    const page = await lured(context, site);
    const tries = {
      "no body": { method: "POST", mode: "no-cors" },
      form: { method: "POST", mode: "no-cors", body: "multipart" },
      json: { method: "POST", mode: "no-cors", body: "{\"condition\":\"broken\"}" },
      beacon: { method: "POST", mode: "no-cors", keepalive: true },
      unreferred: { method: "POST", mode: "no-cors", referrerPolicy: "no-referrer" },
    };
    for (const [name, options] of Object.entries(tries)) {
      const answer = page.waitForResponse((response) => response.url() === target && response.request().method() === "POST");
      await page.evaluate(([to, sent]) => {
        if (sent.body === "multipart") sent.body = new FormData();
        return fetch(to, sent).catch(() => {});
      }, [target, options]);
      assert.equal((await answer).status(), 403, name);
    }
    const outcomes = await page.evaluate(async (to) => {
      const out = {};
      for (const method of ["PUT", "PATCH", "DELETE"]) out[method] = await fetch(to, { method }).then(() => "sent", () => "refused");
      out.read = await fetch(to.replace("/return", "")).then((answer) => answer.text(), () => "refused");
      return out;
    }, target);
    assert.deepEqual(outcomes, { PUT: "refused", PATCH: "refused", DELETE: "refused", read: "refused" });
    assert.equal(await stateOf(call, id), "assigned");

    // The product's own page does.
    const own = await context.newPage();
    await own.goto(`${here.http}/readyz`);
    assert.equal(await own.evaluate((to) => fetch(to, { method: "POST" }).then(({ status }) => status), target), 200);
    assert.equal(await stateOf(call, id), "in_stock");
    await context.close();
  });
}

// proves 2.16
test("what a browser says of a stranger's page is believed, and who says nothing is a program", async () => {
  const here = await product();
  const call = apiOf(here);
  const own = { origin: here.http };
  const rows = [
    [403, { origin: "http://evil.example", "sec-fetch-site": "cross-site" }], [403, { origin: "http://evil.example" }], [403, { origin: "null" }],
    [403, { "sec-fetch-site": "cross-site" }], [403, { ...own, "sec-fetch-site": "same-site" }], [403, { origin: `${here.http}0` }],
    [200, {}], [200, own], [200, { ...own, "sec-fetch-site": "same-origin" }],
  ];
  for (const [status, headers] of rows) {
    const id = await assigned(call);
    const answer = await call("POST", `/assets/${id}/return`, undefined, headers);
    assert.equal(answer.status, status, JSON.stringify(headers));
    assert.equal(await stateOf(call, id), status === 200 ? "in_stock" : "assigned");
    const form = await call("POST", "/imports", new FormData(), headers);
    assert.equal(form.status === 403, status === 403, `a form: ${form.text}`);
  }
});

test("a page whose name was led to the product reads nothing, changes nothing and opens no socket", async () => {
  const here = await product();
  const call = apiOf(here);
  const id = await assigned(call);
  const context = await anyone();
  const page = await context.newPage();
  // The name leads to the stranger's server while the page is loaded, and to the product from then on.
  let leadsTo = Number(new URL(stranger).port);
  const open = new Set();
  const switch_ = createServer((from) => {
    const to = connect(leadsTo, "127.0.0.1");
    for (const [one, other] of [[from, to], [to, from]]) {
      open.add(one);
      one.on("error", () => other.destroy()).on("close", () => (open.delete(one), other.destroy()));
      one.pipe(other);
    }
  }).listen(0, "127.0.0.1");
  await once(switch_, "listening");
  atEnd(() => (switch_.close(), open.forEach((socket) => socket.destroy())));
  const at = `${rebound}:${switch_.address().port}`;
  await page.goto(`${at}/`);
  assert.equal(await page.title(), "Evil");
  leadsTo = here.port;
  open.forEach((socket) => socket.destroy());
  // The browser takes what follows for requests of one site: nothing but the host gives them away.
  const outcome = await page.evaluate(async (asset) => {
    const ask = (path, options) => fetch(path, options).then(async (answer) => [answer.status, (await answer.text()).includes("\"data\"")]);
    const socket = new WebSocket(`ws://${location.host}/socket/websocket?vsn=2.0.0`);
    const opened = await new Promise((resolve) => Object.assign(socket, { onopen: () => resolve("open"), onerror: () => resolve("refused") }));
    return { opened, read: await ask("/api/v1/assets"), write: await ask(`/api/v1/assets/${asset}/return`, { method: "POST" }),
      poll: (await ask("/socket/longpoll?vsn=2.0.0"))[0], ops: (await ask("/ops"))[0] };
  }, id);
  assert.deepEqual(outcome, { opened: "refused", read: [421, false], write: [421, false], poll: 421, ops: 421 });
  assert.equal(await stateOf(call, id), "assigned");
  const document_ = await page.goto(`${at}/`);
  assert.equal(document_.status(), 421);
  assert.match(await page.textContent("body"), /endpoint\.hosts/);
  await context.close();
});

test("the product answers for this machine's names and addresses, and for those it is told", async () => {
  const here = await product();
  const named = await start({ environment: { PUBLIC_HOSTS: "[\"assets.example\", \"*.corp.example\"]" } });
  const open = await start({ environment: { PUBLIC_HOSTS: "[\"*\"]" } });
  const rows = [
    ["localhost", 200, 200, 200], ["127.0.0.1", 200, 200, 200], ["[::1]", 200, 200, 200], ["192.168.7.7", 200, 200, 200],
    [hostname(), 200, 200, 200], ["assets.example", 421, 200, 200], ["a.corp.example", 421, 200, 200], ["rebind.evil.example", 421, 421, 200],
    ["assets.example.evil.example", 421, 421, 200], ["127.0.0.1.evil.example", 421, 421, 200],
  ];
  for (const [host, ...statuses] of rows) {
    for (const [at, server] of [here, named, open].entries()) {
      assert.equal(await statusOf(server.port, `${host}:${server.port}`), statuses[at], `${host} at server ${at}`);
    }
  }
  const refused = await answerTo(here.port, handshake("rebind.evil.example:4711", "http://rebind.evil.example:4711"));
  assert.match(refused, /^HTTP\/1\.1 421 /);
  assert.match(refused + (await answerTo(here.port, ["GET / HTTP/1.1", "host: evil.example", "connection: close"])), /421/);
  for (const host of [`localhost:${here.port}`, `127.0.0.1:${here.port}`]) {
    assert.match(await answerTo(here.port, handshake(host, `http://${host}`)), /^HTTP\/1\.1 101 /, host);
  }
  const line = await until("the log tells of it", () => here.output.split("\n").find((one) => one.includes("a request is refused for its host")));
  assert.match(line, /endpoint\.hosts/);
  await within(30_000, "the servers to stop", Promise.all([named.stop(), open.stop()]));
});
