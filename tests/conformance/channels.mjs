// The rows of the channel protocol that need more than examples/hello, over npm phoenix.
import assert from "node:assert/strict";
import { client, join, nextEvent, outcome, server, test, until, within } from "./harness.mjs";

const quick = { rejoinAfterMs: () => 20, reconnectAfterMs: () => 20 };

test("channels: join parameters and assigns", async () => {
  const { ws } = await server("server");
  const socket = await client(ws, { params: { person: "ada" }, authToken: "t0ken" });
  const channel = socket.channel("echo:a", { x: 1 });
  const [status, response] = await outcome(channel.join());
  assert.equal(status, "ok");
  assert.deepEqual(response.params, { x: 1 });
  assert.equal(response.assigns.params.person, "ada");
  assert.equal(response.assigns.token, "t0ken");
});

test("channels: refused and crashed joins", async () => {
  const { ws } = await server("server");
  const socket = await client(ws, quick);
  const closed = socket.channel("echo:closed", {});
  assert.deepEqual(await outcome(closed.join()), ["error", { reason: "closed" }]);
  closed.leave();
  const boom = socket.channel("echo:boom", {});
  assert.deepEqual(await outcome(boom.join()), ["error", { reason: "join crashed" }]);
  boom.leave();
});

test("channels: push, broadcast_from, later, statuses", async () => {
  const { ws } = await server("server");
  const one = await join(await client(ws), "echo:a");
  const two = await join(await client(ws), "echo:a");
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

test("channels: garbage payloads get errors by field, and the channel lives on", async () => {
  const { ws } = await server("server");
  const channel = await join(await client(ws), "echo:a");
  const [status, response] = await outcome(channel.push("greet", { name: 5, times: "x" }));
  assert.equal(status, "error");
  assert.deepEqual(response.errors.map((error) => error.field).sort(), ["name", "times"]);
  for (const garbage of [1, "text", null, [], { unknown: true }]) {
    assert.equal((await outcome(channel.push("greet", garbage)))[0], "error");
  }
  assert.deepEqual(await outcome(channel.push("greet", { name: "Ada", times: 2 })), ["ok", { name: "Ada", times: 2 }]);
});

test("channels: a crash is rejoined by the client and ends nothing else", async () => {
  const { ws } = await server("server");
  const socket = await client(ws, quick);
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

test("channels: the answer comes before the end", async () => {
  const { ws } = await server("server");
  const channel = await join(await client(ws), "echo:stop");
  const closed = new Promise((resolve) => channel.onClose(resolve));
  assert.deepEqual(await outcome(channel.push("stop", {})), ["ok", { bye: true }]);
  await within(2000, "the close", closed);
});

test("channels: a slow handler delays only its channel", async () => {
  const { ws } = await server("server");
  const socket = await client(ws);
  const slow = await join(socket, "echo:slow");
  const quickly = await join(socket, "echo:quick");
  const order = [];
  await Promise.all([
    outcome(slow.push("slow", { ms: 200 })).then(() => order.push("slow")),
    outcome(quickly.push("echo", {})).then(() => order.push("quick")),
  ]);
  assert.deepEqual(order, ["quick", "slow"]);
});

test("channels: intercepted broadcasts", async () => {
  const { ws } = await server("server");
  const channel = await join(await client(ws), "filter");
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

test("channels: disconnect by the socket's id, and the client comes back", async () => {
  const { ws } = await server("server");
  const socket = await client(ws, { ...quick, params: { person: "kicked" } });
  const channel = await join(socket, "echo:a");
  const codes = [];
  socket.onClose((event) => codes.push(event.code));
  let rejoins = 0;
  channel.joinPush.receive("ok", () => (rejoins += 1));
  rejoins = 0;
  channel.push("kick", {});
  await until("it is back", () => rejoins === 1);
  assert.deepEqual(codes, [1001]);
});

test("channels: at most so many on one socket", async () => {
  const { ws } = await server("server");
  const socket = await client(ws, {}, "/small");
  for (const n of [1, 2, 3]) await join(socket, `echo:${n}`);
  const fourth = socket.channel("echo:4", {});
  assert.deepEqual(await outcome(fourth.join()), ["error", { reason: "too many channels joined" }]);
  fourth.leave();
});
