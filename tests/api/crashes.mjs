// kill -9 of the node while it works: nothing that was acknowledged is lost.
import assert from "node:assert/strict";
import { apiOf, fields, start } from "../lib/assetronics.mjs";
import { test, until } from "../lib/suite.mjs";
import { assertStatus } from "./expect.mjs";
import { client, joined, leave, next } from "./socket.mjs";

// proves 1.9, 1.11
test("kill -9 while writes run: acknowledged writes are there, sockets come back, the launcher stays", async () => {
  const here = await start();
  const call = apiOf(here);
  const socket = await client(here);
  let drops = 0;
  socket.onClose(() => (drops += 1));
  const assets = await joined(socket, "assets:demo");
  const acknowledged = new Map();
  let failed = 0;
  let working = true;
  /// Writes without pause; an answer is an acknowledgement, anything else is not.
  const writer = async () => {
    while (working) {
      const asset = fields();
      try {
        const answer = await call("POST", "/assets", { asset });
        assertStatus(answer, 201);
        acknowledged.set(asset.tag, answer.body.data.id);
      } catch (error) {
        if (error.code === "ERR_ASSERTION") throw error;
        failed += 1;
      }
    }
  };
  const writers = Promise.all(Array.from({ length: 8 }, writer));
  writers.catch(() => {});
  const pids = new Set();
  const pauses = [];
  for (let round = 1; round <= 3; ++round) {
    const enough = acknowledged.size + 100;
    await until("some writes are acknowledged", () => acknowledged.size >= enough);
    const began = performance.now();
    const { before, after } = await here.killNode();
    const next = acknowledged.size + 1;
    await until("writes go on", () => acknowledged.size >= next);
    pauses.push(performance.now() - began);
    pids.add(before).add(after);
    await until("the socket noticed and is back", () => drops >= round && assets.state === "joined");
  }
  working = false;
  await writers;
  assert.equal(pids.size, 4);
  assert.equal(here.child.exitCode, null);
  assert.ok(acknowledged.size >= 300);

  const present = new Map();
  for (let page = 1; ; ++page) {
    const { data, meta } = assertStatus(await call("GET", `/assets?page=${page}&page_size=100&sort=tag&select=id,tag`), 200);
    for (const { tag, id } of data) present.set(tag, id);
    if (page >= meta.total_pages) break;
  }
  for (const [tag, id] of acknowledged) assert.equal(present.get(tag), id, `${tag} was acknowledged and is lost`);
  const heard = next(assets, "asset_created", ({ asset }) => asset.name === "After all that");
  await call("POST", "/assets", { asset: fields({ name: "After all that" }) });
  await heard;
  const reports = here.crashReports();
  assert.ok(reports.length >= 3 && reports.every((text) => text.includes("signal 9 (KILL)")), `${reports.length} crash reports`);
  await leave(socket);
  await here.stop();
  const slowest = Math.max(...pauses).toFixed(0);
  return `${acknowledged.size} writes acknowledged, 0 lost, ${failed} without answer, writing again after at most ${slowest} ms`;
});
