// A file with mistakes, through the upload button.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { temporaryFolder } from "../lib/assetronics.mjs";
import { test, within } from "../lib/suite.mjs";
import { live, picture, textOf, visit } from "./harness.mjs";

test("a file goes in through the page: preview, progress, report with lines and reasons", async () => {
  const folder = temporaryFolder();
  const file = `${folder}/inventory export.csv`;
  const lines = ["Asset Tag,Device Name,Purchase Price,Shoe Size"];
  for (let n = 1; n <= 3000; ++n) lines.push(`UP-${process.pid}-${n},Uploaded ${n},${n % 1000 === 0 ? "cheap" : n},43`);
  lines.push(`,No tag,1,43`);
  writeFileSync(file, `${lines.join("\n")}\n`);

  const watcher = await live(await visit("assets"));
  await watcher.at("row-count", "[data-total]").waitFor();
  const before = Number(await watcher.at("row-count").getAttribute("data-total"));
  const page = await live(await visit("import"));
  await page.at("import-input").setInputFiles(file);
  await textOf(page.at("import-filename"), "inventory export.csv");
  const seen = page.evaluate(() => new Promise((resolve) => {
    const values = new Set();
    const look = () => {
      const bar = document.querySelector('[data-testid="import-progress"]');
      if (bar) values.add(Number((bar.matches("[aria-valuenow]") ? bar : bar.querySelector("[aria-valuenow]")).getAttribute("aria-valuenow")));
      if (document.querySelector('[data-testid="import-status"][data-status="completed"]')) resolve([...values]);
    };
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
  }));
  await page.at("import-start").click();
  await page.at("import-status", '[data-status="completed"]').waitFor();
  const values = await within(20_000, "the bar's last value", seen);
  assert.ok(values.length > 1 && values.at(-1) === 100, `the bar showed ${values}`);
  await textOf(page.at("import-created"), "2,997");
  await textOf(page.at("import-failed"), "4");
  assert.deepEqual(await page.at("import-error-row").evaluateAll((rows) => rows.map((row) => row.dataset.line)), ["1001", "2001", "3001", "3002"]);
  await page.at("import-error-row", '[data-line="1001"]').filter({ hasText: "cheap" }).waitFor();
  assert.equal(await page.at("import-column").count(), 3);
  await textOf(page.at("import-ignored-column"), /Shoe Size/);
  await picture(page, "import-report");
  const download = page.waitForEvent("download");
  await page.at("import-errors-csv").click();
  assert.match((await download).suggestedFilename(), /inventory export.*errors\.csv/);
  await watcher.at("row-count", `[data-total="${before + 2997}"]`).waitFor();
  await page.at("import-show-assets").click();
  await page.at("row-count", `[data-total="${before + 2997}"]`).waitFor();
  await Promise.all([page.leave(), watcher.leave()]);
});

test("a file that is no table is refused with the reason", async () => {
  const folder = temporaryFolder();
  writeFileSync(`${folder}/colours.csv`, "colour,size\nred,1\n");
  writeFileSync(`${folder}/empty.csv`, "");
  const page = await live(await visit("import"));
  await page.at("import-input").setInputFiles(`${folder}/empty.csv`);
  await textOf(page.at("import-problem"), /empty/);
  await page.at("import-input").setInputFiles(`${folder}/colours.csv`);
  await page.at("import-start").click();
  await textOf(page.at("import-problem"), /tag/i);
  await page.leave();
});
