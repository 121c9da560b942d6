// The supervision tree, and what an operator does to it. Servers of their own: drills are for nobody else.
import assert from "node:assert/strict";
import { apiOf, created, start } from "../lib/assetronics.mjs";
import { test, took, until } from "../lib/suite.mjs";
import { desktop, phone, picture, textOf, visit } from "./harness.mjs";

/// Ticks without a sign of life that a busy machine may cause.
const allowedSilence = 3;
const development = { ASSETRONICS_ENV: "dev" };
const token = "the operators of this test";

async function board(here, more = {}) {
  const page = await visit("assets", { here, ...more });
  page.process = (id) => page.at("process-row", `[data-id="${id}"]`);
  page.pidOf = async (id) => (await page.process(id).getAttribute("data-pid")) ?? "";
  page.open = (id) => page.process(id).click();
  page.restart = (child, was) => page.at("restart-item", `[data-child="${child}"][data-was="${was}"]:not([data-pid=""])`);
  page.isSilent = (id) => page.process(id).locator('[data-testid="process-state"][data-state="no answer"]');
  await page.goto("/ops/processes");
  return page;
}
const shown = (page) => page.process("devices").waitFor();

async function startCrew(page) {
  await page.at("practice-toggle").click();
  await page.process("counter-8").waitFor();
  await until("the crew beats", async () => Number(await page.process("counter-8").locator('[data-testid="pulse"]').getAttribute("data-beats")) > 3);
}

/// Watches the longest silence of every process until the returned function is called.
async function watchSilence(page) {
  await page.evaluate(() => {
    window.silences = {};
    window.watching = setInterval(() => {
      for (const row of document.querySelectorAll('[data-testid="process-row"]')) {
        const silent = Number(row.querySelector('[data-testid="pulse"]')?.dataset.silent ?? 0);
        window.silences[row.dataset.id] = Math.max(window.silences[row.dataset.id] ?? 0, silent);
      }
    }, 50);
  });
  return () => page.evaluate(() => (clearInterval(window.watching), window.silences));
}

const pidsOf = (page) => page.at("process-row").evaluateAll((rows) => Object.fromEntries(rows.map((row) => [row.dataset.id, row.dataset.pid])));

/// Crashes what is open on the page; milliseconds until each viewer shows the restart.
async function crashed(page, viewers, id, button = "process-crash") {
  const was = await page.pidOf(id);
  await page.open(id);
  await page.at("process-panel", `[data-id="${id}"]`).waitFor();
  await page.at(button).click();
  const time = took();
  if (await page.at("confirm-ok").count()) await page.at("confirm-ok").click();
  return Promise.all(viewers.map(async (viewer) => {
    await viewer.restart(id, was).waitFor();
    await until("the row has the new process", async () => ![was, ""].includes(await viewer.pidOf(id)));
    return Math.round(time().ran);
  }));
}

/// Hangs it until each viewer has seen that, and how its mailbox grows.
async function hung(page, viewers, id) {
  const unseen = new Set(viewers);
  let grown = false;
  let hangs = -Infinity;
  await page.open(id);
  await until(() => `${id} is seen to hang (${unseen.size} did not), and its mailbox grows (${grown})`, async () => {
    // It hangs for ten seconds: a machine that pauses may use them up.
    if (performance.now() - hangs > 11_000) {
      await page.at("process-hang").click();
      hangs = performance.now();
    }
    for (const viewer of [...unseen]) if (await viewer.isSilent(id).count()) unseen.delete(viewer);
    grown ||= Number(await page.process(id).locator('[data-testid="process-mailbox"]').textContent()) >= 8;
    return grown && unseen.size === 0;
  }, 60_000);
}

test("two viewers see a crash, a kill and a hang at once, and the neighbours' hearts beat on", async () => {
  const here = await start({ environment: development });
  const ada = await board(here);
  const bob = await board(here, { name: "Bob" });
  await Promise.all([shown(ada), shown(bob)]);
  await startCrew(ada);
  const before = await pidsOf(ada);
  const stopped = await watchSilence(ada);
  const took = [];
  took.push(...(await crashed(ada, [ada, bob], "counter-2")));
  took.push(...(await crashed(bob, [ada, bob], "devices")));
  await hung(ada, [ada, bob], "counter-3");
  took.push(...(await crashed(ada, [ada, bob], "counter-6", "process-kill")));
  const silences = await stopped();
  assert.ok(Math.max(...took) < 1000, `restarts were seen after ${took} ms`);

  const after = await pidsOf(ada);
  const anew = ["counter-2", "counter-6", "counter-7", "counter-8", "devices"];
  for (const [id, pid] of Object.entries(before)) {
    assert.equal(after[id] !== pid, anew.includes(id), `${id}: ${pid} → ${after[id]}`);
    if (id !== "counter-3") assert.ok(silences[id] <= allowedSilence, `${id} was silent for ${silences[id]} ticks`);
  }
  assert.ok(silences["counter-3"] > 5);
  await ada.open("counter-2");
  await textOf(ada.at("process-last-exit"), /InjectedFault: crashed on purpose by Ada/);
  await ada.open("counter-3");
  for (const theme of ["light", "dark"]) {
    await ada.emulateMedia({ colorScheme: theme });
    await ada.setViewportSize(desktop);
    await picture(ada, `processes-desktop-${theme}`);
    await ada.setViewportSize(phone);
    await picture(ada, `processes-panel-phone-${theme}`);
    await ada.at("process-close").click();
    const overflow = await ada.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(overflow <= 0, `${overflow} px wider than the phone`);
    await picture(ada, `processes-phone-${theme}`);
    await ada.process("counter-3").locator('[data-testid="process-open"]').click();
  }
  await ada.setViewportSize(desktop);
  await ada.isSilent("counter-3").waitFor({ state: "detached" });
  assert.equal(await ada.pidOf("counter-3"), before["counter-3"]);
  await until("it worked off what waited", async () => Number(await ada.process("counter-3").locator('[data-testid="process-mailbox"]').textContent()) <= 1);

  await ada.at("practice-toggle").click();
  await bob.process("practice").waitFor({ state: "detached" });
  await Promise.all([ada.leave(), bob.leave()]);
  await here.stop();
  return `seen after ${Math.max(...took)} ms at most`;
});

