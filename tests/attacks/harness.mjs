// The bank, the evil sites, and a visitor who is logged in and comes by.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { chromium } from "playwright-core";
import { atEnd, freePort, within } from "../lib/suite.mjs";

const build = new URL("../../build/release", import.meta.url).pathname;

async function open(...options) {
  const at = await freePort();
  const program = spawn(`${build}/tests/attacks/attacks_site`, [String(at), ...options], { stdio: ["ignore", "pipe", "inherit"] });
  atEnd(() => program.kill("SIGTERM"));
  process.on("exit", () => program.kill("SIGKILL"));
  await within(20_000, "the bank to say that it serves", once(program.stdout, "data"));
  return at;
}

export const port = await open();
export const bank = `http://127.0.0.1:${port}`;

// The same bank over TLS, where browsers speak HTTP/2.
const folder = mkdtempSync(`${tmpdir()}/bennu-attacks-`);
atEnd(() => rmSync(folder, { recursive: true }));
execFileSync("openssl", ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
  "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", `${folder}/key.pem`, "-out", `${folder}/cert.pem`], { stdio: "ignore" });
export const securePort = await open(`${folder}/cert.pem`, `${folder}/key.pem`);
export const secureBank = `https://127.0.0.1:${securePort}`;

// One page for all attacks: what it does comes from the test.
const evil = createServer((request, response) => {
  response.setHeader("content-type", "text/html");
  response.end("<!doctype html><title>Evil</title><p>You have won!</p>");
}).listen(0);
await once(evil, "listening");
atEnd(() => evil.close());
export const sister = `http://127.0.0.1:${evil.address().port}`;
export const stranger = `http://localhost:${evil.address().port}`;

// A name of the stranger's that leads to this machine, as one does after "DNS rebinding".
const reboundName = "rebind.evil.example";
export const rebound = `http://${reboundName}`;

const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", `--host-resolver-rules=MAP ${reboundName} 127.0.0.1`],
});
atEnd(() => browser.close());

/// A browser of somebody who is nobody in particular.
export async function anyone() {
  const context = await browser.newContext();
  context.setDefaultTimeout(90_000);
  return context;
}

/// A browser whose owner is logged in at the bank as `name`.
export async function visitor(name = "ada", at = bank) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  context.setDefaultTimeout(90_000);
  const page = await context.newPage();
  await page.goto(at);
  await page.evaluate((user) => fetch("/login", { method: "POST", body: new URLSearchParams({ user }) }), name);
  return { context, page, async account() {
    return page.evaluate(() => fetch("/account").then((answer) => answer.json()));
  } };
}

/// The visitor's next tab, on an evil site.
export async function lured(context, site) {
  const page = await context.newPage();
  await page.goto(site);
  return page;
}
