// Clients: npm `phoenix` over npm `ws`, and bare sockets where frames matter.
import { Presence, Socket } from "phoenix";
import WebSocket from "ws";
import { atEnd, within } from "../lib/suite.mjs";

export { Presence };

/// For what must come, however busy the machine is.
export const patience = 20_000;

const sockets = new Set();
atEnd(async () => sockets.forEach((socket) => socket.disconnect()));

/// A connected client that comes back quickly when the server does.
export async function client({ ws }, params = {}) {
  const socket = new Socket(`${ws}/socket`, {
    transport: WebSocket,
    params,
    reconnectAfterMs: () => 50,
    rejoinAfterMs: () => 50,
  });
  sockets.add(socket);
  const opened = new Promise((resolve) => socket.onOpen(resolve));
  socket.connect();
  await within(patience, "the socket to open", opened);
  return socket;
}

/// Ends a client for good.
export function leave(socket) {
  sockets.delete(socket);
  return new Promise((resolve) => socket.disconnect(resolve));
}

/// The outcome of a push or join: [status, response].
export function outcome(push) {
  return within(patience, "an answer", new Promise((resolve) => {
    for (const status of ["ok", "error", "timeout"]) push.receive(status, (response) => resolve([status, response]));
  }));
}

export async function joined(socket, topic, params = {}) {
  const channel = socket.channel(topic, params);
  const [status, response] = await outcome(channel.join());
  if (status !== "ok") throw new Error(`joining ${topic}: ${status} ${JSON.stringify(response)}`);
  channel.reply = response;
  return channel;
}

/// The outcome of a join that is not tried again.
export async function joinOutcome(socket, topic, params = {}) {
  const channel = socket.channel(topic, params);
  const answer = await outcome(channel.join());
  channel.leave();
  return answer;
}

/// The next payload of an event that the test wants.
export function next(channel, event, wanted = () => true, ms = patience) {
  return within(ms, `the event ${event}`, new Promise((resolve) => {
    const ref = channel.on(event, (payload) => {
      if (!wanted(payload)) return;
      channel.off(event, ref);
      resolve(payload);
    });
  }));
}

/// A bare WebSocket: `closed` yields its close code, `frames` what came in.
export async function raw({ ws }, path = "/socket/websocket?vsn=2.0.0") {
  const socket = new WebSocket(ws + path);
  socket.frames = [];
  socket.on("message", (data) => socket.frames.push(data.toString()));
  socket.on("error", () => {});
  socket.closed = new Promise((resolve) => socket.on("close", resolve));
  await within(patience, "the handshake", new Promise((resolve, reject) => {
    socket.on("open", resolve);
    socket.on("unexpected-response", (_, response) => reject(new Error(`status ${response.statusCode}`)));
  }));
  return socket;
}
