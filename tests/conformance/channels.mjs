// The rows of the channel protocol that need more than examples/hello, over npm phoenix.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test, until, within } from "../lib/suite.mjs";
import {
  client, join, nextEvent, outcome, patience, raw, server, start, testEach, versionOne, whileHalted, workersOf,
} from "./harness.mjs";

const quick = { rejoinAfterMs: () => 20, reconnectAfterMs: () => 20 };

testEach("channels: join parameters and assigns", async ({ transport }) => {
  const { ws } = await server("server");
  const socket = await client(ws, { transport, params: { person: "ada" }, authToken: "t0ken" });
  const channel = socket.channel("echo:a", { x: 1 });
  const [status, response] = await outcome(channel.join());
  assert.equal(status, "ok");
  assert.deepEqual(response.params, { x: 1 });
  assert.equal(response.assigns.params.person, "ada");
  assert.equal(response.assigns.token, "t0ken");
});

testEach("channels: refused and crashed joins", async ({ transport }) => {
  const { ws } = await server("server");
  const socket = await client(ws, { ...quick, transport });
  const closed = socket.channel("echo:closed", {});
  assert.deepEqual(await outcome(closed.join()), ["error", { reason: "closed" }]);
  closed.leave();
  const boom = socket.channel("echo:boom", {});
  assert.deepEqual(await outcome(boom.join()), ["error", { reason: "join crashed" }]);
  boom.leave();
});

testEach("channels: push, broadcast_from, later, statuses", async ({ transport }) => {
  const { ws } = await server("server");
  const one = await join(await client(ws, { transport }), "echo:a");
  const two = await join(await client(ws, { transport }), "echo:a");
  const pushed = nextEvent(one, "pushed");
  one.push("push", { n: 1 });
  assert.deepEqual(await pushed, { n: 1 });
  let mine = 0;
  one.on("others", () => (mine += 1));
  const others = nextEvent(two, "others");
  one.push("others", { n: 2 });
  assert.deepEqual(await others, { n: 2 });
  assert.deepEqual(await outcome(one.push("later", {})), ["ok", { late: true }]);
  assert.equal(mine, 0);
});

testEach("channels: half a character, and a payload that is not taken, end nothing", async ({ transport }) => {
  const { ws } = await server("server");
  const socket = await client(ws, { ...quick, transport });
  let closes = 0;
  socket.onClose(() => (closes += 1));
  const channel = socket.channel("echo:a", { title: "\ud83d" });
  const [status, response] = await outcome(channel.join());
  assert.equal(status, "ok");
  assert.deepEqual(response.params, { title: "\ufffd" });
  let deep = {};
  for (let depth = 0; depth < 100; depth += 1) deep = { deep };
  assert.deepEqual(await outcome(channel.push("greet", deep)), ["error", { reason: "unreadable payload" }]);
  assert.deepEqual(await outcome(channel.push("greet", { name: "\udc00", times: 1 })), ["ok", { name: "\ufffd", times: 1 }]);
  const other = socket.channel("echo:b", deep);
  assert.deepEqual(await outcome(other.join()), ["error", { reason: "unreadable payload" }]);
  other.leave();
  assert.equal(closes, 0);
});

testEach("channels: garbage payloads get errors by field, and the channel lives on", async ({ transport }) => {
  const { ws } = await server("server");
  const channel = await join(await client(ws, { transport }), "echo:a");
  const [status, response] = await outcome(channel.push("greet", { name: 5, times: "x" }));
  assert.equal(status, "error");
  assert.deepEqual(response.errors.map((error) => error.field).sort(), ["name", "times"]);
  for (const garbage of [1, "text", null, [], { unknown: true }]) {
    assert.equal((await outcome(channel.push("greet", garbage)))[0], "error");
  }
  assert.deepEqual(await outcome(channel.push("greet", { name: "Ada", times: 2 })), ["ok", { name: "Ada", times: 2 }]);
});

testEach("channels: a crash is rejoined by the client and ends nothing else", async ({ transport }) => {
  const { ws } = await server("server");
  const socket = await client(ws, { ...quick, transport });
  const crashing = await join(socket, "echo:crash");
  const other = await join(socket, "echo:other");
  let errors = 0;
  let rejoins = 0;
  crashing.onError(() => (errors += 1));
  crashing.joinPush.receive("ok", () => (rejoins += 1));
  rejoins = 0;
  crashing.push("crash", {});
  await until("it joined again", () => rejoins === 1 && crashing.state === "joined");
  assert.equal(errors, 1);
  assert.ok(socket.isConnected());
  assert.deepEqual(await outcome(crashing.push("echo", { a: 1 })), ["ok", { a: 1 }]);
  assert.deepEqual(await outcome(other.push("echo", { b: 1 })), ["ok", { b: 1 }]);
});

