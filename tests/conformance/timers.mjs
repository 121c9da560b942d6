// How client and server find each other again: the client's own timers, against a server that is halted, stops or closes.
import assert from "node:assert/strict";
import { Socket as OlderSocket } from "phoenix-1-7";
import WebSocket from "ws";
import { clock, test, until } from "../lib/suite.mjs";
import { client, join, outcome, raw, server, start } from "./harness.mjs";

/// Longer than a client of `quick` would take to come back.
const settled = () => new Promise((resolve) => setTimeout(resolve, 300));
const quick = { rejoinAfterMs: () => 20, reconnectAfterMs: () => 20 };

/// How often the channel joined from now on.
function rejoinsOf(channel) {
  const seen = { count: 0, counting: false };
  channel.joinPush.receive("ok", () => {
    if (seen.counting) seen.count += 1;
  });
  seen.counting = true;
  return seen;
}

/// Now, by the wall's clock and by that of a machine that never pauses.
const moment = () => ({ wall: performance.now(), own: clock() });

/// When each connection began, as a transport of the client.
function counting() {
  const began = [];
  const transport = class extends WebSocket {
    constructor(...args) {
      super(...args);
      began.push(moment());
    }
  };
  return { began, transport };
}

/// Timers are never early; how late they are is the machine's business.
function assertGaps(times, expected) {
  const gaps = (of) => times.slice(1).map((time, i) => Math.round(time[of] - times[i][of]));
  const [wall, own] = [gaps("wall"), gaps("own")];
  expected.forEach((ms, i) => assert.ok(wall[i] >= ms - 2 && own[i] < ms + 1500, `${wall} (${own} without pauses) for ${expected}`));
}

test("timers: a server that does not answer heartbeats is left, and joined again once it does", async () => {
  const program = await start("server");
  const socket = await client(program.ws, { ...quick, heartbeatIntervalMs: 300 });
  const channel = await join(socket, "echo:a");
  const rejoins = rejoinsOf(channel);
  let losses = 0;
  channel.onError(() => (losses += 1));
  process.kill(program.pid, "SIGSTOP");
  try {
    await until("the client gives up", () => losses > 0 && !socket.isConnected());
  } finally {
    process.kill(program.pid, "SIGCONT");
  }
  // From now on no slow machine is taken for a server that is gone.
  socket.heartbeatIntervalMs = 30_000;
  await until("it is back", () => socket.isConnected() && channel.state === "joined");
  assert.ok(rejoins.count >= 1);
  assert.deepEqual(await outcome(channel.push("echo", { back: true })), ["ok", { back: true }]);
  await program.stop();
});

test("timers: the client's own back-off over a restart", async () => {
  const first = await start("server");
  const { began, transport } = counting();
  const socket = await client(first.ws, { transport });
  const channel = await join(socket, "echo:a");
  const rejoins = rejoinsOf(channel);
  let closed;
  socket.onClose(() => (closed ??= moment()));
  await first.stop("SIGKILL");
  await until("it tried eight times", () => began.length === 9);
  assertGaps([closed, ...began.slice(1)], [10, 50, 100, 150, 200, 250, 500, 1000]);
  const second = await start("server", first.port);
  await until("it is back", () => channel.state === "joined" && socket.isConnected());
  assert.equal(rejoins.count, 1);
  assert.deepEqual(await outcome(channel.push("echo", { a: 1 })), ["ok", { a: 1 }]);
  socket.disconnect();
  await second.stop();
});

test("timers: the client's own back-off of a join that is refused", async () => {
  const { ws } = await server("server");
  const socket = await client(ws);
  const channel = socket.channel("echo:closed", {});
  const refused = [];
  channel.join().receive("error", () => refused.push(moment()));
  await until("it tried three times", () => refused.length === 3);
  assertGaps(refused, [1000, 2000]);
  channel.leave();
});

