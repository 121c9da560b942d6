// The device client's example program against the real servers.
import assert from "node:assert/strict";
import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect as tcp } from "node:net";
import { createServer as tlsServer } from "node:tls";
import { promisify } from "node:util";
import { openChannel } from "@bennu/client";
import { afterEach, test, until, within } from "../lib/suite.mjs";
import { connect, meters, programs, server, start, work } from "./harness.mjs";
import { fakeDurable } from "./fake_durable.mjs";

const devices = new Set();
afterEach(() => {
  for (const child of devices) child.kill("SIGKILL");
  devices.clear();
});

/// Starts a device. `lines` is what it printed; `saw` waits for a line that begins like that, after those it gave before.
function device(url, topic, params = {}, ...more) {
  const child = spawn(programs.device, [url.includes("?") ? url : `${url}/socket`, topic, JSON.stringify(params), ...more]);
  devices.add(child);
  const lines = [];
  let rest = "";
  let read = 0;
  let trouble = "";
  child.stderr.on("data", (data) => (trouble += data));
  child.stdout.on("data", (data) => {
    const parts = (rest + data).split("\n");
    rest = parts.pop();
    lines.push(...parts);
  });
  return {
    lines,
    trouble: () => trouble,
    say: (event, payload) => child.stdin.write(`${event} ${JSON.stringify(payload)}\n`),
    async saw(what) {
      const found = await until(() => `the device says "${what}" (it said ${lines.join(" | ")} ${trouble})`, () => {
        const at = lines.findIndex((line, index) => index >= read && line.startsWith(what));
        return at >= 0 && [at];
      });
      read = found[0] + 1;
      return lines[found[0]];
    },
    async end() {
      child.stdin.end();
      const [code] = child.exitCode === null ? await within(20_000, "the device to end", once(child, "exit")) : [child.exitCode];
      devices.delete(child);
      return code;
    },
  };
}

test("device: joins, pushes, gets its reply, and hears what others say", async () => {
  const { ws } = await server("chat");
  const gate = device(ws, "room:device", { name: "gate" });
  assert.match(await gate.saw("joined"), /^joined new \{"name":"gate","mood":"cheerful"\}$/);
  const heard = [];
  const ada = openChannel(connect(ws), "room:device", { params: { name: "ada" }, events: { said: ({ text }) => heard.push(text) } });
  await until("ada sees the device", () => ada.present.some(({ key }) => key === "gate"));
  gate.say("say", { text: "öpen \u{1F6AA}" });
  assert.match(await gate.saw("replied ok"), /"from":"gate"/);
  await until("ada heard it", () => heard.includes("öpen \u{1F6AA}"));
  await ada.push("say", { text: "thanks" });
  assert.match(await gate.saw('event said {"from":"ada"'), /thanks/);
  gate.say("say", { txt: "wrong" });
  assert.match(await gate.saw("replied error"), /unknown field|not a known field|required/);
  assert.equal(await gate.end(), 0);
  await until("it has left", () => ada.present.length === 1);
});

for (const [how, program] of [["as a part of", meters[0]], ["installed for", meters[1]]]) {
  test(`device: the client is used ${how} another project`, async () => {
    const { ws } = await server("chat");
    const { stdout } = await promisify(execFile)(program, [`${ws}/socket`, "room:meters"], { timeout: 60_000 });
    assert.match(stdout, /^ok .*"text":"hello"/);
  });
}

test("device: a killed server is found again, joined again, and told what waited, in order", async () => {
  const first = await start("chat");
  const gate = device(first.ws, "room:lost", { name: "gate" });
  await gate.saw("joined");
  await first.stop("SIGKILL");
  await gate.saw("channel lost");
  await gate.saw("closed");
  for (const text of ["one", "two", "three"]) gate.say("say", { text });
  const second = await start("chat", first.port);
  await gate.saw("joined");
  for (const text of ["one", "two", "three"]) assert.match(await gate.saw("event said"), new RegExp(`"${text}"`));
  assert.equal(gate.lines.filter((line) => line.startsWith("replied ok")).length, 3);
  assert.equal(await gate.end(), 0);
  await second.stop();
});

