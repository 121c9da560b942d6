// Every page in both sizes and both themes: pictures for people, and what can be checked without eyes.
import assert from "node:assert/strict";
import { apiOf, start } from "../lib/assetronics.mjs";
import { test } from "../lib/suite.mjs";
import { desktop, live, phone, picture, textOf, visit } from "./harness.mjs";

let here;
/// A server with nothing but the demo company.
const demo = () => (here ??= start());

const pages = {
  assets: ["assets", "asset-row"],
  asset: [(ids) => `assets/${ids.asset}`, "history-item"],
  "asset-new": ["assets/new", "asset-form"],
  "asset-edit": [(ids) => `assets/${ids.asset}/edit`, "asset-form"],
  employees: ["employees", "employee-row"],
  employee: [(ids) => `employees/${ids.employee}`, "employee-name"],
  activity: ["activity", "activity-item"],
  import: ["import", "drop-zone"],
  "monitor-empty": ["monitor", "empty-state"],
  "not-found": ["nothing", "not-found"],
};

async function ids() {
  const call = apiOf(await demo());
  const [asset] = (await call("GET", "/assets?status=assigned&page_size=1&sort=-cost")).body.data;
  return { asset: asset.id, employee: asset.employee_id };
}

for (const [sizeName, size] of Object.entries({ desktop, phone })) {
  for (const theme of ["light", "dark"]) {
    test(`every page on a ${sizeName}, ${theme}`, async () => {
      const known = await ids();
      const page = await live(await visit("assets", { here: await demo(), size, theme, touch: size === phone }));
      for (const [name, [path, ready]] of Object.entries(pages)) {
        await page.goto(`/t/demo/${typeof path === "string" ? path : path(known)}`);
        await live(page);
        await page.at(ready).first().waitFor();
        await page.evaluate(() => document.fonts.ready);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        assert.ok(overflow <= 0, `${name} is ${overflow} px wider than the screen`);
        await picture(page, `${name}-${sizeName}-${theme}`);
      }
      const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      const [r, g, b] = background.match(/\d+/g).map(Number);
      assert.equal((r + g + b) / 3 < 128, theme === "dark", background);
      await page.leave();
    });
  }
}

test("dialogs, menus and messages on both sizes", async () => {
  const known = await ids();
  const call = apiOf(await demo());
  const [free] = (await call("GET", "/assets?status=in_stock&page_size=1")).body.data;
  for (const [sizeName, size] of Object.entries({ desktop, phone })) {
    const page = await live(await visit(`assets/${free.id}`, { here: await demo(), size, theme: size === phone ? "dark" : "light", touch: size === phone }));
    await page.at("assign-button").click();
    await page.at("employee-option").first().waitFor();
    await picture(page, `assign-${sizeName}`);
    await page.at("dialog-cancel").click();
    await page.at("delete-button").click();
    await page.at("confirm-dialog").waitFor();
    await picture(page, `delete-${sizeName}`);
    await page.at("confirm-cancel").click();
    await page.goto(`/t/demo/assets/${known.asset}`);
    await live(page);
    await page.at("return-button").click();
    await page.at("return-dialog").waitFor();
    await picture(page, `return-${sizeName}`);
    await page.at("dialog-cancel").click();
    await page.at("viewers-button").click();
    await page.at("viewer").first().waitFor();
    await picture(page, `viewers-${sizeName}`);
    await page.goto("/t/demo/assets/new");
    await page.at("save-asset").click();
    await page.at("field-error-tag").waitFor();
    await picture(page, `form-errors-${sizeName}`);
    await page.leave();
  }
});

test("the theme is chosen with a button, and stays", async () => {
  const page = await live(await visit("assets", { here: await demo() }));
  const toggle = page.at("theme-toggle", ":visible");
  const choice = () => toggle.getAttribute("data-theme-choice");
  assert.equal(await choice(), "system");
  await toggle.click();
  await toggle.click();
  assert.equal(await choice(), "dark");
  await page.reload();
  assert.equal(await choice(), "dark");
  assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme), "dark");
  await page.leave();
});

test("a phone has everything that a desktop has", async () => {
  const page = await live(await visit("assets", { here: await demo(), size: phone, touch: true }));
  await page.at("asset-row").first().waitFor();
  for (const [tab, testid] of [["employees", "employee-row"], ["activity", "activity-item"], ["monitor", "device-section"], ["import", "drop-zone"], ["processes", "ops-gate"], ["assets", "asset-row"]]) {
    await page.at(`tab-${tab}`).tap();
    await page.at(testid).first().waitFor();
  }
  await page.at("asset-row").first().tap();
  await page.at("asset-title").waitFor();
  await page.at("back").tap();
  await page.at("new-asset").tap();
  await page.at("field-tag").fill(`PHONE-${process.pid}`);
  await page.at("field-name").fill("From a phone");
  await page.at("save-asset").tap();
  await textOf(page.at("asset-title"), "From a phone");
  await page.leave();
});
