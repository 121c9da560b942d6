// Runs tests one after another and counts them, for the suites that are written in Node.
import { createServer } from "node:net";
import { once } from "node:events";

const tests = [];
const cleanups = [];
const afterwards = [];

/// `body` may return a text, which is printed beside the name: what it measured. `ms` is for what hangs, not for what is
/// slow: the machine may have other things to do.
export function test(name, body, ms = 300_000) {
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

// A process that runs looks at the time more often than that. What is longer is a pause of the machine, or of this process.
const look = 20;
const longestLook = 100;
let ran = 0;
let looked = performance.now();
setInterval(clock, look).unref();

/// Milliseconds that this process was kept running: a pause of the machine counts for next to nothing. What takes long by
/// this clock took long; by the wall's, it may have been the machine.
export function clock() {
  const now = performance.now();
  ran += Math.min(now - looked, longestLook);
  looked = now;
  return ran;
}

//// A stopwatch: what it yields is how long it took by the wall's clock and by this one.
export function took() {
  const [wall, own] = [performance.now(), clock()];
  return () => ({ wall: performance.now() - wall, ran: clock() - own });
}

// What a test waits for at present: told of one that does not end.
const waits = new Set();

async function waiting(what, body) {
  const wait = { what, began: clock() };
  waits.add(wait);
  try {
    return await body(wait.began);
  } finally {
    waits.delete(wait);
  }
}

const told = (what) => (typeof what === "function" ? what() : what);

function bounded(ms, what, promise) {
  const began = clock();
  let timer;
  const late = new Promise((_, reject) => {
    timer = setInterval(() => {
      if (clock() - began >= ms) reject(new Error(`waited ${ms} ms for ${told(what)}`));
    }, Math.min(ms, longestLook));
  });
  return Promise.race([promise, late]).finally(() => clearInterval(timer));
}

/// The promise's outcome, unless that takes longer, by `clock`. `what` is a text, or yields one when it is late: what was seen.
export function within(ms, what, promise) {
  return waiting(what, () => bounded(ms, what, promise));
}

/// Waits until `condition` yields something, and yields that. `what` is as that of `within`.
export function until(what, condition, ms = 20_000) {
  return waiting(what, async (began) => {
    for (;;) {
      const asked = condition();
      const value = asked instanceof Promise ? await bounded(ms, () => `an answer to whether ${told(what)}`, asked) : asked;
      if (value) return value;
      if (clock() - began > ms) throw new Error(`waited ${ms} ms until ${told(what)}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });
}

// The kernel hands out the ports above these by itself: to whoever asks for any, and to connections.
const [lowest, highest] = [20_000, 32_000];
const held = [];

/// A port that nobody uses, and that no other suite is given before this process ends: it may be left and taken again.
export async function freePort() {
  for (;;) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    // A name of the kernel's that only one process can have at a time.
    const claim = await listening({ path: `\0bennu-test-port-${port}` });
    if (!claim) continue;
    const probe = await listening({ port });
    if (!probe) {
      claim.close();
      continue;
    }
    held.push(claim.unref());
    probe.close();
    await once(probe, "close");
    return port;
  }
}

/// A server that listens there, or null where somebody else does.
function listening(where) {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.on("error", (error) => (error.code === "EADDRINUSE" ? resolve(null) : reject(error)));
    server.listen(where, () => resolve(server));
  });
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
  const said = (error) => `${error.stack ?? error}${error.cause ? `\nbecause of ${said(error.cause)}` : ""}`;
  const trouble = (error) => `\n  ${said(error).replaceAll("\n", "\n  ")}`;
  const pending = () => [...waits].map(({ what, began }) => `\nsince ${Math.round(clock() - began)} ms for ${told(what)}`).join("");
  for (const { name, body, ms } of chosen) {
    const began = Date.now();
    waits.clear();
    try {
      const measured = await bounded(ms, () => `the whole test; it waits${pending()}`, body());
      report(true, `${name}${measured ? ` (${measured})` : ""}`);
    } catch (error) {
      report(false, name + trouble(error));
    }
    for (const tidy of afterwards) {
      try {
        await bounded(60_000, "what comes after each test", tidy());
      } catch (error) {
        report(false, `after: ${name}${trouble(error)}`);
      }
    }
    if (process.env.SUITE_TIMES) console.log(`  ${Date.now() - began} ms`);
  }
  for (const body of cleanups.reverse()) {
    try {
      await bounded(120_000, "the end of the suite", body());
    } catch (error) {
      report(false, `the end of the suite${trouble(error)}`);
    }
  }
  if (chosen.length === 0) report(false, "there is no such test");
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
}
