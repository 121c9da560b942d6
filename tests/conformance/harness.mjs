// Starts the programs under test and opens sockets to them: npm phoenix, and bare ones.
import { readdirSync, readFileSync } from "node:fs";
import { LongPoll, Socket } from "phoenix";
import WebSocket from "ws";
import { serversOf } from "../lib/servers.mjs";
import { afterEach, test, until, within } from "../lib/suite.mjs";

const build = process.env.CONFORMANCE_BUILD;

/// For what must come, however busy the machine is.
export const patience = 20_000;

export const { start, server } = serversOf(
  {
    hello: `${build}/examples/hello/example_hello`,
    workers: `${build}/examples/workers/example_workers`,
    server: `${build}/tests/conformance/conformance_server`,
  },
  { workers: (output) => output.split(" serves").length > 2 },
);

/// The process ids of the workers of a program that has several; the hub between them came first.
export function workersOf(program) {
  return readFileSync(`/proc/${program.pid}/task/${program.pid}/children`, "utf8").trim().split(" ").slice(1).map(Number);
}

/// The kernel chooses the worker of a connection: one that is halted takes none.
export async function whileHalted(worker, body) {
  process.kill(worker, "SIGSTOP");
  try {
    // Until then it may still be the one that is woken for a connection.
    const halted = (thread) => readFileSync(`/proc/${worker}/task/${thread}/stat`, "utf8").includes(") T ");
    await until("the worker is halted", () => readdirSync(`/proc/${worker}/task`).every(halted));
    return await body();
  } finally {
    process.kill(worker, "SIGCONT");
  }
}

/// The same test once over each transport of the client.
export const transports = { WebSocket, LongPoll };
export function testEach(name, body) {
  for (const kind of Object.keys(transports)) {
    test(`${name} (${kind})`, () => body({ kind, transport: transports[kind] }));
  }
}

/// Frames as clients before 1.3 write them: for a Socket with `vsn: "1.0.0"`.
export const versionOne = {
  vsn: "1.0.0",
  encode: ({ topic, event, payload, ref }, callback) => callback(JSON.stringify({ topic, event, payload, ref })),
  decode: (text, callback) => callback({ join_ref: null, ...JSON.parse(text) }),
};

const sockets = new Set();
afterEach(() => {
  for (const socket of sockets) socket.disconnect();
  sockets.clear();
});

/// A connected npm `phoenix` socket.
export async function client(base, options = {}, path = "/socket") {
  const socket = new Socket(base + path, { transport: WebSocket, ...options });
  // The client itself ignores them when it polls.
  if (options.encode) Object.assign(socket, { encode: options.encode, decode: options.decode });
  sockets.add(socket);
  const opened = new Promise((resolve) => socket.onOpen(resolve));
  socket.connect();
  await within(patience, "the socket to open", opened);
  return socket;
}

/// The outcome of a push or join: [status, response].
export function outcome(push) {
  return within(patience, "an answer", new Promise((resolve) => {
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
  return within(patience, `the event ${event}`, new Promise((resolve) => {
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
  const closed = new Promise((resolve) => socket.on("close", (code, reason) => resolve([code, reason.toString()])));
  Object.defineProperty(socket, "closed", { get: () => within(patience, "the close", closed) });
  socket.next = () =>
    frames.length > 0
      ? Promise.resolve(frames.shift())
      : within(patience, "a frame", new Promise((resolve) => waiting.push(resolve)));
  socket.pending = () => frames.length;
  await within(patience, "the handshake", new Promise((resolve, reject) => {
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
