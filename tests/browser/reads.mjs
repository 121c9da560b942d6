// A page that is opened directly reads what it shows once, and again only when it may lack something.
import assert from "node:assert/strict";
import { apiOf, created, server } from "../lib/assetronics.mjs";
import { test, until } from "../lib/suite.mjs";
import { holdClock, live, visit } from "./harness.mjs";

/// How often a page has read each address of the API.
async function counting(page) {
  page.reads = new Map();
  page.on("request", (request) => {
    const { pathname, search } = new URL(request.url());
    if (request.method() === "GET" && pathname.startsWith("/api/")) {
      page.reads.set(pathname + search, (page.reads.get(pathname + search) ?? 0) + 1);
    }
  });
  await holdClock(page);
}
const readsOf = (page, path) => [...page.reads].filter(([address]) => address.startsWith(`/api/v1${path}`)).map(([, times]) => times);
/// Whatever a page would do soon it does now: read without its channels, or read again.
const moveOn = (page) => page.clock.runFor(2000);

test("a page that is opened directly reads everything once", async () => {
  const call = apiOf(await server());
  const asset = await created(call);
  const { data: [person] } = (await call("GET", "/employees?page_size=1")).body;
  const pages = [["assets", "/assets?"], ["employees", "/employees?"], ["activity", "/activity"],
    [`assets/${asset.id}`, `/assets/${asset.id}`], [`employees/${person.id}`, `/employees/${person.id}`]];
  for (const [path, address] of pages) {
    const page = await live(await visit(path, { prepare: counting }));
    await until(`${path} has read`, () => readsOf(page, address).length > 0 && readsOf(page, "/summary").length > 0);
    await page.waitForLoadState("networkidle");
    await moveOn(page);
    await page.waitForLoadState("networkidle");
    assert.deepEqual([...page.reads].filter(([, times]) => times !== 1), [], path);
    await page.leave();
  }
});

test("a page that reads before it is told what happens reads again then", async () => {
  const call = apiOf(await server());
  let letGo;
  const held = new Promise((resolve) => (letGo = resolve));
  const page = await visit("assets?sort=-inserted_at", {
    prepare: async (page) => {
      await counting(page);
      await page.routeWebSocket(/\/socket\//, async (socket) => {
        await held;
        socket.connectToServer();
      });
    },
  });
  await until("the page is there", () => page.at("new-asset").count());
  assert.deepEqual(readsOf(page, "/assets?"), []);
  await moveOn(page);
  await page.at("asset-row").first().waitFor();
  const missed = await created(call);
  letGo();
  await live(page);
  await moveOn(page);
  await page.row(missed.tag).waitFor();
  assert.deepEqual(readsOf(page, "/assets?"), [2]);
  await page.leave();
});
