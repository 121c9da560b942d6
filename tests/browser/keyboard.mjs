// Everything without a mouse.
import assert from "node:assert/strict";
import { test } from "../lib/suite.mjs";
import { live, visit } from "./harness.mjs";

test("keys: search, walk, open, edit, add, go places, help", async () => {
  const page = await live(await visit("assets"));
  await page.at("asset-row").first().waitFor();
  const keys = page.keyboard;
  await keys.press("/");
  assert.equal(await page.evaluate(() => document.activeElement.dataset.testid ?? document.activeElement.closest("[data-testid]")?.dataset.testid), "asset-search");
  await keys.press("Escape");
  await page.evaluate(() => document.activeElement.blur());
  await keys.press("j");
  await keys.press("j");
  await keys.press("k");
  await page.at("asset-row", '[data-active="true"]').waitFor();
  const tag = await page.at("asset-row", '[data-active="true"]').getAttribute("data-tag");
  await keys.press("Enter");
  await page.at("asset-tag").filter({ hasText: tag }).waitFor();
  await keys.press("e");
  await page.at("asset-form").waitFor();
  await keys.press("Escape");
  await page.evaluate(() => document.activeElement.blur());
  await page.at("asset-title").or(page.at("asset-form")).first().waitFor();
  await page.goto("/t/demo/assets");
  await page.at("asset-row").first().waitFor();
  await keys.press("n");
  await page.at("asset-form").waitFor();
  await page.at("field-tag").fill(`KEY-${process.pid}`);
  await keys.press("Tab");
  await page.at("field-name").fill("By keyboard");
  await keys.press("Control+Enter");
  await page.at("asset-title").filter({ hasText: "By keyboard" }).waitFor();
  await keys.press("a");
  await page.at("assign-dialog").waitFor();
  await page.at("employee-option").first().waitFor();
  await keys.press("ArrowDown");
  await keys.press("Enter");
  await keys.press("Control+Enter");
  await page.at("holder-name").waitFor();
  for (const [key, testid] of [["a", "asset-table"], ["e", "employee-table"], ["f", "activity-feed"], ["i", "drop-zone"], ["m", "device-section"]]) {
    // Both are on their way at once: the second must come within a second.
    await Promise.all([keys.press("g"), keys.press(key)]);
    await page.at(testid).first().waitFor();
  }
  await keys.press("?");
  await page.at("shortcuts-dialog").waitFor();
  await keys.press("Escape");
  await page.at("shortcuts-dialog").waitFor({ state: "detached" });
  await page.leave();
});

test("the focus is seen, and Tab reaches the list from the top of the page", async () => {
  const page = await live(await visit("assets"));
  await page.at("asset-row").first().waitFor();
  const seen = new Set();
  for (let i = 0; i < 60 && !seen.has("asset-link"); ++i) {
    await page.keyboard.press("Tab");
    const { testid, outline } = await page.evaluate(() => {
      const active = document.activeElement;
      return { testid: active.dataset.testid ?? active.closest("[data-testid]")?.dataset.testid, outline: getComputedStyle(active).outlineStyle };
    });
    seen.add(testid);
    if (testid === "new-asset") assert.notEqual(outline, "none");
  }
  for (const testid of ["asset-search", "new-asset", "filter-category", "asset-link"]) assert.ok(seen.has(testid), `${testid} of ${[...seen]}`);
  await page.leave();
});
