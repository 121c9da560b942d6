// Runs tests one after another and counts them, for the suites that are written in Node.
import { createServer } from "node:net";
import { once } from "node:events";

const tests = [];
const cleanups = [];
const afterwards = [];

/// `body` may return a text, which is printed beside the name: what it measured. `ms` is for what hangs, not for what is
/// slow: the machine may have other things to do.
export function test(name, body, ms = 120_000) {
  tests.push({ name, body, ms });
}

/// Runs when all tests are over, whatever came of them.
export function atEnd(body) {
  cleanups.push(body);
}

/// Runs after each test, whatever came of it, so that one that failed leaves nothing to the next.
export function afterEach(body) {
  afterwards.push(body);
}

export function within(ms, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${ms} ms for ${what}`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/// Waits until `condition` yields something, and yields that.
export async function until(what, condition, ms = 20_000) {
  const end = Date.now() + ms;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited ${ms} ms until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}

/// Runs everything, or the tests whose names contain the first argument of the command line.
export async function finish() {
  const chosen = tests.filter(({ name }) => name.includes(process.argv[2] ?? ""));
  let passed = 0;
  let failed = 0;
  const report = (ok, text) => {
    ok ? (passed += 1) : (failed += 1);
    console.log(`${ok ? "ok" : "not ok"} ${text}`);
  };
  const trouble = (error) => `\n  ${String(error.stack ?? error).replaceAll("\n", "\n  ")}`;
  for (const { name, body, ms } of chosen) {
    const began = Date.now();
    try {
      const said = await within(ms, "the whole test", body());
      report(true, `${name}${said ? ` (${said})` : ""}`);
    } catch (error) {
      report(false, name + trouble(error));
    }
    for (const tidy of afterwards) await tidy();
    if (process.env.SUITE_TIMES) console.log(`  ${Date.now() - began} ms`);
  }
  for (const body of cleanups.reverse()) {
    try {
      await within(40_000, "the end of the suite", body());
    } catch (error) {
      report(false, `the end of the suite${trouble(error)}`);
    }
  }
  if (chosen.length === 0) report(false, "there is no such test");
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
}
