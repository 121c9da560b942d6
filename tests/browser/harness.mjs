// Debian's Chromium, one browser, a context of its own for each person; what goes wrong in a page is collected.
import { existsSync, mkdirSync } from "node:fs";
import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { apiOf, root, server } from "../lib/assetronics.mjs";
import { afterEach, atEnd, clock, took } from "../lib/suite.mjs";

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

// Pages that a failed test left open tell where it was; they would go on moving, and take the machine from the next.
const patience = 90_000;
const open = new Set();
let leftOpen = 0;
afterEach(async () => {
  for (const context of open) {
    for (const page of context.pages()) {
      const name = `left-open-${(leftOpen += 1)}`;
      const state = page.at?.("connection-state").getAttribute("data-state", { timeout: 2000 }).catch(() => "of no known connection");
      console.log(`  a page was at ${page.url()}, ${await state}, see ${name}.png`);
      await page.screenshot({ path: `${pictures}/${name}.png` }).catch(() => {});
    }
    await context.close().catch(() => {});
  }
  open.clear();
});

/// Somebody with a browser: a page at `path` below /t/demo/, and `leave()`. `prepare` has the page before it goes anywhere.
export async function visit(path, { here, size = desktop, theme = "light", name = "Ada", mayLoseConnection = false, touch = false, prepare = () => {} } = {}) {
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
  page.setDefaultTimeout(patience);
  page.on("pageerror", (error) => complaints.push(`${page.url()}: ${error.stack}`));
  page.on("console", (message) => {
    if (!["error", "warning"].includes(message.type())) return;
    const text = message.text();
    if (refusedByServer.test(text) || (mayLoseConnection && lostConnection.test(text))) return;
    complaints.push(`${page.url()}: ${text}`);
  });
  await prepare(page);
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

/// For `prepare`: the page's clock stands still. What it would do later it does when `page.clock.runFor` moves it on, or `resume` lets it go.
export async function holdClock(page) {
  await page.clock.install();
  // Later than the page is by then, however long this takes: its clock is not put back.
  await page.clock.pauseAt(Date.now() + 60_000);
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
  const began = clock();
  for (;;) {
    const text = (await locator.first().textContent({ timeout: patience })).trim();
    if (fits(text)) return text;
    assert.ok(clock() - began < patience, `it says "${text}", not ${wanted}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/// Milliseconds, without pauses of the machine, from when `act` begins its click to when `locator` shows up.
export async function appears(act, locator) {
  const shown = locator.first().waitFor();
  const time = took();
  await act();
  await shown;
  return time().ran;
}

/// How much slower than usual this browser is at present, at least 1: a click that only asks whether it could be done, and no server,
/// takes less than 100 ms on a machine that has nothing else to do.
export async function slowness(page) {
  const time = took();
  await page.locator("body").click({ trial: true, position: { x: 2, y: 2 } });
  return Math.max(1, time().ran / 100);
}

export async function picture(page, name) {
  await page.screenshot({ path: `${pictures}/${name}.png`, animations: "disabled" });
  assert.ok(existsSync(`${pictures}/${name}.png`));
}