test("every process of the tree may crash: the node stays, and everything works afterwards", async () => {
  const here = await start({ environment: development });
  const node = await here.node();
  const page = await board(here, { mayLoseConnection: true });
  await shown(page);
  const call = apiOf(here);
  for (const id of ["imports", "devices", "sampler", "ops", "endpoint"]) {
    for (const [button, name] of [["process-crash", "crash"], ["process-kill", "kill"]]) {
      const was = await page.pidOf(id);
      await page.open(id);
      // Restarts on purpose are spaced, so that no budget is spent.
      await until(`${id} comes back after a ${name}`, async () => {
        if (![was, ""].includes(await page.pidOf(id))) return true;
        if ((await page.at("process-panel", `[data-pid="${was}"]`).count()) && (await page.at(button).isEnabled())) {
          await page.at(button).click();
          await page.at("confirm-ok").click();
          await new Promise((resolve) => setTimeout(resolve, 500));
        }
      }, 60_000);
      assert.equal(await here.node(), node, `the node ended with a ${name} of ${id}: ${here.stderr.slice(-3000)}`);
      await created(call);
      assert.equal((await call("GET", "/devices")).status, 200, `after a ${name} of ${id}`);
    }
  }
  const imported = await call("POST", "/imports?filename=x.csv", "tag,name\nOPS-1,After the drills\n", { "content-type": "text/csv" });
  assert.equal(imported.status, 202, imported.text);
  await until("the import is done", async () => (await call("GET", `/imports/${imported.body.data.id}`)).body.data.status === "completed");
  await page.open("assetronics");
  await textOf(page.at("process-guarded"), /end of the node/);
  await page.leave();
  await here.stop();
});

test("the tree is walked with the keyboard, collapsed, paused, and goes on after a lost connection", async () => {
  const here = await start({ environment: development });
  const page = await board(here, { mayLoseConnection: true });
  await shown(page);
  await page.process("assetronics").focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.at("process-panel", '[data-id="devices"]').waitFor();
  await page.keyboard.press("Escape");
  await page.at("process-panel").waitFor({ state: "detached" });
  await page.process("assetronics").focus();
  await page.keyboard.press("ArrowLeft");
  await page.process("devices").waitFor({ state: "detached" });
  await page.keyboard.press("ArrowRight");
  await shown(page);

  const ticks = async () => Number(await page.at("process-board").getAttribute("data-ticks"));
  await page.at("process-pause").click();
  await page.at("process-live", '[data-live="paused"]').waitFor();
  const at = await ticks();
  const other = await board(here, { name: "Bob" });
  await shown(other);
  await crashed(other, [other], "imports");
  assert.equal(await ticks(), at);
  assert.equal(await page.at("restart-item").count(), 0);
  await page.at("process-pause").click();
  await page.at("restart-item", '[data-child="imports"]').waitFor();
  await until("it goes on", async () => (await ticks()) > at);

  await page.context().setOffline(true);
  await here.killNode();
  await page.at("process-live", '[data-live="reconnecting"]').waitFor();
  await page.context().setOffline(false);
  await page.at("process-live", '[data-live="live"]').waitFor();
  await until("the new node's history is shown", async () => (await page.at("restart-item").count()) === 0);
  const now = await ticks();
  await until("it goes on", async () => (await ticks()) > now);
  await Promise.all([page.leave(), other.leave()]);
  await here.stop();
});

test("in production the page is closed without a token, says how to open it, and opens with the right one", async () => {
  const closed = await start();
  const guest = await board(closed);
  await guest.at("ops-gate", '[data-reason="ops_disabled"]').waitFor();
  await textOf(guest.at("ops-gate"), /ASSETRONICS_OPS_TOKEN/);
  await picture(guest, "processes-closed-desktop-light");
  await guest.leave();
  await closed.stop();

  const here = await start({ environment: { ASSETRONICS_OPS_TOKEN: token } });
  const page = await board(here);
  await page.at("ops-gate", '[data-reason="token_required"]').waitFor();
  await page.at("field-ops-token").fill("a guess");
  await page.at("ops-token-submit").click();
  await page.at("ops-gate", '[data-reason="token_wrong"]').waitFor();
  await page.setViewportSize(phone);
  await page.emulateMedia({ colorScheme: "dark" });
  await picture(page, "processes-token-phone-dark");
  await page.setViewportSize(desktop);
  await page.at("field-ops-token").fill(token);
  await page.at("ops-token-submit").click();
  await shown(page);
  assert.equal(await page.at("practice-toggle").count(), 0);
  await page.reload();
  await shown(page);
  await crashed(page, [page], "devices");
  await page.leave();
  await here.stop();
});
