// Two people, two browsers: what one does the other sees, without reload.
import assert from "node:assert/strict";
import { apiOf, created, server } from "../lib/assetronics.mjs";
import { test, until } from "../lib/suite.mjs";
import { appears, live, slowness, textOf, visit } from "./harness.mjs";

/// What makes it sure that no page was loaded again.
const mark = (page) => page.evaluate(() => (window.stayed = true));
const stayed = (page) => page.evaluate(() => window.stayed === true);

// proves 0.11, 2.13, 3.1
test("what one creates, edits, assigns, returns and deletes appears with the other within a second", async () => {
  const ada = await live(await visit("assets", { name: "Ada" }));
  const grace = await live(await visit("assets", { name: "Grace" }));
  await mark(grace);
  const tag = `TWO-${process.pid}`;
  const times = {};

  await ada.at("new-asset").click();
  await ada.at("field-tag").fill(tag);
  await ada.at("field-name").fill("Seen by two");
  times.create = await appears(() => ada.at("save-asset").click(), grace.row(tag));
  await ada.at("asset-title").waitFor();

  await ada.at("edit-button").click();
  await ada.at("field-name").fill("Renamed for two");
  times.edit = await appears(() => ada.at("save-asset").click(), grace.row(tag).filter({ hasText: "Renamed for two" }));

  await ada.at("assign-button").click();
  await ada.at("employee-option").first().click();
  times.assign = await appears(() => ada.at("assign-submit").click(), grace.at("asset-row", `[data-tag="${tag}"][data-status="assigned"]`));
  await ada.at("holder-name").waitFor();
  const holder = await ada.at("holder-name").textContent();
  await grace.row(tag).filter({ hasText: holder.trim() }).waitFor();

  await ada.at("return-button").click();
  times.return = await appears(() => ada.at("return-submit").click(), grace.at("asset-row", `[data-tag="${tag}"][data-status="in_stock"]`));

  await ada.at("delete-button").click();
  await ada.at("confirm-ok").click();
  await grace.row(tag).waitFor({ state: "detached" });

  assert.ok(await stayed(grace), "the page was not loaded again");
  const second = 1000 * (await slowness(ada));
  for (const [what, ms] of Object.entries(times)) assert.ok(ms < second, `${what} took ${ms} ms, not ${second}`);
  await Promise.all([ada.leave(), grace.leave()]);
  return Object.entries(times).map(([what, ms]) => `${what} ${ms.toFixed(0)} ms`).join(", ");
});

// proves 2.13
test("viewers are counted and named, and leave the count when they go", async () => {
  const ada = await live(await visit("assets", { name: "Ada" }));
  await until("the others are gone", async () => (await ada.at("viewers-count").textContent()).trim() === "1");
  const grace = await live(await visit("assets", { name: "Grace" }));
  await textOf(ada.at("viewers-count"), 2);
  await ada.at("viewers-button").click();
  await ada.at("viewer").filter({ hasText: "Grace" }).waitFor();
  await grace.leave();
  await textOf(ada.at("viewers-count"), 1);
  await ada.leave();
});

test("the history of an asset and the activity grow while one looks", async () => {
  const asset = await created(apiOf(await server()), { name: "Watched" });
  const page = await live(await visit(`assets/${asset.id}`));
  await page.at("history-item", '[data-type="created"]').waitFor();
  const feed = await live(await visit("activity"));
  await feed.at("activity-item").first().waitFor();
  const person = (await page.call("GET", "/employees?status=active&page_size=1")).body.data[0];
  await page.call("POST", `/assets/${asset.id}/assign`, { employee_id: person.id, notes: "for the trip" });
  await page.at("history-item", '[data-type="assignment"]').filter({ hasText: "for the trip" }).waitFor();
  await textOf(page.at("holder-name"), person.name);
  await feed.at("activity-item", '[data-type="assignment"]').filter({ hasText: asset.name }).first().waitFor();
  await page.call("POST", `/assets/${asset.id}/return`, {});
  await page.at("history-item", '[data-type="return"]').waitFor();
  await page.at("holder-nobody").waitFor();
  await page.call("DELETE", `/assets/${asset.id}`);
  await page.at("asset-missing").waitFor();
  await Promise.all([page.leave(), feed.leave()]);
});

test("two on one asset see each other; the one who edits is told of the other's change", async () => {
  const asset = await created(apiOf(await server()), { name: "Shared" });
  const ada = await live(await visit(`assets/${asset.id}`, { name: "Ada" }));
  const grace = await live(await visit(`assets/${asset.id}`, { name: "Grace" }));
  await textOf(ada.at("also-viewing"), /Grace/);
  await grace.at("edit-button").click();
  await grace.at("field-location").fill("Basement");
  await ada.call("PATCH", `/assets/${asset.id}`, { asset: { name: "Changed by Ada" } });
  await grace.at("changed-elsewhere").waitFor();
  await grace.at("adopt-changes").click();
  assert.equal(await grace.at("field-name").inputValue(), "Changed by Ada");
  await grace.at("save-asset").click();
  await textOf(ada.at("asset-location"), "Basement");
  await textOf(ada.at("asset-title"), "Changed by Ada");
  await Promise.all([ada.leave(), grace.leave()]);
});

