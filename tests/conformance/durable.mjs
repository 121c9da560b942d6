// Durable topics: an unmodified client that says where it is, in its join parameters, gets what it missed.
import assert from "node:assert/strict";
import { Socket } from "phoenix";
import { test, until } from "../lib/suite.mjs";
import { client, join, outcome, server, start, testEach, whileHalted, workersOf } from "./harness.mjs";

const quick = { rejoinAfterMs: () => 20, reconnectAfterMs: () => 20 };

/// Joins, keeps its position, and counts what it sees: [n, …], and "resync" where it was told so.
async function follow(socket, topic, event = "said") {
  const feed = { seen: [], statuses: [], position: null };
  const channel = socket.channel(topic, () => (feed.position ? { resume: { position: feed.position } } : {}));
  const resync = (position) => {
    feed.position = position;
    feed.seen.push("resync");
  };
  channel.on(event, ({ n, _at: [epoch, sequence] }) => {
    feed.position = { ...feed.position, [epoch]: sequence };
    feed.seen.push(n);
  });
  channel.on("resync", ({ position }) => resync(position));
  channel.join().receive("ok", ({ resume }) => {
    feed.statuses.push(resume.status);
    if (resume.status === "resync") resync(resume.position);
    else feed.position = resume.position;
  });
  await until("the feed is joined", () => feed.statuses.length === 1);
  return Object.assign(feed, { channel });
}

const say = async (channel, numbers, event = "say") => {
  for (const n of numbers) {
    assert.equal((await outcome(channel.push(event, { n })))[0], "ok");
  }
};

/// In batches: a channel has room for so many at once.
async function sayMany(channel, numbers, more = {}) {
  for (let at = 0; at < numbers.length; at += 200) {
    const pushes = numbers.slice(at, at + 200).map((n) => channel.push("say", { n, ...more }));
    for (const [status] of await Promise.all(pushes.map(outcome))) assert.equal(status, "ok");
  }
}

/// The connection is lost; the client does not know.
function cut(socket, kind) {
  if (kind === "WebSocket") socket.conn.terminate();
  else socket.conn.endpointURL = () => `${socket.conn.pollEndpoint}&token=nonsense`;
}

testEach("durable: what was said while the connection was lost", async ({ kind, transport }) => {
  const { ws } = await server("server");
  const speaker = await join(await client(ws), `feed:lost:${kind}`);
  const socket = await client(ws, { transport, ...quick });
  const feed = await follow(socket, `feed:lost:${kind}`);
  await say(speaker, [1, 2]);
  await until("it has heard both", () => feed.seen.length === 2);
  socket.disconnect();
  await say(speaker, [3, 4, 5]);
  socket.connect();
  await until("it is back", () => feed.statuses.length === 2);
  await say(speaker, [6]);
  await until("it has heard all", () => feed.seen.length === 6);
  // And once more, without a goodbye.
  cut(socket, kind);
  await say(speaker, [7, 8]);
  await until("it is back again", () => feed.statuses.length === 3);
  await until("it has heard these, too", () => feed.seen.length === 8);
  assert.deepEqual(feed.seen, [1, 2, 3, 4, 5, 6, 7, 8]);
  assert.deepEqual(feed.statuses, ["new", "resumed", "resumed"]);
  socket.disconnect();
});

testEach("durable: nothing missed, and too much missed", async ({ kind, transport }) => {
  const { ws } = await server("server");
  const speaker = await join(await client(ws), `feed:short:${kind}`);
  const socket = await client(ws, { transport, ...quick });
  const feed = await follow(socket, `feed:short:${kind}`);
  await say(speaker, [1]);
  await until("it has heard one", () => feed.seen.length === 1);
  socket.disconnect();
  socket.connect();
  await until("it is back", () => feed.statuses.length === 2);
  socket.disconnect();
  await say(speaker, Array.from({ length: 21 }, (_, n) => n + 2));
  socket.connect();
  await until("it is back again", () => feed.statuses.length === 3);
  await say(speaker, [100]);
  await until("it hears what is new", () => feed.seen.includes(100));
  assert.deepEqual(feed.seen, [1, "resync", 100]);
  assert.deepEqual(feed.statuses, ["new", "resumed", "resync"]);
  socket.disconnect();
});

