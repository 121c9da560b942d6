// Starts the programs under test and opens sockets of npm phoenix to them.
import { Socket } from "phoenix";
import WebSocket from "ws";
import { serversOf } from "../lib/servers.mjs";
import { afterEach } from "../lib/suite.mjs";

const build = process.env.CLIENTS_BUILD;
export const work = process.env.CLIENTS_WORK;
export const programs = {
  chat: `${build}/examples/chat/example_chat`,
  conformance: `${build}/tests/conformance/conformance_server`,
  device: process.env.CLIENTS_DEVICE,
};

/// The same small program, with the device client as a part of its project and installed.
export const meters = process.env.CLIENTS_METERS.split(":");

export const { start, server } = serversOf(programs);

const sockets = new Set();
// Where nothing answers.
const nowhere = "ws://127.0.0.1:1/";
/// An npm phoenix socket that connects, tries again soon, and notes the frames that it sent: `sent("phx_join")` counts. While it
/// is `away` it reaches no server.
export function connect(base, { path = "/socket", ...options } = {}) {
  const frames = [];
  class Recorded extends WebSocket {
    constructor(url, ...more) {
      super(socket.away ? nowhere : url, ...more);
    }
    send(data, ...more) {
      if (typeof data === "string") frames.push(JSON.parse(data));
      super.send(data, ...more);
    }
  }
  const soon = () => 20;
  const socket = new Socket(`${base}${path}`, {
    transport: Recorded,
    reconnectAfterMs: soon,
    rejoinAfterMs: soon,
    ...options,
  });
  socket.away = false;
  socket.frames = frames;
  socket.sent = (event) => frames.filter((frame) => frame[3] === event).length;
  sockets.add(socket);
  socket.connect();
  return socket;
}

/// The connection is lost, as if the network went away.
export function loseConnection(socket) {
  socket.conn.terminate();
}

afterEach(() => {
  for (const socket of sockets) socket.disconnect();
  sockets.clear();
});

/// Faults that the app's own code threw, which the kit must pass on to the world.
export async function uncaught(body) {
  const faults = [];
  const note = (fault) => faults.push(fault);
  process.on("uncaughtException", note);
  try {
    await body(faults);
  } finally {
    process.off("uncaughtException", note);
  }
}
