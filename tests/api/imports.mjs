// Files: what is good goes in once, what is not is told by line, through the API and the command.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { apiOf, root, run, server, start, temporaryFolder } from "../lib/assetronics.mjs";
import { test, until } from "../lib/suite.mjs";
import { csvOf, rowsOf } from "./csv.mjs";
import { api, assertErrors, assertStatus } from "./expect.mjs";
import { client, joined, leave } from "./socket.mjs";

const seeds = `${root}/apps/assetronics/priv/seeds`;
const sample = rowsOf(readFileSync(`${seeds}/sample_assets.csv`, "utf8")).slice(1);
const total = async (call) => (await call("GET", "/summary")).body.data.total;

async function finished(call, started) {
  const { data } = assertStatus(started, 202);
  assert.match(data.status, /pending|running|completed/);
  return until("the import is over", async () => {
    const now = (await call("GET", `/imports/${data.id}`)).body.data;
    return ["completed", "failed"].includes(now.status) && now;
  }, 30_000);
}
const importText = async (call, text, filename = "test.csv") =>
  finished(call, await call("POST", `/imports?filename=${encodeURIComponent(filename)}`, text, { "content-type": "text/csv" }));

const counts = ({ total, processed, created_count, updated_count, failed_count }) =>
  [total, processed, created_count, updated_count, failed_count];

test("a small file: headers are understood, bad rows are told, the rest is in", async () => {
  const call = await api();
  const p = `IMP-${process.pid}`;
  const before = await total(call);
  const text = csvOf(["Asset Tag", "Device Name", "Manufacturer", "Purchase Cost", "Status", "Shoe Size"], [
    [`${p}-1`, "Laptop, \"the\" one", "Dell", "1,299.50", "In Stock", "43"],
    [`${p}-2`, "Two\nlines", "HP", "€ 20", "retired", ""],
    ["", "No tag", "HP", "1", "", ""],
    [`${p}-3`, "Bad cost", "HP", "cheap", "", ""],
    [`${p}-1`, "Tag twice", "HP", "1", "", ""],
    [`${p}-4`, "", "HP", "1", "Flying", ""],
    [`${p}-5`, "Good 🦅", "", "", "", ""],
  ]);
  const done = await importText(call, text, "Büro & Lager.csv");
  assert.equal(done.status, "completed");
  assert.equal(done.filename, "Büro & Lager.csv");
  assert.deepEqual(counts(done), [7, 7, 3, 0, 4]);
  assert.deepEqual(done.columns.map(({ column, field }) => [column, field]), [["Asset Tag", "tag"], ["Device Name", "name"],
    ["Manufacturer", "make"], ["Purchase Cost", "cost"], ["Status", "status"]]);
  assert.deepEqual(done.ignored_columns, ["Shoe Size"]);
  assert.deepEqual(done.errors.map(({ line, field }) => `${line} ${field}`), ["5 tag", "6 cost", "7 tag", "8 name", "8 status"]);
  assert.equal(done.errors[1].value, "cheap");
  assert.equal(done.error_count, 5);
  assert.equal(await total(call), before + 3);
  const [one] = (await call("GET", `/assets?tag=${p}-1`)).body.data;
  assert.deepEqual([one.name, one.make, one.cost, one.status], ['Laptop, "the" one', "Dell", 1299.5, "in_stock"]);
  assert.equal((await call("GET", `/assets?tag=${p}-2`)).body.data[0].name, "Two\nlines");

  const report = await call("GET", `/imports/${done.id}/errors.csv`);
  assert.match(report.headers.get("content-type"), /^text\/csv/);
  const rows = rowsOf(report.text);
  assert.deepEqual(rows[0].cells, ["line", "field", "code", "message", "value"]);
  assert.deepEqual(rows.slice(1).map(({ cells }) => [Number(cells[0]), cells[1], cells[2]]),
    done.errors.map(({ line, field, code }) => [line, field, code]));

  const again = await importText(call, text);
  assert.deepEqual(counts(again), [7, 7, 0, 0, 4]);
  const changed = await importText(call, csvOf(["tag", "name", "notes"], [[`${p}-1`, "Renamed", ""], [`${p}-6`, "New", ""]]));
  assert.deepEqual(counts(changed), [2, 2, 1, 1, 0]);
  const [kept] = (await call("GET", `/assets?tag=${p}-1`)).body.data;
  assert.deepEqual([kept.name, kept.make], ["Renamed", "Dell"]);
});

test("uploads: a form works as well, and what is no table is refused", async () => {
  const call = await api();
  const form = new FormData();
  form.set("file", new Blob([csvOf(["tag", "name"], [])], { type: "text/csv" }), "empty table.csv");
  const done = await finished(call, await call("POST", "/imports", form));
  assert.deepEqual([done.filename, done.status, done.total], ["empty table.csv", "completed", 0]);

  const csv = { "content-type": "text/csv" };
  const wrong = new FormData();
  wrong.set("other", new Blob(["tag,name\n"]), "x.csv");
  assertErrors(await call("POST", "/imports", wrong), 422, [["file", "required"]]);
  for (const text of ["", "\n\n", "colour,size\nred,1\n", "name\nx\n", "PK\u0003\u0004xxxx"]) {
    assertErrors(await call("POST", "/imports", text, csv), 422);
  }
  assertErrors(await call("POST", "/imports", new Uint8Array([0xff, 0xfe, 0x74, 0]), csv), 422);
  assertErrors(await call("POST", "/imports", "{}", { "content-type": "application/json" }), 415);
  assertErrors(await call("POST", "/imports?colour=1", "tag,name\n", csv), 400);
  assertErrors(await call("POST", "/imports", "x".repeat((32 << 20) + (1 << 20)), csv), 413);
  const broken = Buffer.concat([Buffer.from(`tag,name\nU8-${process.pid}-1,ok\nU8-${process.pid}-2,`), Buffer.from([0xff]), Buffer.from("\n")]);
  const half = await finished(call, await call("POST", "/imports", broken, csv));
  assert.deepEqual(counts(half), [2, 2, 1, 0, 1]);
});

