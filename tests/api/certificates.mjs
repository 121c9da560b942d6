// TLS of the program itself: certificates that change while it runs, the plain port, plain HTTP on the encrypted one.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect as connectPlain } from "node:net";
import { connect } from "node:tls";
import { once } from "node:events";
import { start, temporaryFolder } from "../lib/assetronics.mjs";
import { freePort, test, until, within } from "../lib/suite.mjs";

function made(folder, name) {
  execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", `/CN=${name}`,
    "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", `${folder}/${name}.key`, "-out", `${folder}/${name}.pem`], { stdio: "ignore" });
  return { certificate: readFileSync(`${folder}/${name}.pem`), key: readFileSync(`${folder}/${name}.key`) };
}

/// Takes the place of the files that are served, each at once.
function install(folder, { certificate, key }) {
  for (const [name, text] of [["live.key", key], ["live.pem", certificate]]) {
    writeFileSync(`${folder}/new`, text);
    renameSync(`${folder}/new`, `${folder}/${name}`);
  }
}

async function secured({ every = "200ms" } = {}) {
  const folder = temporaryFolder();
  const [first, second] = ["first", "second"].map((name) => made(folder, name));
  install(folder, first);
  const [port, plain] = [await freePort(), await freePort()];
  writeFileSync(`${folder}/app.toml`, `[endpoint]\nport = ${port}\nhosts = ["app.example"]\n[endpoint.tls]\nredirect_port = ${plain}\npublic_port = ${port}
hsts = "30d"\nreload_every = "${every}"\ncertificates = [{certificate_file = "${folder}/live.pem", key_file = "${folder}/live.key"}]\n`);
  const here = await start({ port, args: ["server", "--config", `${folder}/app.toml`] });
  return { here, folder, first, second, port, plain };
}

/// An encrypted connection, and what it is answered; `trusted` alone may vouch for the server.
async function opened(port, trusted) {
  const socket = connect({ port, host: "127.0.0.1", ca: trusted.certificate });
  await once(socket, "secureConnect");
  let text = "";
  socket.on("data", (data) => (text += data));
  return {
    socket,
    name: socket.getPeerCertificate().subject.CN,
    async ask(path) {
      text = "";
      socket.write(`GET ${path} HTTP/1.1\r\nhost: app.example\r\n\r\n`);
      await until("it is answered", () => text.includes("\r\n\r\n"));
      return text;
    },
  };
}
const presented = (port, trusted) => opened(port, trusted).then(({ socket, name }) => (socket.destroy(), name), () => undefined);

test("certificates that were renewed are used without a restart, and open connections live on", async () => {
  const { here, folder, first, second, port } = await secured();
  assert.match(here.stdout, new RegExp(`^Assetronics is ready at https://localhost:${port}$`, "m"));
  const node = await here.node();
  const old = await opened(port, first);
  assert.equal(old.name, "first");
  assert.match(await old.ask("/livez"), /^HTTP\/1\.1 200 [^]*strict-transport-security: max-age=2592000\r\n/i);

  install(folder, second);
  await until("new connections see the new certificate", async () => (await presented(port, second)) === "second");
  assert.equal(await presented(port, first), undefined);
  assert.match(await old.ask("/livez"), /^HTTP\/1\.1 200 /);
  assert.match(here.stderr, /new TLS certificates are in use/);

  install(folder, { certificate: first.certificate, key: second.key });
  await until("the log says what is wrong", () => here.stderr.includes("the ones of before stay in use"));
  assert.equal(await presented(port, second), "second");
  assert.match(await old.ask("/livez"), /^HTTP\/1\.1 200 /);
  install(folder, first);
  await until("a sound pair is taken again", async () => (await presented(port, first)) === "first");
  assert.equal(await here.node(), node, "the node was not replaced");
  old.socket.destroy();
  assert.equal(await here.stop(), 0);
});

test("an upgrade takes new certificates, too, and one with broken certificates does not happen", async () => {
  const { here, folder, first, second, port } = await secured({ every: "0s" });
  install(folder, second);
  here.child.kill("SIGHUP");
  await here.waitReady(2);
  await until("the new node serves", async () => (await presented(port, second)) === "second");
  const node = (await here.nodes()).at(-1);
  writeFileSync(`${folder}/live.pem`, "no certificate");
  here.child.kill("SIGHUP");
  await until("the upgrade is refused", () => /live\.pem/.test(here.stderr));
  assert.equal(await presented(port, second), "second");
  assert.ok((await here.nodes()).includes(node), "the node of before serves");
  assert.equal(await presented(port, first), undefined);
  assert.equal(await here.stop(), 0);
});

test("the plain port leads to the encrypted one, and plain HTTP on that is told so", async () => {
  const { here, port, plain } = await secured();
  const [redirected] = await once(request({ port: plain, path: "/t/demo/assets", headers: { host: `localhost:${plain}` } }).end(), "response");
  redirected.resume();
  assert.equal(redirected.statusCode, 308);
  assert.equal(redirected.headers.location, `https://localhost:${port}/t/demo/assets`);

  const [told] = await once(request({ port, path: "/" }).end(), "response");
  let words = "";
  for await (const piece of told) words += piece;
  assert.equal(told.statusCode, 400);
  assert.match(words, /HTTPS only.*https:\/\//);
  assert.equal(told.headers.connection, "close");

  const noise = connectPlain(port, "127.0.0.1", () => noise.write("hello\r\n\r\n"));
  let answer = "";
  noise.on("data", (data) => (answer += data));
  // Whether it is reset depends on how much of it was read.
  noise.on("error", () => {});
  await within(20_000, "the noise to be refused", new Promise((resolve) => noise.on("close", resolve)));
  assert.doesNotMatch(answer, /HTTP/);
  assert.equal(await here.stop(), 0);
});
