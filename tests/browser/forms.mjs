// Adding, editing, giving out, taking back, deleting: through the pages.
import assert from "node:assert/strict";
import { apiOf, created, fields, server } from "../lib/assetronics.mjs";
import { test } from "../lib/suite.mjs";
import { live, textOf, visit } from "./harness.mjs";

test("mistakes in a form are told beside their fields, by the page and by the server", async () => {
  const call = apiOf(await server());
  const taken = await created(call);
  const page = await live(await visit("assets/new"));
  await page.at("save-asset").click();
  await page.at("field-error-tag").waitFor();
  await page.at("field-error-name").waitFor();
  await page.at("field-tag").fill(taken.tag);
  await page.at("field-name").fill("Twin");
  await page.at("save-asset").click();
  await textOf(page.at("field-error-tag"), /taken|exists|already/i);
  assert.equal(await page.at("field-tag").getAttribute("aria-invalid"), "true");
  assert.equal(await page.at("field-error-name").count(), 0);
  await page.at("field-name").fill("bell \u0007");
  await page.at("save-asset").click();
  await textOf(page.at("field-error-name"), /control characters/);
  const fresh = fields();
  await page.at("field-tag").fill(fresh.tag);
  await page.at("field-name").fill(`<img src=x onerror="throw 1">`);
  await page.at("field-cost").fill("1299.50");
  await page.at("field-purchase_date").fill("2025-02-28");
  await page.at("field-category").selectOption("phone");
  await page.at("save-asset").click();
  await textOf(page.at("asset-title"), `<img src=x onerror="throw 1">`);
  await textOf(page.at("asset-tag"), fresh.tag);
  await textOf(page.at("asset-cost"), /1,299\.50/);
  const [stored] = (await call("GET", `/assets?tag=${fresh.tag}`)).body.data;
  assert.deepEqual([stored.cost, stored.purchase_date, stored.category], [1299.5, "2025-02-28", "phone"]);
  await page.leave();
});

// proves 2.17
test("scripts in every field are text on every page that shows them", async () => {
  const script = (n) => `<img src=x onerror="throw ${n}"><script>throw ${n}</script>{{ ${n} }}`;
  const names = ["name", "description", "make", "model", "serial", "vendor", "location", "notes"];
  const call = apiOf(await server());
  const asset = await created(call, Object.fromEntries(names.map((name, n) => [name, script(n)])));
  const [person] = (await call("GET", "/employees?status=active&page_size=1")).body.data;
  const page = await live(await visit(`assets/${asset.id}`, { name: script("viewer") }));
  await textOf(page.at("asset-title"), script(0));
  for (const [n, name] of names.entries()) if (n > 0) await textOf(page.at(`asset-${name}`), script(n));
  await page.at("viewers-button").click();
  await page.at("viewer").filter({ hasText: script("viewer").slice(0, 40) }).waitFor();
  await call("POST", `/assets/${asset.id}/assign`, { employee_id: person.id, notes: script("history") });
  await page.at("history-item", '[data-type="assignment"]').filter({ hasText: script("history") }).waitFor();
  for (const [path, testid] of [["assets", "asset-row"], ["activity", "activity-item"], [`employees/${person.id}`, "asset-row"]]) {
    await page.goto(`/t/demo/${path}`);
    await page.at(testid).filter({ hasText: script(0) }).first().waitFor();
  }
  assert.equal(await page.locator("main img, main script").count(), 0);
  await page.leave();
});

test("an asset is given out and taken back through the dialogs", async () => {
  const asset = await created(apiOf(await server()));
  const page = await live(await visit(`assets/${asset.id}`));
  await page.at("assign-button").click();
  await page.at("assign-submit").click();
  await page.at("field-error-employee_id").waitFor();
  const [, second] = (await page.call("GET", "/employees?status=active&page_size=2")).body.data;
  await page.at("employee-search").fill(second.email);
  await page.at("employee-option", `[data-id="${second.id}"]`).click();
  await page.at("assignment-type-loaner").click();
  await page.at("field-expected_return").fill("2031-05-01");
  await page.at("field-notes").fill("With the charger");
  await page.at("assign-submit").click();
  await textOf(page.at("holder-name"), second.name);
  await page.at("asset-status", '[data-status="assigned"]').waitFor();
  await textOf(page.at("assignment-kind"), /loaner/i);
  await page.at("history-item", '[data-type="assignment"]').filter({ hasText: "With the charger" }).waitFor();
  await page.at("return-button").click();
  await page.at("field-condition").selectOption("damaged");
  await page.at("return-submit").click();
  await page.at("holder-nobody").waitFor();
  await textOf(page.at("asset-condition"), /damaged/i);
  await page.leave();
});

test("a conflict is told in the dialog", async () => {
  const asset = await created(apiOf(await server()));
  const page = await live(await visit(`assets/${asset.id}`));
  await page.at("assign-button").click();
  await page.at("employee-option").last().click();
  const [first] = (await page.call("GET", "/employees?status=active&page_size=1")).body.data;
  await page.call("POST", `/assets/${asset.id}/assign`, { employee_id: first.id });
  await page.at("assign-submit").click();
  await page.at("assign-dialog").locator('[role="alert"]').first().waitFor();
  await page.at("dialog-cancel").click();
  await textOf(page.at("holder-name"), first.name);
  await page.leave();
});

test("a deletion can be undone", async () => {
  const call = apiOf(await server());
  const asset = await created(call, { cost: 5, notes: "keep me" });
  const page = await live(await visit(`assets/${asset.id}`));
  await page.at("delete-button").click();
  await page.at("confirm-cancel").click();
  await page.at("delete-button").click();
  await page.at("confirm-ok").click();
  // Under the mouse the message stays.
  await page.at("toast", '[data-kind="success"]').hover();
  assert.equal((await call("GET", `/assets/${asset.id}`)).status, 404);
  await page.at("toast-undo").click();
  await textOf(page.at("asset-tag"), asset.tag);
  const [again] = (await call("GET", `/assets?tag=${asset.tag}`)).body.data;
  assert.deepEqual([again.cost, again.notes], [5, "keep me"]);
  await page.leave();
});

test("what is unsaved is not left by mistake", async () => {
  const page = await live(await visit("assets/new"));
  await page.at("field-name").fill("Half a thought");
  await page.at("unsaved").waitFor();
  await page.at("nav-activity").click();
  await page.at("confirm-dialog").waitFor();
  await page.at("confirm-cancel").click();
  assert.equal(await page.at("field-name").inputValue(), "Half a thought");
  await page.at("nav-activity").click();
  await page.at("confirm-ok").click();
  await page.at("activity-feed").waitFor();
  await page.leave();
});
