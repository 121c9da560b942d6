// The client's own Presence against the server's.
import assert from "node:assert/strict";
import { Presence } from "phoenix";
import { test, until } from "../lib/suite.mjs";
import { client, outcome, server, start, testEach, whileHalted, workersOf } from "./harness.mjs";

// Its polls wait for four seconds, so that somebody who does not poll any more is missed soon, and one who pauses is not.
async function enter(ws, name, { path = "/soon", topic = "people", ...options } = {}) {
  const socket = await client(ws, { rejoinAfterMs: () => 20, reconnectAfterMs: () => 20, ...options }, path);
  const channel = socket.channel(topic, { name });
  const presence = new Presence(channel);
  const seen = { socket, channel, names: () => presence.list((key) => key).sort(), presence, joins: [], leaves: [] };
  presence.onJoin((key, current) => current || seen.joins.push(key));
  presence.onLeave((key, current) => current.metas.length || seen.leaves.push(key));
  assert.equal((await outcome(channel.join()))[0], "ok");
  return seen;
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

testEach("presence: who comes and who goes", async ({ transport }) => {
  const { ws } = await server("server");
  const ada = await enter(ws, "ada", { transport });
  await until("ada sees herself", () => same(ada.names(), ["ada"]));
  const bob = await enter(ws, "bob", { transport });
  const again = await enter(ws, "bob", { transport });
  for (const one of [ada, bob, again]) await until("all see both", () => same(one.names(), ["ada", "bob"]));
  await until("bob has two entries", () => ada.presence.state.bob.metas.length === 2);

  bob.socket.disconnect();
  await until("one entry of bob is left", () => ada.presence.state.bob?.metas.length === 1);
  await outcome(again.channel.leave());
  await until("bob is gone", () => same(ada.names(), ["ada"]));
  assert.deepEqual(ada.leaves, ["bob"]);
});

testEach("presence: states of megabytes, of several topics at once", async ({ kind, transport }) => {
  const { ws } = await server("server");
  // The numbers are even or odd, so that each transport has topics of its own.
  const counts = [5500, 5502, 23_000].map((count) => count + (kind === "LongPoll" ? 1 : 0));
  const enterAll = async (socket) => {
    const crowds = counts.map((count) => {
      const channel = socket.channel(`crowd:${count}`);
      const presence = new Presence(channel);
      channel.join();
      return { count, presence };
    });
    for (const { count, presence } of crowds) {
      await until(`all ${count} are seen`, () => Object.keys(presence.state).length === count, 60_000);
    }
  };
  // The crowds are there as long as the first client.
  await enterAll(await client(ws));
  const socket = await client(ws, { transport, rejoinAfterMs: () => 20, reconnectAfterMs: () => 20 });
  const closes = [];
  socket.onClose((event) => closes.push(event.code));
  await enterAll(socket);
  assert.deepEqual(closes, []);
});

testEach("presence: a changed meta keeps the key and names its former ref", async ({ transport }) => {
  const { ws } = await server("server");
  const ada = await enter(ws, "ada", { transport });
  const bob = await enter(ws, "bob", { transport });
  await until("ada sees bob", () => ada.presence.state.bob);
  const before = ada.presence.state.bob.metas[0].phx_ref;
  assert.match(before, /^[A-Za-z0-9_-]{16}$/);
  assert.equal((await outcome(bob.channel.push("status", { status: "away" })))[0], "ok");
  await until("ada sees the change", () => ada.presence.state.bob?.metas[0].status === "away");
  const [meta, ...more] = ada.presence.state.bob.metas;
  assert.equal(more.length, 0);
  assert.equal(meta.phx_ref_prev, before);
  assert.deepEqual(ada.leaves, []);
});

testEach("presence: what the server fetches of somebody stands beside the metas", async ({ kind, transport }) => {
  const { ws } = await server("server");
  const topic = `members:${kind}`;
  const ada = await enter(ws, "ada", { transport, topic });
  const left = [];
  ada.presence.onLeave((key, current, gone) => left.push(gone.account?.full_name));
  const bob = await enter(ws, "bob", { transport, topic });
  const name = (one, key) => one.presence.state[key]?.account?.full_name;
  for (const one of [ada, bob]) {
    await until("each knows both", () => ["ada", "bob"].every((key) => name(one, key) === `${key} of Bennu`));
    assert.equal(one.presence.state.ada.metas.length, 1);
  }
  assert.equal((await outcome(bob.channel.push("status", { status: "away" })))[0], "ok");
  await until("ada sees the change", () => ada.presence.state.bob?.metas[0].status === "away");
  assert.equal(name(ada, "bob"), "bob of Bennu");
  bob.socket.disconnect();
  await until("ada is told who left", () => left.at(-1) === "bob of Bennu" && same(ada.names(), ["ada"]));
  // One that fails shows who is there all the same.
  await enter(ws, "boom", { transport, topic });
  await until("ada sees it", () => same(ada.names(), ["ada", "boom"]));
  assert.equal(name(ada, "boom"), undefined);
});

testEach("presence: what a fetch that failed would have brought comes later, and nobody seems to leave", async ({ kind, transport }) => {
  const { ws } = await server("server");
  const topic = `outage:${kind}`;
  const ada = await enter(ws, "ada", { transport, topic });
  const name = (one, key) => one.presence.state[key]?.account?.full_name;
  await until("ada knows herself", () => name(ada, "ada") === "ada of Bennu");
  await outcome(ada.channel.push("database", { away: true }));
  const bob = await enter(ws, "bob", { transport, topic });
  const tab = await enter(ws, "ada", { transport, topic });
  for (const one of [ada, bob, tab]) {
    await until("all are seen", () => same(one.names(), ["ada", "bob"]) && one.presence.state.ada.metas.length === 2);
    assert.equal(name(one, "bob"), undefined);
  }
  const refs = (one) => Object.values(one.presence.state).flatMap((entry) => entry.metas.map((meta) => meta.phx_ref)).sort();
  const before = refs(ada);
  const joins = ada.joins.length;
  await outcome(ada.channel.push("database", { away: false }));
  for (const one of [ada, bob, tab]) {
    await until("each knows both", () => ["ada", "bob"].every((key) => name(one, key) === `${key} of Bennu`));
    assert.deepEqual(refs(one), before);
    assert.deepEqual(one.leaves, []);
  }
  assert.equal(ada.joins.length, joins);
});

test("presence: a lost connection leaves, and comes back with the state", async () => {
  const { ws } = await server("server");
  const ada = await enter(ws, "ada");
  const bob = await enter(ws, "bob");
  await until("ada sees bob", () => same(ada.names(), ["ada", "bob"]));
  const before = ada.presence.state.bob.metas[0].phx_ref;
  bob.socket.conn.terminate();
  const after = (one) => one.presence.state.bob?.metas.map((meta) => meta.phx_ref) ?? [];
  await until("bob is back as somebody else", () =>
    [ada, bob].every((one) => after(one).length === 1 && after(one)[0] !== before && one.names().length === 2));
});

test("presence: fifty at once agree", async () => {
  const { ws } = await server("server");
  const people = await Promise.all(Array.from({ length: 50 }, (_, n) => enter(ws, `person ${n}`)));
  for (const one of people) await until("everybody sees everybody", () => one.names().length === 50);
  for (const one of people.slice(1)) one.socket.disconnect();
  await until("the last one is alone", () => people[0].names().length === 1);
});

test("presence: two workers know of each other's, and miss those of one that is killed", async () => {
  const program = await start("workers");
  const [first, second] = workersOf(program);
  const place = { path: "/socket", topic: "people:all" };
  const enterWhile = (halted, name, count) => whileHalted(halted, () => Promise.all(Array.from({ length: count }, (_, n) =>
    enter(program.ws, `${name} ${n}`, { ...place, reconnectAfterMs: () => 3_600_000 }))));
  const seenBy = (people, names) => people.every((one) => same(one.names(), [...names].sort()));
  const names = (name, count) => Array.from({ length: count }, (_, n) => `${name} ${n}`);

  const here = await enterWhile(second, "here", 15);
  const there = await enterWhile(first, "there", 20);
  const everybody = [...names("here", 15), ...names("there", 20)];
  await until("everybody sees everybody", () => seenBy([...here, ...there], everybody));

  process.kill(second, "SIGKILL");
  await until("its people are missed", () => seenBy(here, names("here", 15)));
  assert.ok(here.every((one) => one.leaves.length === 20));
  assert.ok(here.every((one) => one.socket.isConnected()) && !there.some((one) => one.socket.isConnected()));
  await enter(program.ws, "late", place);
  await until("who comes late is seen", () => seenBy(here, [...names("here", 15), "late"]));
  await program.stop();
});