testEach("durable: as much was missed as is kept", async ({ kind, transport }) => {
  const { ws } = await server("server");
  const speaker = await join(await client(ws), `archive:${kind}`);
  const socket = await client(ws, { transport, ...quick });
  const feed = await follow(socket, `archive:${kind}`);
  socket.disconnect();
  const numbers = Array.from({ length: 1000 }, (_, n) => n);
  await sayMany(speaker, numbers);
  const closes = [];
  socket.onClose((event) => closes.push(event.code));
  socket.connect();
  await until("it has heard all", () => feed.seen.length === 1000);
  await say(speaker, [1000]);
  await until("it hears what is new", () => feed.seen.length === 1001);
  assert.deepEqual(feed.seen, [...numbers, 1000]);
  assert.deepEqual(feed.statuses, ["new", "resumed"]);
  assert.deepEqual(closes, []);
  socket.disconnect();
});

testEach("durable: much was missed on many topics", async ({ kind, transport }) => {
  const { ws } = await server("server");
  const speaker = await client(ws);
  const socket = await client(ws, { transport, ...quick });
  const pad = "x".repeat(1000);
  const feeds = [];
  for (let n = 0; n < 12; n += 1) feeds.push(await follow(socket, `archive:${kind}:${n}`));
  socket.disconnect();
  const numbers = Array.from({ length: 290 }, (_, n) => n);
  for (let n = 0; n < 12; n += 1) {
    await sayMany(await join(speaker, `archive:${kind}:${n}`), numbers, { pad });
  }
  const closes = [];
  socket.onClose((event) => closes.push(event.code));
  socket.connect();
  for (const feed of feeds) await until("it has heard all", () => feed.seen.length === 290);
  for (const feed of feeds) {
    assert.deepEqual(feed.seen, numbers);
    assert.deepEqual(feed.statuses, ["new", "resumed"]);
  }
  assert.deepEqual(closes, []);
  socket.disconnect();
});

testEach("durable: a server that starts again knows nothing", async ({ transport }) => {
  const first = await start("server");
  const socket = await client(first.ws, { transport, ...quick });
  const feed = await follow(socket, "feed:restart");
  await say(feed.channel, [1, 2]);
  await until("it has heard both", () => feed.seen.length === 2);
  await first.stop("SIGKILL");
  await until("the client notices", () => !socket.isConnected());
  const second = await start("server", first.port);
  await until("it is back", () => feed.statuses.length === 2);
  await say(feed.channel, [3]);
  await until("it hears what is new", () => feed.seen.includes(3));
  assert.deepEqual(feed.seen, [1, 2, "resync", 3]);
  assert.deepEqual(feed.statuses, ["new", "resync"]);
  socket.disconnect();
  await second.stop();
});

testEach("durable: positions are checked, and other topics have none", async ({ transport }) => {
  const { ws } = await server("server");
  const socket = await client(ws, { transport });
  for (const resume of [5, {}, { position: 5 }, { position: {} }, { position: { "no such": 1 } }, { position: { x: 1 } }]) {
    const channel = socket.channel("feed:checked", { resume });
    const [status, response] = await outcome(channel.join());
    assert.equal(status, "ok");
    assert.equal(response.resume.status, "resync", JSON.stringify(resume));
    channel.leave();
  }
  const plain = await join(socket, "echo:plain", { resume: { position: { x: 1 } } });
  assert.deepEqual(plain.joinPush.receivedResp.response.resume, undefined);
});

