// The list: search, filters, order and pages live in the address.
import assert from "node:assert/strict";
import { fields } from "../lib/assetronics.mjs";
import { apiOf, server } from "../lib/assetronics.mjs";
import { test, until } from "../lib/suite.mjs";
import { live, textOf, visit } from "./harness.mjs";

const word = `shelf${process.pid}`;
let made;
function shelf() {
  made ??= (async () => {
    const call = apiOf(await server());
    const assets = Array.from({ length: 120 }, (_, n) => fields({
      name: `${word} ${String(n).padStart(3, "0")}`, cost: n, status: n % 4 ? "in_stock" : "in_repair", category: n % 2 ? "monitor" : "tablet",
    }));
    await call("POST", "/assets", { assets });
  })();
  return made;
}
const names = (page) => page.at("asset-row").evaluateAll((rows) => rows.map((row) => row.textContent.match(/ (\d{3})/)?.[1]).map(Number));
const addressHas = (page, text) => page.waitForURL((url) => decodeURIComponent(url.search).includes(text));
/// Clicks and waits for the list that comes of it.
async function listed(page, act) {
  const answer = page.waitForResponse((response) => response.url().includes("/api/v1/assets?"));
  await act();
  await answer;
  await page.at("asset-table", '[aria-busy="false"]').waitFor();
}

// proves 3.48
test("search, filter, sort and pages work together, and the address holds them", async () => {
  await shelf();
  const page = await live(await visit("assets"));
  await page.at("asset-row").first().waitFor();
  await listed(page, () => page.at("asset-search").fill(word));
  await addressHas(page, `q=${word}`);
  await page.at("row-count", '[data-total="120"]').waitFor();
  await listed(page, () => page.at("sort-name").click());
  await addressHas(page, "sort=name");
  assert.deepEqual((await names(page)).slice(0, 3), [0, 1, 2]);
  await listed(page, () => page.at("sort-name").click());
  await addressHas(page, "sort=-name");
  assert.deepEqual((await names(page)).slice(0, 3), [119, 118, 117]);
  await listed(page, () => page.at("page-next").click());
  await addressHas(page, "page=2");
  await textOf(page.at("page-number"), "2 / 3");
  assert.equal((await names(page))[0], 69);
  await listed(page, () => page.at("filter-status-in_repair").click());
  await addressHas(page, "status=in_repair");
  await page.at("row-count", '[data-total="30"]').waitFor();
  await listed(page, () => page.at("filter-category").selectOption("tablet"));
  await page.at("row-count", '[data-total="30"]').waitFor();
  assert.ok((await names(page)).every((n) => n % 4 === 0));

  const address = page.url();
  const second = await visit(address.split("/t/demo/")[1]);
  await second.at("row-count", '[data-total="30"]').waitFor();
  assert.deepEqual(await names(second), await names(page));
  assert.equal(await second.at("asset-search").inputValue(), word);
  await second.leave();

  await page.row(await page.at("asset-row").first().getAttribute("data-tag")).locator('[data-testid="asset-link"]').first().click();
  await page.at("asset-title").waitFor();
  await page.goBack();
  await page.at("row-count", '[data-total="30"]').waitFor();
  assert.equal(page.url(), address);
  await page.at("filter-clear").click();
  await page.at("asset-row").first().waitFor();
  assert.equal(new URL(page.url()).searchParams.get("q"), null);
  await page.at("asset-search").fill("nothing has this name");
  await page.at("empty-state").waitFor();
  await page.at("empty-clear").click();
  await page.at("asset-row").first().waitFor();
  await page.leave();
});

test("addresses that somebody mistyped show the list, and unknown ones say so", async () => {
  const page = await live(await visit("assets?sort=colour&status=flying&page=-3&q="));
  await page.at("asset-row").first().waitFor();
  await page.goto("/t/demo/nothing/here");
  await page.at("not-found").waitFor();
  await page.goto("/t/other/assets");
  await page.at("unknown-tenant").waitFor();
  await page.goto("/t/demo/assets/019b0000-0000-7000-8000-000000000000");
  await page.at("asset-missing").waitFor();
  await page.leave();
});

test("employees are found, and lead to what they have", async () => {
  const page = await live(await visit("employees"));
  await page.at("employee-row").first().waitFor();
  const people = (await page.call("GET", "/employees?status=active&page_size=100")).body.data;
  const busy = people.find(({ asset_count }) => asset_count > 0);
  await page.at("employee-list-search").fill(busy.email);
  await page.at("employee-row", `[data-id="${busy.id}"]`).waitFor();
  await textOf(page.at("employee-row", `[data-id="${busy.id}"]`).locator('[data-testid="employee-asset-count"]'), new RegExp(`${busy.asset_count}`));
  // The list that is still there would be replaced under the click.
  await until("only that one is listed", async () => (await page.at("employee-row").count()) === 1);
  await page.at("employee-link").first().click();
  await textOf(page.at("employee-name"), busy.name);
  await page.at("asset-row").first().waitFor();
  assert.equal(await page.at("asset-row").count(), busy.asset_count);
  await page.leave();
});

test("how many assets people have follows by itself, and the list is not read anew for it", async () => {
  const page = await live(await visit("employees?status=active"));
  await page.at("employee-row").first().waitFor();
  const id = await page.at("employee-row").first().getAttribute("data-id");
  const person = (await page.call("GET", `/employees/${id}`)).body.data;
  const count = page.at("employee-row", `[data-id="${id}"]`).locator('[data-testid="employee-asset-count"]');
  const shows = (wanted) => until(`it shows ${wanted}`, async () => Number((await count.textContent()).match(/\d+/)?.[0] ?? 0) === wanted);
  await shows(person.asset_count);
  let reads = 0;
  page.on("request", (request) => (reads += request.url().includes("/api/v1/employees")));
  const asset = (await page.call("POST", "/assets", { asset: fields({}) })).body.data;
  assert.equal((await page.call("POST", `/assets/${asset.id}/assign`, { employee_id: id })).status, 200);
  await shows(person.asset_count + 1);
  await page.call("DELETE", `/assets/${asset.id}`);
  await shows(person.asset_count);
  assert.equal(reads, 0);
  await page.leave();
});

test("who follows a link while a search is still due gets where the link leads", async () => {
  for (const { list, row, page: chunk } of [
    { list: "assets", row: "asset", page: "AssetPage" }, { list: "employees", row: "employee", page: "EmployeePage" },
  ]) {
    const page = await visit(list);
    // The page behind the link takes longer to load than the search waits for the next key.
    await page.route((url) => url.pathname.includes(`/${chunk}-`), async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 600));
      await route.continue();
    });
    await page.at(`${row}-link`).first().waitFor();
    // Both in one go, as quick hands do it.
    await page.evaluate(([field, link]) => {
      const input = document.querySelector(`[data-testid="${field}"]`);
      input.value = "a";
      input.dispatchEvent(new Event("input", { bubbles: true }));
      document.querySelector(`[data-testid="${link}"]`).click();
    }, [list === "assets" ? "asset-search" : "employee-list-search", `${row}-link`]);
    await page.at(row === "asset" ? "asset-title" : "employee-name").waitFor();
    await page.leave();
  }
});
