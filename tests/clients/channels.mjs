// openChannel against the real servers.
import assert from "node:assert/strict";
import { openChannel } from "@bennu/client";
import { test, took, until } from "../lib/suite.mjs";
import { connect, loseConnection, server, start, uncaught } from "./harness.mjs";

const name = (text) => ({ params: { name: text } });

async function failure(promise) {
  try {
    return { reply: await promise };
  } catch (error) {
    return error;
  }
}

test("a push resolves with its reply, and everybody hears the event", async () => {
  const { ws } = await server("chat");
  const heard = [];
  const ada = openChannel(connect(ws), "room:talk", { ...name("ada"), events: { said: ({ text }) => heard.push(text) } });
  const bob = openChannel(connect(ws), "room:talk", name("bob"));
  await until("bob is in the room", () => bob.state.joined);
  assert.deepEqual(bob.state.data, { name: "bob", mood: "cheerful" });
  const off = bob.on("said", ({ from, text }) => heard.push(`${from}: ${text}`));
  const reply = await ada.push("say", { text: "hello" });
  assert.equal(reply.from, "ada");
  await until("both heard it", () => heard.length === 2);
  assert.deepEqual(heard.sort(), ["ada: hello", "hello"]);
  off();
  await ada.push("say", { text: "again" });
  await until("ada heard it", () => heard.length === 3);
  await bob.push("say", { text: "once more" });
  await until("ada heard that, too", () => heard.length === 4);
  assert.ok(!heard.includes("ada: again"));
});

test("what the server refuses is an error with its reason, status and fields", async () => {
  const { ws } = await server("conformance");
  const socket = connect(ws);
  const echo = openChannel(socket, "echo:refusals");
  const greet = await failure(echo.push("greet", { name: 5 }));
  assert.equal(greet.failure, "refused");
  assert.equal(greet.status, "error");
  assert.deepEqual(Object.keys(greet.fields).sort(), ["name", "times"]);
  assert.equal((await failure(echo.push("dance"))).message, "unknown event dance");
  const maybe = await failure(echo.push("status", { n: 1 }));
  assert.equal(maybe.status, "maybe");
  assert.deepEqual(maybe.response, { n: 1 });
  assert.equal(maybe.reason, null);
  const closed = openChannel(socket, "echo:closed");
  await until("the join is refused", () => closed.state.error);
  assert.equal(closed.state.error.message, "closed");
  assert.equal(closed.state.joined, false);
  closed.leave();
  const slow = openChannel(socket, "echo:slow", { timeout: 100 });
  await until("joined", () => slow.state.joined);
  assert.equal((await failure(slow.push("slow", { ms: 400 }))).failure, "timeout");
});

test("users of a topic share one channel, which is left with the last", async () => {
  const { ws } = await server("conformance");
  const socket = connect(ws);
  const first = openChannel(socket, "echo:shared", { params: { of: "first" } });
  const second = openChannel(socket, "echo:shared", { params: { of: "second" } });
  const elsewhere = openChannel(socket, "echo:elsewhere");
  await until("joined", () => first.state.joined && second.state.joined && elsewhere.state.joined);
  assert.equal(socket.sent("phx_join"), 2);
  assert.deepEqual(second.state.data.params, { of: "first" });
  const late = openChannel(socket, "echo:shared");
  assert.equal(late.state.joined, true);
  first.leave();
  first.leave();
  assert.deepEqual(first.state.joined, false);
  late.leave();
  assert.deepEqual(await second.push("echo", { n: 1 }), { n: 1 });
  assert.equal(socket.sent("phx_leave"), 0);
  second.leave();
  elsewhere.leave();
  await until("all is left", () => socket.channels.length === 0);
  assert.equal(socket.sent("phx_leave"), 2);
  assert.ok(second.state.closed);
});