testEach("channels: the answer comes before the end", async ({ transport }) => {
  const { ws } = await server("server");
  const channel = await join(await client(ws, { transport }), "echo:stop");
  const closed = new Promise((resolve) => channel.onClose(resolve));
  assert.deepEqual(await outcome(channel.push("stop", {})), ["ok", { bye: true }]);
  await within(patience, "the close", closed);
});

testEach("channels: a slow handler delays only its channel", async ({ transport }) => {
  const { ws } = await server("server");
  const socket = await client(ws, { transport });
  const slow = await join(socket, "echo:slow");
  const quickly = await join(socket, "echo:quick");
  const order = [];
  await Promise.all([
    outcome(slow.push("slow", { ms: 1000 })).then(() => order.push("slow")),
    outcome(quickly.push("echo", {})).then(() => order.push("quick")),
  ]);
  assert.deepEqual(order, ["quick", "slow"]);
});

testEach("channels: intercepted broadcasts", async ({ transport }) => {
  const { ws } = await server("server");
  const channel = await join(await client(ws, { transport }), "filter");
  const events = [];
  for (const event of ["secret", "loud", "quiet", "plain"]) channel.on(event, (payload) => events.push([event, payload.n]));
  channel.push("secret", { n: 1 });
  channel.push("loud", { n: 2 });
  channel.push("plain", { n: 3 });
  await until("the last one is there", () => events.length === 2);
  assert.deepEqual(events, [["quiet", 2], ["plain", 3]]);
});

test("channels: binary pushes, replies and broadcasts through the client", async () => {
  const { ws } = await server("server");
  const one = await join(await client(ws), "echo:bin");
  const two = await join(await client(ws), "echo:bin");
  const bytes = Uint8Array.from([0, 1, 127, 128, 255]).buffer;
  const [status, response] = await outcome(one.push("echo", bytes));
  assert.equal(status, "ok");
  assert.deepEqual(Buffer.from(response), Buffer.from(bytes));
  const all = nextEvent(two, "allbin");
  one.push("allbin", bytes);
  assert.deepEqual(Buffer.from(await all), Buffer.from(bytes));
});

test("channels: bytes cannot go back over long polling, and disturb nothing", async () => {
  const { ws } = await server("server");
  const { LongPoll } = await import("phoenix");
  const channel = await join(await client(ws, { transport: LongPoll }), "echo:bin-poll");
  const seen = [];
  channel.on("allbin", () => seen.push("allbin"));
  const bytes = Uint8Array.from([0, 1, 255]).buffer;
  assert.deepEqual(await outcome(channel.push("echo", bytes)), ["error", { reason: "binary payloads need a WebSocket" }]);
  channel.push("allbin", bytes);
  assert.deepEqual(await outcome(channel.push("echo", { a: 1 })), ["ok", { a: 1 }]);
  assert.deepEqual(seen, []);
});

testEach("channels: disconnect by the socket's id, and the client comes back", async ({ kind, transport }) => {
  const { ws } = await server("server");
  const socket = await client(ws, { ...quick, transport, params: { person: `kicked ${kind}` } });
  const channel = await join(socket, "echo:a");
  const codes = [];
  socket.onClose((event) => codes.push(event.code));
  let rejoins = 0;
  channel.joinPush.receive("ok", () => (rejoins += 1));
  rejoins = 0;
  channel.push("kick", {});
  await until("it is back", () => rejoins === 1);
  assert.deepEqual(codes, [kind === "WebSocket" ? 1001 : 3410]);
});

test("channels: disconnect by id reaches the sockets of all workers, and nobody else's", async () => {
  const program = await start("workers");
  const [first, second] = workersOf(program);
  const closes = [];
  const enterWhile = (halted, user, place) => whileHalted(halted, async () => {
    const socket = await client(program.ws, { params: { user }, reconnectAfterMs: () => 3_600_000 });
    socket.onClose(({ code }) => closes.push(`${user} ${place} ${code}`));
    return join(socket, "room:a");
  });
  const ada = await enterWhile(second, "ada", "here");
  await enterWhile(first, "ada", "there");
  const eve = [await enterWhile(second, "eve", "here"), await enterWhile(first, "eve", "there")];
  ada.push("sign_out", {});
  await until("both are gone", () => closes.length === 2);
  // A shout after it reaches those who are left.
  const heard = eve.map((room) => nextEvent(room, "shout"));
  eve[0].push("shout", {});
  await Promise.all(heard);
  assert.deepEqual(closes.sort(), ["ada here 1001", "ada there 1001"]);
  await program.stop();
});

