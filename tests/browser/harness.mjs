// Debian's Chromium, one browser, a context of its own for each person; what goes wrong in a page is collected.
import { existsSync, mkdirSync } from "node:fs";
import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { apiOf, root, server } from "../lib/assetronics.mjs";
import { atEnd } from "../lib/suite.mjs";

const pictures = `${root}/test-results/browser`;
mkdirSync(pictures, { recursive: true });

export const desktop = { width: 1440, height: 900 };
export const phone = { width: 390, height: 844 };

let browser;
export function chrome() {
  browser ??= chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"],
  });
  return browser;
}
atEnd(async () => (await browser)?.close());

/// Everything that browsers complained about: console errors, exceptions, violations of the content security policy.
export const complaints = [];
// What the browser says by itself about an answer that the page handles.
const refusedByServer = /^Failed to load resource: the server responded with a status of (404|409|422)/;
const lostConnection = /WebSocket connection to|net::ERR_|Failed to load resource/;

const open = new Set();
atEnd(async () => {
  for (const context of open) await context.close().catch(() => {});
});

/// Somebody with a browser: a page at `path` below /t/demo/, and `leave()`.
export async function visit(path, { here, size = desktop, theme = "light", name = "Ada", mayLoseConnection = false, touch = false } = {}) {
  here ??= await server();
  const context = await (await chrome()).newContext({
    viewport: size, colorScheme: theme, baseURL: here.http, locale: "en-GB", timezoneId: "Europe/Berlin", reducedMotion: "no-preference",
    hasTouch: touch, isMobile: touch,
  });
  open.add(context);
  await context.addInitScript((viewer) => {
    localStorage.getItem("assetronics.viewer") ?? localStorage.setItem("assetronics.viewer", viewer);
    document.addEventListener("securitypolicyviolation", (event) => console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`));
  }, name);
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  page.on("pageerror", (error) => complaints.push(`${page.url()}: ${error.stack}`));
  page.on("console", (message) => {
    if (!["error", "warning"].includes(message.type())) return;
    const text = message.text();
    if (refusedByServer.test(text) || (mayLoseConnection && lostConnection.test(text))) return;
    complaints.push(`${page.url()}: ${text}`);
  });
  await page.goto(`/t/demo/${path}`);
  page.call = apiOf(here);
  page.leave = async () => {
    open.delete(context);
    await context.close();
  };
  page.at = (testid, more = "") => page.locator(`[data-testid="${testid}"]${more}`);
  page.row = (tag) => page.at("asset-row", `[data-tag="${tag}"]`);
  return page;
}

/// The page is connected and joined: what others do arrives from now on.
export async function live(page) {
  await page.at("connection-state", '[data-state="connected"]').waitFor({ state: "attached" });
  await textOf(page.at("viewers-count"), /^[1-9]/);
  return page;
}

/// Waits until an element says that.
export async function textOf(locator, wanted) {
  const fits = (text) => (wanted instanceof RegExp ? wanted.test(text) : text === String(wanted));
  const end = Date.now() + 10_000;
  for (;;) {
    const text = (await locator.first().textContent({ timeout: 10_000 })).trim();
    if (fits(text)) return text;
    assert.ok(Date.now() < end, `it says "${text}", not ${wanted}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/// Milliseconds from when `act` ends its click to when `locator` shows up.
export async function appears(act, locator) {
  const shown = locator.first().waitFor();
  const began = performance.now();
  await act();
  await shown;
  return performance.now() - began;
}

export async function picture(page, name) {
  await page.screenshot({ path: `${pictures}/${name}.png`, animations: "disabled" });
  assert.ok(existsSync(`${pictures}/${name}.png`));
}
