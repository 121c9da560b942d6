// What examples/hello promises, over npm phoenix.
import assert from "node:assert/strict";
import { test, until } from "../lib/suite.mjs";
import { client, join, nextEvent, outcome, server, start } from "./harness.mjs";

test("hello: GET /json", async () => {
  const { http } = await server("hello");
  const response = await fetch(`${http}/json`);
  assert.equal(response.status, 200);
  assert.match(response.headers.get("content-type"), /^application\/json/);
  assert.deepEqual(await response.json(), { message: "hello" });
});

test("hello: connect, join and echo", async () => {
  const { ws } = await server("hello");
  const room = await join(await client(ws), "room:lobby");
  for (const payload of [{}, { n: [1, 2.5, null, "ü\u2028🦅"] }, { deep: { er: [[[]]] } }]) {
    assert.deepEqual(await outcome(room.push("echo", payload)), ["ok", payload]);
  }
});

test("hello: many echoes in flight keep their order", async () => {
  const { ws } = await server("hello");
  const room = await join(await client(ws), "room:order");
  const seen = [];
  const pushes = Array.from({ length: 500 }, (_, n) => outcome(room.push("echo", { n })).then(() => seen.push(n)));
  await Promise.all(pushes);
  assert.deepEqual(seen, Array.from({ length: 500 }, (_, n) => n));
});

test("hello: shout reaches two clients and nobody elsewhere", async () => {
  const { ws } = await server("hello");
  const one = await join(await client(ws), "room:loud");
  const two = await join(await client(ws), "room:loud");
  const other = await join(await client(ws), "room:other");
  let strayed = 0;
  other.on("shout", () => (strayed += 1));
  const heard = [nextEvent(one, "shout"), nextEvent(two, "shout")];
  one.push("shout", { text: "hello" });
  assert.deepEqual(await Promise.all(heard), [{ text: "hello" }, { text: "hello" }]);
  await outcome(other.push("echo", {}));
  assert.equal(strayed, 0);
});

test("hello: a hundred clients hear one shout", async () => {
  const { ws } = await server("hello");
  const rooms = await Promise.all(Array.from({ length: 100 }, async () => join(await client(ws), "room:crowd")));
  const heard = rooms.map((room) => nextEvent(room, "shout"));
  rooms[0].push("shout", { n: 1 });
  assert.equal((await Promise.all(heard)).length, 100);
});

test("hello: leave, and join again", async () => {
  const { ws } = await server("hello");
  const socket = await client(ws);
  const room = await join(socket, "room:leave");
  const closed = new Promise((resolve) => room.onClose(resolve));
  assert.deepEqual(await outcome(room.leave()), ["ok", {}]);
  await closed;
  const again = await join(socket, "room:leave");
  assert.deepEqual(await outcome(again.push("echo", { a: 1 })), ["ok", { a: 1 }]);
});

test("hello: joining a topic twice on one socket", async () => {
  const { ws } = await server("hello");
  const socket = await client(ws);
  await join(socket, "room:twice");
  const second = await join(socket, "room:twice");
  let heard = 0;
  second.on("shout", () => (heard += 1));
  second.push("shout", {});
  await until("the shout is heard", () => heard > 0);
  await outcome(second.push("echo", {}));
  assert.equal(heard, 1);
});

test("hello: unknown topics and events are errors, and disturb nothing", async () => {
  const { ws } = await server("hello");
  const socket = await client(ws);
  const nowhere = socket.channel("nowhere", {});
  assert.deepEqual(await outcome(nowhere.join()), ["error", { reason: "unmatched topic" }]);
  nowhere.leave();
  const room = await join(socket, "room:a");
  assert.deepEqual(await outcome(room.push("nonsense", {})), ["error", { reason: "unknown event nonsense" }]);
  assert.deepEqual(await outcome(room.push("echo", { a: 1 })), ["ok", { a: 1 }]);
});

for (const signal of ["SIGTERM", "SIGKILL"]) {
  test(`hello: clients come back after the server restarts (${signal})`, async () => {
    const first = await start("hello");
    const socket = await client(first.ws, { rejoinAfterMs: () => 50, reconnectAfterMs: () => 50 });
    const room = await join(socket, "room:restart");
    let rejoined = 0;
    room.joinPush.receive("ok", () => (rejoined += 1));
    await first.stop(signal);
    await until("the client notices", () => !socket.isConnected());
    const second = await start("hello", first.port);
    await until("it joined again", () => room.state === "joined" && socket.isConnected());
    assert.deepEqual(await outcome(room.push("echo", { back: true })), ["ok", { back: true }]);
    const heard = nextEvent(room, "shout");
    room.push("shout", { n: 2 });
    assert.deepEqual(await heard, { n: 2 });
    socket.disconnect();
    await second.stop();
  });
}
