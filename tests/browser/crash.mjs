// kill -9 of the node under open pages.
import assert from "node:assert/strict";
import { created, fields, start } from "../lib/assetronics.mjs";
import { test, until } from "../lib/suite.mjs";
import { live, textOf, visit } from "./harness.mjs";

/// From now on the page notes what its connection is. Before this returns the page does so: a loss right afterwards is not missed.
const noteStates = (page) => page.evaluate(() => {
  window.states = [];
  const note = () => {
    const state = document.querySelector('[data-testid="connection-state"]')?.dataset.state;
    if (state && state !== (window.states.at(-1) ?? "connected")) window.states.push(state);
  };
  new MutationObserver(note).observe(document, { subtree: true, childList: true, attributeFilter: ["data-state"] });
});

/// What it noted until it was connected again.
async function statesUntilConnected(page) {
  const noted = () => page.evaluate(() => window.states);
  await until("the page is connected again", async () => (await noted()).at(-1) === "connected", 60_000)
    .catch(async (late) => { throw new Error(`${late.message}; it was ${(await noted()).join(", ") || "always connected"}`); });
  return noted();
}

test("pages survive kill -9 of the node: reconnecting, connected, and what happened meanwhile is shown", async () => {
  const here = await start();
  const list = await live(await visit("assets", { here, mayLoseConnection: true }));
  const asset = await created(list.call, { name: "Before the crash" });
  const detail = await live(await visit(`assets/${asset.id}`, { here, mayLoseConnection: true }));
  await textOf(detail.at("asset-title"), "Before the crash");
  await list.row(asset.tag).waitFor();
  await list.evaluate(() => (window.stayed = true));
  await Promise.all([noteStates(list), noteStates(detail)]);
  // The pages cannot come back before this test lets them, so that they certainly miss the change.
  await Promise.all([list, detail].map((page) => page.context().setOffline(true)));
  const began = Date.now();
  await here.killNode();
  const restarted = Date.now() - began;
  await list.call("PATCH", `/assets/${asset.id}`, { asset: { name: "Changed meanwhile" } });
  const made = fields({ name: "Made meanwhile" });
  await list.call("POST", "/assets", { asset: made });
  await Promise.all([list, detail].map((page) => page.context().setOffline(false)));
  for (const page of [list, detail]) assert.deepEqual(await statesUntilConnected(page), ["reconnecting", "connected"]);
  await list.row(made.tag).waitFor();
  await list.row(asset.tag).filter({ hasText: "Changed meanwhile" }).waitFor();
  await textOf(detail.at("asset-title"), "Changed meanwhile");
  await textOf(list.at("viewers-count"), 2);
  assert.ok(await list.evaluate(() => window.stayed));
  await Promise.all([list.leave(), detail.leave()]);
  await here.stop();
  return `the node was back after ${restarted} ms`;
});

test("a page that is used while the node restarts goes on by itself", async () => {
  const here = await start();
  const page = await live(await visit("assets", { here, mayLoseConnection: true }));
  await page.at("asset-row").first().waitFor();
  for (let round = 0; round < 3; ++round) {
    await here.killNode();
    await page.at("asset-search").fill(`round ${round}`);
    await page.waitForURL((url) => url.searchParams.get("q") === `round ${round}`);
    await page.at("empty-state").waitFor();
    await page.at("asset-search").fill("");
    await page.at("asset-row").first().waitFor();
  }
  await live(page);
  await page.leave();
  await here.stop();
});