// proves 3.10
test("the command imports the sample of 5,000 assets, and says so live", async () => {
  assert.equal(sample.length, 5000);
  const here = await server();
  const call = apiOf(here);
  const before = await total(call);
  const socket = await client(here);
  const imports = await joined(socket, "imports:demo");
  const assets = await joined(socket, "assets:demo");
  const progress = [];
  let announced = 0;
  imports.on("import_progress", (payload) => progress.push(payload.import));
  assets.on("assets_imported", ({ count }) => (announced += count));
  const began = Date.now();
  const command = run(["import", `${seeds}/sample_assets.csv`, "--url", here.http]);
  assert.equal(await command.finished(60_000), 0, command.output);
  const took = Date.now() - began;
  assert.match(command.stdout, /Imported sample_assets\.csv: 5,000 created, 0 updated, 0 bad \(of 5,000 rows\)/);
  assert.equal(await total(call), before + 5000);
  await until("all of it is announced", () => announced === 5000);
  await until("the progress ends", () => progress.at(-1)?.status === "completed");
  assert.ok(progress.length >= 2, `${progress.length} progress events`);
  const steps = progress.map(({ processed }) => processed);
  assert.deepEqual(steps, [...steps].sort((a, b) => a - b));
  for (const { cells } of [sample[0], sample[2500], sample[4999]]) {
    const [asset] = (await call("GET", `/assets?tag=${cells[0]}`)).body.data;
    assert.equal(asset.name, cells[1]);
    assert.equal(asset.serial, cells[5]);
  }
  await leave(socket);
  return `${took} ms`;
});

test("the command reports bad rows with line and reason, and ends with 2", async () => {
  const here = await start();
  const call = apiOf(here);
  const before = await total(call);
  const command = run(["import", `${seeds}/sample_assets_with_errors.csv`, "--url", here.http]);
  assert.equal(await command.finished(), 2, command.output);
  const told = command.stdout.match(/: (\d+) created, 0 updated, (\d+) bad \(of 200 rows\)/);
  assert.ok(told, command.stdout);
  assert.deepEqual(told.slice(1).map(Number), [188, 12]);
  assert.equal(await total(call), before + 188);
  assert.match(command.stdout, /^ +line +field +reason$/m);
  const { http } = here;
  const url = command.stdout.match(/All of them: (\S+)/)[1];
  assert.ok(url.startsWith(http));
  const lines = new Set(rowsOf(await (await fetch(url)).text()).slice(1).map(({ cells }) => cells[0]));
  assert.equal(lines.size, 12);
  await here.stop();
});

test("the command says what is wrong with a file, an address or a tenant, and ends with 1", async () => {
  const here = await server();
  const folder = temporaryFolder();
  writeFileSync(`${folder}/no-header.csv`, "1,2,3\n4,5,6\n");
  writeFileSync(`${folder}/empty.csv`, "");
  const good = `${seeds}/sample_assets_with_errors.csv`;
  for (const [args, text] of [
    [[`${folder}/absent.csv`], /cannot read .*absent\.csv/], [[folder], /is not a file/], [[`${folder}/empty.csv`], /empty/],
    [[`${folder}/no-header.csv`], /tag/i], [[good, "--url", "http://127.0.0.1:1"], /no server answers/],
    [[good, "--url", "nonsense"], /is no address/], [[good, "--tenant", "other"], /404|tenant/],
  ]) {
    const command = run(["import", "--url", here.http, ...args].filter((arg, at, all) => !(all.lastIndexOf("--url") > 1 && at >= 1 && at <= 2)));
    assert.equal(await command.finished(), 1, `${args}: ${command.output}`);
    assert.match(command.stderr, text);
  }
});

// proves 1.9
test("10,000 rows survive kill -9 in the middle: every row is in, once", async () => {
  const here = await start();
  const call = apiOf(here);
  const before = await total(call);
  const folder = temporaryFolder();
  const made = run(["sample-csv", "--rows", "10000", "--seed", "11"]);
  assert.equal(await made.finished(), 0);
  writeFileSync(`${folder}/ten thousand.csv`, made.stdout);
  const socket = await client(here);
  const imports = await joined(socket, "imports:demo");
  let processed = 0;
  imports.on("import_progress", (payload) => (processed = Math.max(processed, payload.import.processed)));
  const began = Date.now();
  const command = run(["import", `${folder}/ten thousand.csv`, "--url", here.http]);
  await until("some of it is in", () => processed > 1000, 30_000);
  const killed = processed;
  await here.killNode();
  assert.equal(await command.finished(60_000), 0, command.output);
  assert.match(command.stdout, /10,000 created, 0 updated, 0 bad \(of 10,000 rows\)/);
  assert.equal(await total(call), before + 10_000);
  const histories = await call("GET", "/activity?limit=100");
  assert.ok(histories.body.data.length > 0);
  await leave(socket);
  await here.stop();
  return `killed after ${killed} rows, ${Date.now() - began} ms`;
});
