// Starting, stopping, and what the program says of itself.
import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { once } from "node:events";
import { apiOf, created, interrupt, run, start, temporaryFolder } from "../lib/assetronics.mjs";
import { freePort, test, took, until } from "../lib/suite.mjs";
import { assertStatus } from "./expect.mjs";
import { client, joined } from "./socket.mjs";

const alive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/// How much slower than usual this machine is at present, at least 1: to prepare an empty folder takes less than half a second
/// on one that has nothing else to do.
async function slowness() {
  const time = took();
  assert.equal(await run(["migrate"], { DATA_DIR: temporaryFolder() }).finished(), 0);
  return Math.max(1, time().ran / 500);
}

// proves 1.9
test("Ctrl-C ends everything within seconds, and a second start is quick and has everything", async () => {
  const here = await start();
  assert.match(here.stdout, new RegExp(`^Assetronics is ready at http://localhost:${here.port}$`, "m"));
  const asset = await created(apiOf(here), { name: "Kept" });
  const node = await here.node();
  await joined(await client(here), "assets:demo");
  const seconds = 5000 * (await slowness());
  const stopping = took();
  assert.equal(await interrupt(here), 0, here.output);
  const stopped = Math.round(stopping().ran);
  assert.ok(stopped < seconds, `${stopped} ms, not ${seconds}`);
  assert.ok(!alive(node), "the node is gone");
  assert.deepEqual(here.crashReports(), []);

  const starting = took();
  const again = await start({ data: here.data });
  const started = Math.round(starting().ran);
  assert.ok(started < seconds, `${started} ms, not ${seconds}`);
  const call = apiOf(again);
  assert.deepEqual(assertStatus(await call("GET", `/assets/${asset.id}`), 200).data, asset);
  assert.equal(await again.stop("SIGTERM"), 0);
  return `stopped in ${stopped} ms, started in ${started} ms`;
});

test("what it keeps is for its own user alone", async () => {
  const before = process.umask(0o022);
  const data = join(temporaryFolder(), "data");
  const here = await start({ data });
  process.umask(before);
  await created(apiOf(here), { name: "Kept" });
  await here.killNode();
  assert.equal(await here.stop("SIGTERM"), 0);
  const files = readdirSync(data, { recursive: true });
  assert.ok(files.includes("assetronics.db") && files.some((name) => name.startsWith("crashes/")), `${files}`);
  for (const name of ["", ...files]) {
    const { mode } = statSync(join(data, name));
    assert.equal(mode & 0o077, 0, `${name}: ${mode.toString(8)}`);
  }
});

test("a port that is taken is named", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address();
  const command = run(["server"], { PORT: String(port), DATA_DIR: temporaryFolder() });
  assert.notEqual(await command.finished(), 0);
  assert.match(command.stderr, new RegExp(`${port}.*in use`));
  other.close();
});

test("a folder that cannot be written, a bad port and a wrong command are told", async () => {
  for (const [args, environment, text] of [
    [["server"], { PORT: "lots" }, /PORT|port/], [["server"], { PORT: "70000" }, /PORT|port/], [["nonsense"], {}, /nonsense|not expected/],
    [["server", "--config", "/nowhere.toml"], {}, /nowhere\.toml/], [["server"], { DATA_DIR: "/proc/data", PORT: "0" }, /\/proc\/data/],
  ]) {
    const command = run(args, { DATA_DIR: undefined, ...environment });
    assert.notEqual(await command.finished(), 0, `${args} ${JSON.stringify(environment)}`);
    assert.match(command.output, text);
  }
});

test("migrate and seed prepare a folder; a server then takes it as it is", async () => {
  const data = temporaryFolder();
  const environment = { DATA_DIR: data };
  for (const [args, text] of [[["migrate"], /Applied \d+ migrations/], [["migrate"], /Applied 0 migrations/],
    [["seed"], /Seeded the demo company/], [["seed"], /is there already/]]) {
    const command = run(args, environment);
    assert.equal(await command.finished(), 0, command.output);
    assert.match(command.stdout, text);
  }
  const here = await start({ data, port: await freePort() });
  const { data: summary } = (await apiOf(here)("GET", "/summary")).body;
  assert.ok(summary.total > 0);
  await here.stop();
  await until("it is over", () => here.child.exitCode !== null);
});