testEach("channels: any status, and no answer at all", async ({ transport }) => {
  const { ws } = await server("server");
  const channel = await join(await client(ws, { transport }), "echo:a");
  const maybe = new Promise((resolve) => channel.push("status", { x: 1 }).receive("maybe", resolve));
  assert.deepEqual(await within(patience, "the status", maybe), { x: 1 });
  const silent = channel.push("push", { n: 1 }, 100);
  assert.equal((await outcome(silent))[0], "timeout");
});

testEach("channels: a join that takes too long is left, and joined again", async ({ transport }) => {
  const { ws } = await server("server");
  const socket = await client(ws, { ...quick, transport });
  let tries = 0;
  const channel = socket.channel("echo:sluggish", () => ({ try: (tries += 1) }));
  let joins = 0;
  let timeouts = 0;
  channel.join(200).receive("ok", () => (joins += 1)).receive("timeout", () => (timeouts += 1));
  await until("it joined at last", () => channel.state === "joined");
  assert.ok(timeouts >= 1);
  assert.deepEqual(await outcome(channel.push("echo", { a: 1 })), ["ok", { a: 1 }]);
  assert.equal(joins, 1);
});

testEach("channels: a message of five megabytes, and another", async ({ transport }) => {
  const { ws } = await server("server");
  const socket = await client(ws, { transport, ...quick });
  const closes = [];
  socket.onClose((event) => closes.push(event.code));
  const channel = await join(socket, "echo:large");
  for (let n = 0; n < 2; n += 1) {
    const large = nextEvent(channel, "large");
    channel.push("large", { bytes: 5_000_000 });
    assert.equal((await large).text.length, 5_000_000);
  }
  assert.deepEqual(closes, []);
});

test("channels: a client that does not read its large messages is let go of", async () => {
  const program = await start("server");
  const descriptors = () => readdirSync(`/proc/${program.pid}/fd`).length;
  const without = descriptors();
  const socket = await raw(`${program.ws}/socket/websocket?vsn=2.0.0`);
  socket.send('["1","1","echo:stopped","phx_join",{}]');
  await socket.next();
  const megabytes = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${program.pid}/status`, "utf8"))[1]) / 1024;
  const before = megabytes();
  socket.pause();
  let most = 0;
  for (let n = 0; n < 40; n += 1) {
    socket.send(`["1","${n + 2}","echo:stopped","large",{"bytes":5000000}]`);
    await new Promise((resolve) => setTimeout(resolve, 20));
    most = Math.max(most, megabytes() - before);
  }
  await until("it is let go of", () => descriptors() <= without);
  socket.resume();
  assert.equal((await socket.closed)[0], 1006);
  assert.ok(most < 60, `${most} MB were kept for it`);
  await program.stop();
  return `at most ${most.toFixed(0)} MB were kept for it`;
});

testEach("channels: a client of version one", async ({ transport }) => {
  const { ws } = await server("server");
  const socket = await client(ws, { ...quick, ...versionOne, transport });
  const channel = await join(socket, "echo:one", { x: 1 });
  assert.deepEqual(await outcome(channel.push("echo", { a: [1, "x"] })), ["ok", { a: [1, "x"] }]);
  const other = await join(await client(ws, { transport }), "echo:one");
  const heard = nextEvent(channel, "others");
  other.push("others", { n: 2 });
  assert.deepEqual(await heard, { n: 2 });
  const closed = new Promise((resolve) => channel.onClose(resolve));
  assert.deepEqual(await outcome(channel.leave()), ["ok", {}]);
  await within(patience, "the close", closed);
  const nowhere = socket.channel("nowhere", {});
  assert.deepEqual(await outcome(nowhere.join()), ["error", { reason: "unmatched topic" }]);
  nowhere.leave();
});

testEach("channels: at most so many on one socket", async ({ transport }) => {
  const { ws } = await server("server");
  const socket = await client(ws, { transport }, "/small");
  for (const n of [1, 2, 3]) await join(socket, `echo:${n}`);
  const fourth = socket.channel("echo:4", {});
  assert.deepEqual(await outcome(fourth.join()), ["error", { reason: "too many channels joined" }]);
  fourth.leave();
});