test("device: params that are no object are not sent, and a URL with a query says where that goes", async () => {
  const { ws } = await server("chat");
  const gate = device(ws, "room:params", ["gate"]);
  assert.match(await gate.saw("refused"), /"reason":"invalid_params".*no JSON object/);
  const query = device(`${ws}/socket?token=1`, "room:params");
  assert.equal(await query.end(), 2);
  assert.match(query.trouble(), /ClientOptions::params/);
});

test("device: a refused join says why, and a name that is none", async () => {
  const { ws } = await server("chat");
  const gate = device(ws, "room:refused", {});
  assert.match(await gate.saw("refused"), /"name"/);
  const nowhere = device("ws://nowhere.invalid", "room:x");
  assert.match(await nowhere.saw("closed"), /nowhere\.invalid/);
});

test("device: a durable topic is resumed", async () => {
  const fake = await fakeDurable();
  try {
    const gate = device(fake.ws, "durable:a");
    await gate.saw("joined new");
    const ada = openChannel(connect(fake.ws), "durable:a");
    await ada.push("say", { n: 1 });
    await gate.saw("event said");
    fake.dropFirst();
    await gate.saw("channel lost");
    await ada.push("say", { n: 2 });
    await gate.saw("joined resumed");
    assert.match(await gate.saw("event said"), /"n":2/);
  } finally {
    await fake.stop();
  }
});

/// Certificates made for this: an authority, and what it signed for a name and an address.
function certificates() {
  const openssl = (...args) => execFileSync("openssl", args, { cwd: work, stdio: ["ignore", "ignore", "pipe"] });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  const authority = (name) =>
    openssl("req", "-x509", ...key, "-keyout", `${name}.key`, "-out", `${name}.pem`, "-subj", `/CN=${name}`);
  const signed = (name, subjects) => {
    openssl("req", ...key.slice(0, -2), "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`,
      "-addext", `subjectAltName=${subjects}`);
    openssl("x509", "-req", "-in", `${name}.csr`, "-CA", "ours.pem", "-CAkey", "ours.key", "-CAcreateserial", "-days", "2",
      "-copy_extensions", "copy", "-out", `${name}.pem`);
  };
  authority("ours");
  authority("theirs");
  signed("right", "DNS:localhost,IP:127.0.0.1");
  signed("wrong", "DNS:example.com,IP:127.0.0.9");
}

/// TLS in front of a server, as a proxy has it.
async function terminator(name, port) {
  const credentials = { key: readFileSync(`${work}/${name}.key`), cert: readFileSync(`${work}/${name}.pem`) };
  const front = tlsServer(credentials, (client) => {
    const back = tcp(port, "127.0.0.1");
    client.pipe(back).pipe(client);
    for (const end of [client, back]) end.on("error", () => (client.destroy(), back.destroy()));
  });
  front.on("tlsClientError", () => {});
  front.listen(0);
  await once(front, "listening");
  return { port: front.address().port, stop: () => front.close() };
}

test("device: wss checks the certificate's authority and its host name", async () => {
  const { port } = await server("chat");
  certificates();
  const right = await terminator("right", port);
  const wrong = await terminator("wrong", port);
  try {
    for (const host of ["localhost", "127.0.0.1"]) {
      const gate = device(`wss://${host}:${right.port}`, "room:tls", { name: host }, `${work}/ours.pem`);
      await gate.saw("joined new");
      gate.say("say", { text: "x".repeat(50_000) });
      await gate.saw("replied ok");
      assert.equal(await gate.end(), 0);
      const mistaken = device(`wss://${host}:${wrong.port}`, "room:tls", { name: "x" }, `${work}/ours.pem`);
      assert.match(await mistaken.saw("closed"), /mismatch/);
      assert.ok(!mistaken.lines.includes("open"));
    }
    const stranger = device(`wss://localhost:${right.port}`, "room:tls", { name: "x" }, `${work}/theirs.pem`);
    assert.match(await stranger.saw("closed"), /certificate/);
    const nobody = device(`wss://localhost:${right.port}`, "room:tls", { name: "x" });
    assert.match(await nobody.saw("closed"), /certificate/);
    const missing = device(`wss://localhost:${right.port}`, "room:tls", { name: "x" }, `${work}/missing.pem`);
    assert.match(await missing.saw("closed"), /authorities/);
  } finally {
    right.stop();
    wrong.stop();
  }
});
