// The program is exchanged while people write.
import assert from "node:assert/strict";
import { copyFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { apiOf, fields, program, start, temporaryFolder } from "../lib/assetronics.mjs";
import { test, took, until } from "../lib/suite.mjs";
import { assertStatus } from "./expect.mjs";
import { client, joined, leave, next } from "./socket.mjs";

// proves 1.9
test("five upgrades while writes and an import run: no request fails, no write is lost, the import is whole", async () => {
  const folder = temporaryFolder();
  const installed = join(folder, "assetronics");
  const install = () => {
    copyFileSync(program, `${installed}.new`);
    renameSync(`${installed}.new`, installed);
  };
  install();
  const here = await start({ program: installed });
  const call = apiOf(here);
  const socket = await client(here);
  const assets = await joined(socket, "assets:demo");

  const rows = 10_000;
  const lines = ["tag,name,category"];
  for (let row = 0; row < rows; ++row) lines.push(`UP-${row},Imported ${row},laptop`);
  const form = new FormData();
  form.append("file", new Blob([`${lines.join("\n")}\n`], { type: "text/csv" }), "many.csv");
  const imported = assertStatus(await call("POST", "/imports", form), 202).data;

  const acknowledged = new Set();
  let working = true;
  /// Asks on a connection of its own, as many clients do. One that was kept from sending for so long that the old node took
  /// it for silent has asked nothing, and asks again.
  const ask = async (...args) => {
    for (;;) {
      const time = took();
      try {
        return await call(...args, { connection: "close" });
      } catch (error) {
        const { wall, ran } = time();
        if (wall - ran < 700) throw error;
      }
    }
  };
  const writers = Promise.all(Array.from({ length: 16 }, async () => {
    while (working) {
      const asset = fields();
      assertStatus(await ask("POST", "/assets", { asset }), 201);
      acknowledged.add(asset.tag);
      assertStatus(await ask("GET", "/summary", undefined), 200);
    }
  }));
  writers.catch(() => (working = false));
  const nodes = new Set([await here.node()]);
  for (let round = 1; round <= 5; ++round) {
    install();
    const enough = acknowledged.size + 50;
    here.child.kill("SIGUSR2");
    await here.waitReady(round + 1);
    // The old node is gone when the launcher has one child again.
    await until("the old node is gone", () => here.nodes().length === 1, 20_000);
    nodes.add(await here.node());
    await until("writes go on", () => acknowledged.size >= enough || !working, 20_000);
  }
  working = false;
  await writers;
  assert.equal(nodes.size, 6);
  assert.deepEqual(here.crashReports(), []);

  const done = await until("the import is done", async () => {
    const { data } = assertStatus(await call("GET", `/imports/${imported.id}`), 200);
    return ["completed", "failed"].includes(data.status) && data;
  });
  assert.equal(done.status, "completed", JSON.stringify(done));
  assert.equal(done.processed, rows);
  assert.equal(done.created_count, rows);
  const counted = assertStatus(await call("GET", "/assets?q=Imported&page_size=1"), 200).meta.total;
  assert.equal(counted, rows);

  const present = new Set();
  for (let page = 1; ; ++page) {
    const { data, meta } = assertStatus(await call("GET", `/assets?page=${page}&page_size=100&sort=tag&select=tag&q=Test`), 200);
    for (const { tag } of data) present.add(tag);
    if (page >= meta.total_pages) break;
  }
  for (const tag of acknowledged) assert.ok(present.has(tag), `${tag} was acknowledged and is lost`);
  await until("the socket is back", () => assets.state === "joined");
  const heard = next(assets, "asset_created", ({ asset }) => asset.name === "After all that");
  await call("POST", "/assets", { asset: fields({ name: "After all that" }) });
  await heard;
  await leave(socket);
  await here.stop();
  return `${acknowledged.size} writes acknowledged, 0 failed, 0 lost`;
});