test("durable: one of two workers is killed", async () => {
  const program = await start("workers");
  const [first, second] = workersOf(program);
  const here = await whileHalted(second, () => client(program.ws, quick));
  const there = await whileHalted(first, () => client(program.ws, quick));
  const feed = await follow(here, "feed:kill", "shout");
  const other = await follow(there, "feed:kill", "shout");
  const shout = (from, n) => from.channel.push("shout", { n });
  for (const n of [1, 2, 3]) shout(n === 2 ? feed : other, n);
  await until(() => `both have heard all: [${feed.seen}] and [${other.seen}]`, () => feed.seen.length === 3 && other.seen.length === 3);
  process.kill(first, "SIGKILL");
  for (const n of [4, 5]) shout(other, n);
  await until("it is back", () => feed.statuses.length >= 2);
  shout(other, 6);
  await until(() => `it hears what is new: [${feed.seen}]`, () => feed.seen.includes(6));
  // On the worker that lived on nothing is missed; a new one says that it knows nothing.
  const all = feed.seen.filter((n) => n !== "resync");
  assert.deepEqual([...all.slice(0, 3)].sort(), [1, 2, 3]);
  if (!feed.seen.includes("resync")) assert.deepEqual(all.slice(3), [4, 5, 6]);
  assert.equal(new Set(all).size, all.length, String(feed.seen));
  assert.deepEqual([...other.seen].sort(), [1, 2, 3, 4, 5, 6]);
  for (const socket of [here, there]) socket.disconnect();
  await program.stop();
});

test("durable: one that polls too rarely is told what it lost", async () => {
  const { http, ws } = await server("server");
  const polls = async (topic) => {
    const url = `${http}/patient/longpoll?vsn=2.0.0`;
    const poll = async (mine = url) => (await fetch(mine)).json();
    const mine = `${url}&token=${(await poll()).token}`;
    const events = async () => (await poll(mine)).messages.map((text) => JSON.parse(text)).map(([, , , event, payload]) => [event, payload]);
    await fetch(mine, { method: "POST", body: JSON.stringify(["1", "1", topic, "phx_join", {}]) });
    assert.equal((await events())[0][0], "phx_reply");
    return events;
  };
  let speaker, events, first;
  // The speaker hears that all is said before all of it has come to the shard of the session. Who
  // polls in between takes some away, and less is lost: then the next one waits longer.
  for (let wait = 50; wait < 10_000; wait *= 4) {
    const topic = `feed:patient-${wait}`;
    speaker = await join(await client(ws), topic);
    events = await polls(topic);
    await say(speaker, Array.from({ length: 30 }, (_, n) => n));
    await new Promise((resolve) => setTimeout(resolve, wait));
    first = await events();
    if (first.length === 10) break;
  }
  assert.deepEqual(first.map(([, { n }]) => n), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const [epoch] = first[0][1]._at;
  assert.deepEqual(await events(), [["resync", { position: { [epoch]: 30 } }]]);
  await say(speaker, [30]);
  assert.deepEqual(await events(), [["said", { n: 30, _at: [epoch, 31] }]]);
});

test("durable: a client that falls back to another transport goes on where it was", async () => {
  const { ws } = await server("server");
  const speaker = await join(await client(ws), "feed:moves");
  const first = await client(ws);
  const feed = await follow(first, "feed:moves");
  await say(speaker, [1]);
  await until("it has heard one", () => feed.seen.length === 1);
  first.disconnect();
  await say(speaker, [2, 3]);
  const { LongPoll } = await import("phoenix");
  const second = new Socket(`${ws}/socket`, { transport: LongPoll, ...quick });
  second.connect();
  const heard = [];
  const channel = second.channel("feed:moves", { resume: { position: feed.position } });
  channel.on("said", ({ n }) => heard.push(n));
  const [, response] = await outcome(channel.join());
  assert.equal(response.resume.status, "resumed");
  await until("it has heard what it missed", () => heard.length === 2);
  assert.deepEqual(heard, [2, 3]);
  second.disconnect();
});
