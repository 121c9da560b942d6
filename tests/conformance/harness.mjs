// Starts the programs under test, runs tests one after another, counts them.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { Socket } from "phoenix";
import WebSocket from "ws";

const build = process.env.CONFORMANCE_BUILD;
const programs = {
  hello: `${build}/examples/hello/example_hello`,
  server: `${build}/tests/conformance/conformance_server`,
};
const tests = [];
const running = new Set();

export function test(name, body) {
  tests.push({ name, body });
}

export async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}

/// Starts a program and waits until it says that it is ready.
export async function start(name, port = undefined) {
  port ??= await freePort();
  const child = spawn(programs[name], ["--port", String(port)], { stdio: ["ignore", "pipe", "pipe"] });
  running.add(child);
  let output = "";
  child.stderr.on("data", (data) => (output += data));
  await within(10_000, `${name} to start`, new Promise((resolve, reject) => {
    child.stdout.on("data", (data) => {
      output += data;
      if (output.includes("ready at")) resolve();
    });
    child.on("error", reject);
    child.on("exit", (code) => reject(new Error(`${name} ended with ${code}: ${output}`)));
  }));
  return {
    port,
    http: `http://127.0.0.1:${port}`,
    ws: `ws://127.0.0.1:${port}`,
    output: () => output,
    async stop(signal = "SIGTERM") {
      if (!running.delete(child)) return;
      const ended = child.exitCode === null ? once(child, "exit") : null;
      child.kill(signal);
      if (ended) await within(25_000, `${name} to stop`, ended);
    },
  };
}

/// One server for all tests that do not stop it.
const shared = new Map();
export function server(name) {
  if (!shared.has(name)) shared.set(name, start(name));
  return shared.get(name);
}

export function within(ms, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${ms} ms for ${what}`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/// Waits until `condition` holds.
export async function until(what, condition, ms = 5000) {
  const end = Date.now() + ms;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`waited ${ms} ms until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const sockets = new Set();
/// A connected npm `phoenix` socket.
export async function client(base, options = {}, path = "/socket") {
  const socket = new Socket(base + path, { transport: WebSocket, ...options });
  sockets.add(socket);
  const opened = new Promise((resolve) => socket.onOpen(resolve));
  socket.connect();
  await within(5000, "the socket to open", opened);
  return socket;
}

/// The outcome of a push or join: [status, response].
export function outcome(push) {
  return within(5000, "an answer", new Promise((resolve) => {
    for (const status of ["ok", "error", "timeout"]) push.receive(status, (response) => resolve([status, response]));
  }));
}

export async function join(socket, topic, params = {}) {
  const channel = socket.channel(topic, params);
  const [status, response] = await outcome(channel.join());
  if (status !== "ok") throw new Error(`joining ${topic}: ${status} ${JSON.stringify(response)}`);
  return channel;
}

export function nextEvent(channel, event) {
  return within(5000, `the event ${event}`, new Promise((resolve) => {
    const ref = channel.on(event, (payload) => {
      channel.off(event, ref);
      resolve(payload);
    });
  }));
}

/// A bare WebSocket with what came in, in order.
export async function raw(url, protocols = [], options = {}) {
  const socket = new WebSocket(url, protocols, options);
  const frames = [];
  const waiting = [];
  socket.on("message", (data, binary) => {
    const frame = binary ? data.toString("hex") : data.toString();
    waiting.length > 0 ? waiting.shift()(frame) : frames.push(frame);
  });
  socket.closed = new Promise((resolve) => socket.on("close", (code, reason) => resolve([code, reason.toString()])));
  socket.next = () =>
    frames.length > 0
      ? Promise.resolve(frames.shift())
      : within(5000, "a frame", new Promise((resolve) => waiting.push(resolve)));
  socket.pending = () => frames.length;
  await within(5000, "the handshake", new Promise((resolve, reject) => {
    socket.on("open", resolve);
    socket.on("error", reject);
    socket.on("unexpected-response", (_, response) => reject(new Error(`status ${response.statusCode}`)));
  }));
  return socket;
}

/// The status that refuses a handshake.
export async function refusal(url, protocols = [], options = {}) {
  try {
    const socket = await raw(url, protocols, options);
    socket.terminate();
    return "accepted";
  } catch (error) {
    return error.message;
  }
}

export async function finish() {
  let passed = 0;
  let failed = 0;
  for (const { name, body } of tests) {
    try {
      await within(60_000, name, body());
      passed += 1;
      console.log(`ok ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`not ok ${name}\n  ${String(error.stack).replaceAll("\n", "\n  ")}`);
    }
    for (const socket of sockets) socket.disconnect();
    sockets.clear();
  }
  for (const [name, started] of shared) {
    const one = await started.catch(() => null);
    try {
      await one?.stop();
    } catch (error) {
      failed += 1;
      console.log(`not ok ${name} stops: ${error.message}`);
    }
  }
  for (const child of running) child.kill("SIGKILL");
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
}
