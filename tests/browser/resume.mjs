// A page that lost its connection: what it missed comes once, and it reads anew only when it must.
import assert from "node:assert/strict";
import { apiOf, created, fields, start } from "../lib/assetronics.mjs";
import { test, until } from "../lib/suite.mjs";
import { holdClock, live, textOf, visit } from "./harness.mjs";
import { line } from "./line.mjs";

/// Notes what the page asks the API for and what its socket is told.
function notes(page) {
  const note = { lists: 0, joins: {}, events: [] };
  page.on("requestfinished", (request) => {
    note.lists += /^\/api\/v1\/(assets|activity)$/.test(new URL(request.url()).pathname);
  });
  page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => {
    const [, , topic, event, content] = JSON.parse(payload);
    if (event === "phx_reply" && content.response?.resume) note.joins[topic] = content.response.resume.status;
    if (/^(asset|activity)/.test(event)) note.events.push({ event, ...content });
  }));
  return note;
}

/// Opens a page and waits until it has joined and read its list.
async function settled(path, here) {
  let note;
  const page = await visit(path, { here, mayLoseConnection: true, prepare: (page) => ((note = notes(page)), holdClock(page)) });
  await live(page);
  await until("the list was read", () => note.lists === 1);
  await page.clock.resume();
  note.lists = note.events.length = 0;
  note.joins = {};
  return { page, note };
}
const connection = (page, state) => page.at("connection-state", `[data-state="${state}"]`).waitFor({ state: "attached" });
const times = (note, what) => note.events.filter(what).length;

test("after a lost connection each missed change comes exactly once, and no list is read anew", async () => {
  const server = await start();
  const call = apiOf(server);
  const cable = await line(server);
  const query = `RESUME${process.pid}`;
  const kept = await created(call, { name: `${query} kept` });
  const gone = await created(call, { name: `${query} gone` });
  const { page: list, note: ofList } = await settled(`assets?q=${query}`, cable);
  const { page: feed, note: ofFeed } = await settled("activity", cable);
  await textOf(list.at("row-count"), /2/);
  await list.evaluate(() => (window.stayed = true));

  cable.cut();
  await Promise.all([list, feed].map((page) => connection(page, "reconnecting")));
  const person = (await call("GET", "/employees?status=active&page_size=1")).body.data[0];
  const made = fields({ name: `${query} made` });
  assert.equal((await call("POST", "/assets", { asset: made })).status, 201);
  await call("PATCH", `/assets/${kept.id}`, { asset: { location: "Changed while away" } });
  await call("POST", `/assets/${kept.id}/assign`, { employee_id: person.id });
  await call("DELETE", `/assets/${gone.id}`);
  cable.mend();

  await list.row(made.tag).waitFor();
  await list.row(kept.tag).filter({ hasText: person.name }).waitFor();
  await list.row(gone.tag).waitFor({ state: "detached" });
  await textOf(list.at("row-count"), /2/);
  for (const type of ["created", "updated", "assignment", "deleted"]) {
    await feed.at("activity-item", `[data-type="${type}"]`).first().waitFor();
  }
  // Once there is one more change, both pages have had all that comes before it.
  await call("PATCH", `/assets/${kept.id}`, { asset: { notes: "the last one" } });
  await until("the list's page has the last change", () => ofList.events.at(-1)?.asset?.notes === "the last one");
  await until("the activity's page has it", () => ofFeed.events.filter(({ event }) => event === "activity_created").length >= 5);
  assert.equal(ofList.joins["assets:demo"], "resumed");
  assert.equal(ofFeed.joins["activity:demo"], "resumed");
  assert.equal(times(ofList, ({ event, asset }) => event === "asset_created" && asset.tag === made.tag), 1);
  assert.equal(times(ofList, ({ event, asset }) => event === "asset_updated" && asset.location === "Changed while away" && !asset.notes), 1);
  assert.equal(times(ofList, ({ event }) => event === "asset_assigned"), 1);
  assert.equal(times(ofList, ({ event, id }) => event === "asset_deleted" && id === gone.id), 1);
  assert.equal(times(ofFeed, ({ event }) => event === "activity_created"), 5);
  assert.equal(await feed.at("activity-item").filter({ hasText: made.name }).count(), 1);
  assert.deepEqual([ofList.lists, ofFeed.lists], [0, 0]);
  assert.ok(await list.evaluate(() => window.stayed));
  await Promise.all([list.leave(), feed.leave()]);
  await server.stop();
});

test("after a restart of the server the lists are told to read anew, and do", async () => {
  const server = await start();
  const call = apiOf(server);
  const cable = await line(server);
  const { page, note } = await settled("assets", cable);
  cable.cut();
  await connection(page, "reconnecting");
  await server.killNode();
  const made = await created(call, { name: "Made by another run" });
  cable.mend();
  await page.row(made.tag).waitFor();
  assert.equal(note.joins["assets:demo"], "resync");
  assert.ok(note.lists > 0);
  await page.leave();
  await server.stop();
});

test("a list that could not be read while there was no connection is read once there is one", async () => {
  const server = await start();
  const made = await created(apiOf(server));
  const cable = await line(server);
  const { page, note } = await settled("assets", cable);
  cable.cut();
  await connection(page, "reconnecting");
  await page.at("asset-search").fill(made.tag);
  await page.at("retry").waitFor();
  cable.mend();
  await textOf(page.at("row-count"), "1 match");
  await page.at("retry").waitFor({ state: "detached" });
  assert.equal(note.joins["assets:demo"], "resumed");
  await page.leave();
  await server.stop();
});
