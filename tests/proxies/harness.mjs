// A proxy with its recipe in front of a server of its own.
import { execFileSync, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { request } from "node:https";
import { root, start, temporaryFolder } from "../lib/assetronics.mjs";
import { atEnd, clock, freePort, until, within } from "../lib/suite.mjs";

const folder = temporaryFolder();
execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
  "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", `${folder}/key.pem`, "-out", `${folder}/cert.pem`], { stdio: "ignore" });
writeFileSync(`${folder}/both.pem`, readFileSync(`${folder}/cert.pem`) + readFileSync(`${folder}/key.pem`));
export const certificate = readFileSync(`${folder}/cert.pem`);

/// Each of the pairs must be there: a recipe that changed would otherwise be tried with the wrong ports.
function fitted(file, pairs) {
  let text = readFileSync(`${root}/deploy/${file}`, "utf8");
  for (const [from, to] of pairs) {
    if (!text.includes(from)) throw new Error(`${file} has no "${from}"`);
    text = text.replaceAll(from, to);
  }
  return text;
}

const recipes = {
  nginx(plain, secure, node) {
    const server = fitted("nginx/assetronics.conf", [["127.0.0.1:4000", `127.0.0.1:${node}`], ["listen 80;", `listen 127.0.0.1:${plain};`],
      ["listen 443 ssl", `listen 127.0.0.1:${secure} ssl`], ["/etc/ssl/assetronics/fullchain.pem", `${folder}/cert.pem`],
      ["/etc/ssl/assetronics/privkey.pem", `${folder}/key.pem`]]);
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((what) => `${what}_temp_path ${folder}/nginx-${what};`).join("\n");
    writeFileSync(`${folder}/nginx.conf`, `daemon off; pid ${folder}/nginx.pid; error_log stderr; worker_processes 1;
      events { worker_connections 1000; } http { access_log off; ${temporary}\n${server} }`);
    return ["nginx", ["-c", `${folder}/nginx.conf`, "-p", folder]];
  },
  haproxy(plain, secure, node) {
    writeFileSync(`${folder}/haproxy.cfg`, fitted("haproxy/assetronics.cfg", [["127.0.0.1:4000", `127.0.0.1:${node}`], ["bind :80\n", `bind 127.0.0.1:${plain}\n`],
      ["bind :443 ", `bind 127.0.0.1:${secure} `], ["/etc/ssl/assetronics/combined.pem", `${folder}/both.pem`], ["maxconn 20000", "maxconn 1000"]]));
    return ["haproxy", ["-db", "-f", `${folder}/haproxy.cfg`]];
  },
  "HAProxy in TCP mode"(plain, secure, node) {
    writeFileSync(`${folder}/tcp.cfg`, `defaults\n timeout connect 5s\n timeout client 90s\n timeout server 90s\nlisten all\n mode tcp
 bind 127.0.0.1:${secure} ssl crt ${folder}/both.pem\n server node 127.0.0.1:${node} send-proxy-v2\n`);
    return ["haproxy", ["-db", "-f", `${folder}/tcp.cfg`]];
  },
};

/// The proxy, ready, with `server` behind it.
export async function behind(name, environment, program) {
  const server = await start({ environment, program });
  const [plain, secure] = [await freePort(), await freePort()];
  const [command, args] = recipes[name](plain, secure, server.port);
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` } });
  let output = "";
  child.stdout.on("data", (data) => (output += data));
  child.stderr.on("data", (data) => (output += data));
  const ended = new Promise((resolve) => child.on("close", resolve));
  process.on("exit", () => child.kill("SIGKILL"));
  const proxy = { server, plain, secure, output: () => output, async stop() {
    child.kill("SIGTERM");
    await within(20_000, `the end of ${name}`, ended);
    await server.stop();
  } };
  atEnd(async () => void child.kill("SIGKILL"));
  await until(() => `${name} is ready: ${output}`, async () => (await ask(proxy, "/readyz").catch(() => ({}))).status === 200);
  return proxy;
}

/// One request over TLS, on a connection of its own unless an agent keeps them: a proxy may close one that it has just said it would keep.
export function ask({ secure }, path, { method = "GET", headers = {}, body, agent = false, localAddress } = {}) {
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", port: secure, path, method, ca: certificate, agent, localAddress, servername: "localhost",
      headers: { host: `localhost:${secure}`, ...headers } }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (data) => (text += data));
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, text }));
      response.on("error", reject);
    });
    asked.on("error", reject);
    asked.end(body);
  });
}

/// Sends these bytes on a connection of its own: `answer()` is what has come back so far, `settled()` waits until the other end
/// closes or nothing more has come for a second, `end()` closes.
export function bytes({ secure, plain }, text, { tls = true } = {}) {
  const socket = tls ? connectTls({ host: "127.0.0.1", port: secure, ca: certificate, servername: "localhost" }) : connect(plain, "127.0.0.1");
  let answer = "";
  let moved = clock();
  let closed = false;
  socket.on("data", (data) => {
    answer += data.toString("latin1");
    moved = clock();
  });
  socket.on("close", () => (closed = true));
  socket.on("error", () => (closed = true));
  socket.write(text);
  const quiet = () => clock() - moved > (answer ? 1000 : 5000);
  return { answer: () => answer, settled: () => until("the answer is whole", () => closed || quiet()), end: () => socket.destroy() };
}
