// The client's own Presence against the server's.
import assert from "node:assert/strict";
import { Presence } from "phoenix";
import { client, outcome, server, test, until } from "./harness.mjs";

async function enter(ws, name) {
  const socket = await client(ws, { rejoinAfterMs: () => 20, reconnectAfterMs: () => 20 });
  const channel = socket.channel("people", { name });
  const presence = new Presence(channel);
  const seen = { socket, channel, names: () => presence.list((key) => key).sort(), presence, joins: [], leaves: [] };
  presence.onJoin((key, current) => current || seen.joins.push(key));
  presence.onLeave((key, current) => current.metas.length || seen.leaves.push(key));
  assert.equal((await outcome(channel.join()))[0], "ok");
  return seen;
}

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

test("presence: who comes and who goes", async () => {
  const { ws } = await server("server");
  const ada = await enter(ws, "ada");
  await until("ada sees herself", () => same(ada.names(), ["ada"]));
  const bob = await enter(ws, "bob");
  const again = await enter(ws, "bob");
  for (const one of [ada, bob, again]) await until("all see both", () => same(one.names(), ["ada", "bob"]));
  await until("bob has two entries", () => ada.presence.state.bob.metas.length === 2);

  bob.socket.disconnect();
  await until("one entry of bob is left", () => ada.presence.state.bob?.metas.length === 1);
  await outcome(again.channel.leave());
  await until("bob is gone", () => same(ada.names(), ["ada"]));
  assert.deepEqual(ada.leaves, ["bob"]);
});

test("presence: a changed meta keeps the key and names its former ref", async () => {
  const { ws } = await server("server");
  const ada = await enter(ws, "ada");
  const bob = await enter(ws, "bob");
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
