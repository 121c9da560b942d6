// Starts Assetronics for tests: free ports, data folders of their own, stopped by process id.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { atEnd, freePort, until, within } from "./suite.mjs";

export const root = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");
export const program = process.env.ASSETRONICS ?? `${root}/build/release/apps/assetronics/assetronics`;

// What programs said is kept, for whoever looks into a failure.
const said = `${root}/test-results/${basename(process.cwd())}-programs`;
rmSync(said, { recursive: true, force: true });
mkdirSync(said, { recursive: true });
let started = 0;

const running = new Set();
const folders = [];
atEnd(async () => {
  await Promise.all([...running].map((one) => one.killAll()));
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

// Also when the suite itself is ended.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(130));
process.on("exit", () => {
  for (const one of running) one.killAll();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/// A folder that is removed at the end.
export function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), "assetronics-test-"));
  folders.push(folder);
  return folder;
}

/// A running command of the program, with what it said so far.
class Command {
  constructor(args, environment = {}, file = program) {
    this.child = spawn(file, args, {
      env: { PATH: process.env.PATH, HOME: process.env.HOME ?? "/", ...environment },
      cwd: tmpdir(),
      // A process group of its own, as a shell gives to what it runs.
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.stdout = "";
    this.stderr = "";
    this.child.stdout.on("data", (data) => (this.stdout += data));
    this.child.stderr.on("data", (data) => (this.stderr += data));
    const number = (started += 1);
    this.child.on("close", () => writeFileSync(`${said}/${number}.log`, `${args.join(" ")}\n${this.stdout}${this.stderr}`));
    this.child.on("error", (error) => (this.stderr += error));
    this.ended = new Promise((resolve) => this.child.on("close", (...how) => resolve(how))).then(([code, signal]) => {
      running.delete(this);
      return code ?? signal;
    });
    running.add(this);
  }
  get output() {
    return this.stdout + this.stderr;
  }
  get pid() {
    return this.child.pid;
  }
  /// Waits for the end by itself; yields the exit status.
  finished(ms = 60_000) {
    return within(ms, () => `the end of ${this.child.spawnargs.slice(1).join(" ")}; it said:\n${this.output}`, this.ended);
  }
  /// With whatever it started itself.
  killAll() {
    try {
      process.kill(-this.pid, "SIGKILL");
    } catch {
      // It has just ended.
    }
    return this.finished();
  }
  async stop(signal = "SIGTERM", ms = 60_000) {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
    return this.finished(ms);
  }
}

/// What Ctrl-C does: the terminal interrupts every process of the group.
export function interrupt(command) {
  process.kill(-command.pid, "SIGINT");
  return command.finished();
}

export function run(args, environment) {
  return new Command(args, environment);
}

/// The process ids right below one.
function childrenOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

/// A launcher with its node, ready.
export class Server extends Command {
  constructor(options) {
    super(options.args ?? ["server"], { PORT: String(options.port), DATA_DIR: options.data, ...options.environment }, options.program);
    Object.assign(this, { port: options.port, data: options.data });
    this.http = `http://127.0.0.1:${options.port}`;
    this.ws = `ws://127.0.0.1:${options.port}`;
  }
  readyCount() {
    return this.stdout.split("Assetronics is ready at ").length - 1;
  }
  async waitReady(times = 1, ms = 120_000) {
    const ready = until(() => `the server is ready ${times} times; it said:\n${this.output}`, () => this.readyCount() >= times, ms);
    const ended = this.ended.then((code) => {
      throw new Error(`the server ended with ${code}:\n${this.output}`);
    });
    ended.catch(() => {});
    await Promise.race([ready, ended]);
  }
  /// The node's process id, below the launcher's.
  node() {
    return until("the launcher has a node", () => childrenOf(this.pid)[0]);
  }
  /// All nodes: two while one replaces the other.
  nodes() {
    return childrenOf(this.pid);
  }
  /// Kills the node as a crash would and waits until another one serves.
  async killNode() {
    const before = await this.node();
    const times = this.readyCount();
    process.kill(before, "SIGKILL");
    await this.waitReady(times + 1);
    return { before, after: await this.node() };
  }
  crashReports() {
    const folder = [`${this.data}/crashes`].find(existsSync);
    return folder ? readdirSync(folder).map((name) => readFileSync(`${folder}/${name}`, "utf8")) : [];
  }
}

/// `program`: another file than the one that was built; `args`: other ones than to serve.
export async function start({ data = temporaryFolder(), port, environment = {}, program, args } = {}) {
  const server = new Server({ data, port: port ?? (await freePort()), environment, program, args });
  await server.waitReady();
  return server;
}

/// One server for all tests that do not harm it.
let shared;
export function server() {
  shared ??= start();
  return shared;
}

/// A caller of the JSON API: `call("POST", "/assets", {asset})` yields status, headers, text and body.
export function apiOf({ http }) {
  return async function call(method, path, body, headers = {}) {
    const isText = typeof body === "string" || body instanceof Uint8Array || body instanceof FormData;
    const response = await fetch(path.startsWith("/api") ? http + path : `${http}/api/v1${path}`, {
      method,
      redirect: "manual",
      body: isText || body === undefined ? body : JSON.stringify(body),
      headers: body === undefined || body instanceof FormData ? headers : { "content-type": "application/json", ...headers },
    });
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json");
    return { status: response.status, headers: response.headers, text, body: isJson && text ? JSON.parse(text) : undefined };
  };
}

let number = 0;
/// Fields of an asset that no other test has.
export function fields(more = {}) {
  number += 1;
  return { tag: `T-${process.pid}-${number}`, name: `Test asset ${number}`, ...more };
}

export async function created(call, more = {}) {
  const answer = await call("POST", "/assets", { asset: fields(more) });
  if (answer.status !== 201) throw new Error(`creating: ${answer.status} ${answer.text}`);
  return answer.body.data;
}