test("timers: an idle client is closed with 1001, and comes back", async () => {
  const { ws } = await server("server");
  const socket = await client(ws, { ...quick, heartbeatIntervalMs: 60_000 }, "/brief");
  const channel = await join(socket, "echo:a");
  const rejoins = rejoinsOf(channel);
  const closes = [];
  socket.onClose(({ code, reason }) => closes.push([code, reason]));
  await until("it is back", () => rejoins.count >= 1 && socket.isConnected());
  // Versions of the client before 1.8.16 stay away after 1000.
  assert.deepEqual(closes[0], [1001, "idle"]);
});

test("timers: the client comes back whichever code the server closes with, and stays away when it left itself", async () => {
  const { ws } = await server("server");
  for (const code of [1000, 1001, 1011, 1012, 4321]) {
    const { began, transport } = counting();
    const socket = await client(ws, { ...quick, transport }, "/echo");
    const closes = [];
    socket.onClose((event) => closes.push([event.code, event.wasClean]));
    socket.conn.send(`close ${code}`);
    await until(`it is back after ${code}`, () => began.length === 2 && socket.isConnected());
    assert.deepEqual(closes, [[code, true]]);
    await new Promise((resolve) => socket.disconnect(resolve));
    await settled();
    assert.equal(began.length, 2, "it left, and stays away");
  }
});

// For them sockets that shall come back are not closed with 1000: see how an idle client is closed, above.
test("timers: clients from before 1.8.16 stay away after 1000, and come back after every other code", async () => {
  const { ws } = await server("server");
  for (const [code, connections] of [[1000, 1], [1001, 2], [1012, 2]]) {
    const { began, transport } = counting();
    const socket = new OlderSocket(`${ws}/echo`, { ...quick, transport });
    const closes = [];
    socket.onClose((event) => closes.push(event.code));
    socket.connect();
    await until("it is open", () => socket.isConnected());
    socket.conn.send(`close ${code}`);
    await until("it is closed", () => closes.length === 1 && (connections === 1 || began.length > 1));
    await settled();
    assert.deepEqual([code, began.length, closes], [code, connections, [code]]);
    socket.disconnect();
  }
});

test("timers: what a client pushed just before it lost its connection is not pushed again", async () => {
  const first = await start("server");
  const socket = await client(first.ws, quick);
  const channel = await join(socket, "echo:a");
  const rejoins = rejoinsOf(channel);
  let pushed = 0;
  channel.on("pushed", () => (pushed += 1));
  process.kill(first.pid, "SIGSTOP");
  channel.push("push", { n: 1 }); // on its way, with the first join's ref
  await first.stop("SIGKILL");
  await until("the client notices", () => !socket.isConnected());
  channel.push("push", { n: 2 }); // waits for the next join
  const second = await start("server", first.port);
  await until("it is back", () => rejoins.count === 1);
  await outcome(channel.push("echo", {}));
  assert.equal(pushed, 1);
  socket.disconnect();
  await second.stop();
});

test("timers: pushes and leaves of an earlier join are ignored", async () => {
  const { ws } = await server("server");
  const socket = await raw(`${ws}/socket/websocket?vsn=2.0.0`);
  const send = (...frame) => socket.send(JSON.stringify(frame));
  const next = async () => JSON.parse(await socket.next());
  send("1", "1", "echo:a", "phx_join", {});
  assert.equal((await next())[3], "phx_reply");
  send("1", "2", "echo:a", "slow", { ms: 100 });
  send("3", "3", "echo:a", "phx_join", {});
  assert.deepEqual(await next(), ["1", "1", "echo:a", "phx_close", {}]);
  assert.deepEqual((await next()).slice(0, 2), ["3", "3"]);
  send("1", "4", "echo:a", "echo", { old: true });
  send("1", "5", "echo:a", "phx_leave", {});
  send("3", "6", "echo:a", "slow", { ms: 200 });
  // Neither those, nor the answer of the slow one from before.
  assert.deepEqual((await next()).slice(0, 2), ["3", "6"]);
  assert.equal(socket.pending(), 0);
  socket.close();
});