test("fifty visits leave nothing behind", async () => {
  const { ws } = await server("conformance");
  const socket = connect(ws);
  await until("open", () => socket.isConnected());
  const held = () => Object.values(socket.stateChangeCallbacks).map((callbacks) => callbacks.length);
  const before = held();
  for (let visit = 0; visit < 50; visit += 1) {
    const echo = openChannel(socket, `echo:visit${visit % 3}`);
    if (visit % 2) assert.deepEqual(await echo.push("echo", { visit }), { visit });
    echo.leave();
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await until("all is left", () => socket.channels.length === 0);
  assert.deepEqual(held(), before);
  assert.equal(socket.sent("phx_join"), socket.sent("phx_leave"));
});

test("who leaves and comes again within one turn stays joined", async () => {
  const { ws } = await server("conformance");
  const socket = connect(ws);
  openChannel(socket, "echo:turn").leave();
  const again = openChannel(socket, "echo:turn");
  await until("joined", () => again.state.joined);
  again.leave();
  const third = openChannel(socket, "echo:turn");
  assert.deepEqual(await third.push("echo", { n: 3 }), { n: 3 });
  assert.equal(socket.sent("phx_join"), 1);
  assert.equal(socket.sent("phx_leave"), 0);
});

test("params that only a later user of the same turn gives are sent", async () => {
  const { ws } = await server("conformance");
  const socket = connect(ws);
  openChannel(socket, "echo:params");
  const parent = openChannel(socket, "echo:params", { params: () => ({ name: "ada" }) });
  await until("joined", () => parent.state.joined);
  assert.deepEqual(parent.state.data.params, { name: "ada" });
  assert.equal(socket.sent("phx_join"), 1);
});

test("pushes that wait when the channel is left fail at once, and so do later ones", async () => {
  const { ws } = await server("conformance");
  const echo = openChannel(connect(ws), "echo:leaving");
  await until("joined", () => echo.state.joined);
  const waiting = failure(echo.push("slow", { ms: 5000 }));
  const time = took();
  echo.leave();
  assert.equal((await waiting).failure, "closed");
  assert.ok(time().ran < 4000);
  assert.equal((await failure(echo.push("echo"))).failure, "closed");
  assert.throws(() => echo.send("push"), { failure: "closed" });
});

test("a crashed channel says so, and is joined again", async () => {
  const { ws } = await server("conformance");
  const states = [];
  const joins = [];
  const echo = openChannel(connect(ws), "echo:crash", {
    onState: ({ joined, error }) => states.push(`${joined} ${error?.failure ?? "-"}`),
    onJoin: (_, how) => joins.push(how),
  });
  await until("joined", () => echo.state.joined);
  echo.send("crash");
  await until("joined again", () => joins.length === 2);
  assert.deepEqual(states, ["true -", "false crashed", "true -"]);
  assert.deepEqual(joins, ["new", "new"]);
});

test("a channel that the server ends is closed, and can be opened anew", async () => {
  const { ws } = await server("conformance");
  const socket = connect(ws);
  const echo = openChannel(socket, "echo:stop");
  assert.deepEqual(await echo.push("stop"), { bye: true });
  await until("closed", () => echo.state.closed);
  assert.equal(socket.channels.length, 0);
  const anew = openChannel(socket, "echo:stop");
  assert.deepEqual(await anew.push("echo", { n: 1 }), { n: 1 });
});

test("a fault in one handler costs the others nothing", async () => {
  const { ws } = await server("conformance");
  const socket = connect(ws);
  const heard = [];
  await uncaught(async (faults) => {
    const bad = openChannel(socket, "echo:fault", {
      events: {
        pushed() {
          throw new Error("on purpose");
        },
      },
    });
    bad.on("pushed", ({ n }) => heard.push(n));
    openChannel(socket, "echo:fault", { events: { pushed: ({ n }) => heard.push(n) } });
    bad.send("push", { n: 1 });
    bad.send("push", { n: 2 });
    await until("both were heard, by both", () => heard.length === 4);
    await until("the world knows", () => faults.length === 2);
    assert.equal(faults[0].message, "on purpose");
  });
});

test("who leaves while an event is handed out does not hear it", async () => {
  const { ws } = await server("conformance");
  const socket = connect(ws);
  const heard = [];
  const first = openChannel(socket, "echo:leaver", {
    events: {
      pushed() {
        heard.push("first");
        second.leave();
        first.leave();
      },
    },
  });
  first.on("pushed", () => heard.push("left"));
  const second = openChannel(socket, "echo:leaver", { events: { pushed: () => heard.push("second") } });
  const third = openChannel(socket, "echo:leaver", { events: { pushed: () => heard.push("third") } });
  third.send("push");
  await until("the others heard it", () => heard.length >= 2);
  assert.deepEqual(heard, ["first", "third"]);
});

test("events carry the data on that the join replied", async () => {
  const { ws } = await server("conformance");
  const echo = openChannel(connect(ws), "echo:data", {
    params: { n: 1 },
    reduce: { pushed: (data, { n }) => ({ ...data, sum: (data.sum ?? data.params.n) + n }) },
  });
  await until("joined", () => echo.state.joined);
  echo.send("push", { n: 2 });
  echo.send("push", { n: 3 });
  await until("both were counted", () => echo.state.data.sum === 6);
});

test("a lost connection and a new server are survived", async () => {
  const first = await start("conformance");
  const socket = connect(first.ws);
  const joins = [];
  const echo = openChannel(socket, "echo:lost", { onJoin: () => joins.push(echo.state.error) });
  await until("joined", () => echo.state.joined);
  loseConnection(socket);
  await until("lost", () => !echo.state.joined);
  assert.equal(echo.state.error, null);
  await until("back", () => echo.state.joined);
  await first.stop("SIGKILL");
  await until("lost again", () => !echo.state.joined);
  const waiting = echo.push("echo", { n: 7 });
  const second = await start("conformance", first.port);
  assert.deepEqual(await waiting, { n: 7 });
  assert.equal(joins.length, 3);
  await second.stop();
});

test("a join that the connection takes along is joined later, and its end of time harms nothing", async () => {
  const { ws } = await server("conformance");
  const socket = connect(ws);
  await uncaught(async (faults) => {
    const timeout = 1000;
    const echo = openChannel(socket, "echo:sluggish", { params: { try: 1 }, timeout });
    await until("the join is on its way", () => socket.sent("phx_join") === 1);
    socket.away = true;
    loseConnection(socket);
    await new Promise((resolve) => setTimeout(resolve, timeout + 200));
    assert.deepEqual(faults, []);
    socket.away = false;
    await until("joined", () => echo.state.joined);
    assert.deepEqual(await echo.push("echo", { n: 1 }), { n: 1 });
  });
});

test("presence is typed metas by key, and empty again when everybody has left", async () => {
  const { ws } = await server("chat");
  const socket = connect(ws);
  const seen = [];
  const ada = openChannel(socket, "room:people", { ...name("ada"), onPresence: (present) => seen.push(present) });
  const bob = openChannel(connect(ws), "room:people", { params: { name: "bob", mood: "busy" } });
  await until("ada sees both", () => ada.present.length === 2);
  const byKey = Object.fromEntries(ada.present.map(({ key, metas }) => [key, metas.map(({ mood }) => mood)]));
  assert.deepEqual(byKey, { ada: ["cheerful"], bob: ["busy"] });
  ada.send("busy");
  await until("the change is seen", () => bob.present.some(({ key, metas }) => key === "ada" && metas[0].mood === "busy"));
  const late = openChannel(socket, "room:people");
  assert.equal(late.present.length, 2);
  bob.leave();
  await until("bob is gone", () => ada.present.length === 1);
  assert.equal(seen.at(-1)[0].key, "ada");
});
