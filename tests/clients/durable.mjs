// Durable topics through the kit: nothing missed, nothing twice, or an explicit resync.
import assert from "node:assert/strict";
import { openChannel } from "@bennu/client";
import { test, until } from "../lib/suite.mjs";
import { connect, loseConnection, server } from "./harness.mjs";
import { fakeDurable } from "./fake_durable.mjs";

/// Of the server's topics; each test has one of its own.
const keep = 20;
let topic = "feed:kit 0";
let topics = 0;
const say = "say";
const said = "said";

/// A reader that notes numbers and how its joins went on, and a writer on a socket of its own.
function pair(base, resume = true) {
  const seen = { numbers: [], joins: [], resyncs: 0 };
  const socket = connect(base);
  const reader = openChannel(socket, topic, {
    resume,
    events: { [said]: ({ n }) => seen.numbers.push(n) },
    onJoin: (_, how) => seen.joins.push(how),
    onResync: () => (seen.resyncs += 1),
  });
  const writer = openChannel(connect(base), topic);
  return {
    seen,
    socket,
    reader,
    write: (n) => writer.push(say, { n }),
    async joined() {
      await until("both are in the topic", () => reader.state.joined && writer.state.joined);
    },
    /// Until it comes `back`, however long what is written meanwhile takes.
    async cut() {
      socket.away = true;
      loseConnection(socket);
      await until("the connection is lost", () => !reader.state.joined);
    },
    async back() {
      socket.away = false;
      await until("back", () => reader.state.joined);
    },
  };
}

async function withServer(body) {
  topic = `feed:kit ${(topics += 1)}`;
  await body((await server("conformance")).ws);
}

test("durable: what was said while the connection was lost follows, in order, once", () =>
  withServer(async (base) => {
    const { seen, write, joined, cut, back } = pair(base);
    await joined();
    await write(1);
    await until("the first was read", () => seen.numbers.length === 1);
    await cut();
    for (const n of [2, 3, 4]) await write(n);
    await back();
    await write(5);
    await until("all were read", () => seen.numbers.length >= 5);
    assert.deepEqual(seen.numbers, [1, 2, 3, 4, 5]);
    assert.deepEqual(seen.joins, ["new", "resumed"]);
    assert.equal(seen.resyncs, 0);
  }));

test("durable: what is not kept any more is a resync, and reading goes on after it", () =>
  withServer(async (base) => {
    const { seen, write, joined, cut, back } = pair(base);
    await joined();
    await write(1);
    await until("the first was read", () => seen.numbers.length === 1);
    await cut();
    const last = keep + 3;
    for (let n = 2; n <= last; n += 1) await write(n);
    await back();
    await write(last + 1);
    await until("reading goes on", () => seen.numbers.length >= 2);
    assert.deepEqual(seen.numbers, [1, last + 1]);
    assert.deepEqual(seen.joins, ["new", "resync"]);
    assert.equal(seen.resyncs, 1);
  }));

test("durable: a position kept elsewhere goes on from there", () =>
  withServer(async (base) => {
    const first = pair(base);
    await first.joined();
    await first.write(1);
    await until("the first was read", () => first.seen.numbers.length === 1);
    const { position } = first.reader;
    assert.equal(Object.keys(position).length, 1);
    await first.write(2);
    const second = pair(base, position);
    await until("the second reader goes on", () => second.seen.numbers.length === 1);
    assert.deepEqual(second.seen.numbers, [2]);
    assert.deepEqual(second.seen.joins, ["resumed"]);
  }));

test("durable: the topic's very first message is not missed either", () =>
  withServer(async (base) => {
    const { seen, write, joined, cut, back } = pair(base);
    await joined();
    await cut();
    await write(1);
    await back();
    await until("it was read", () => seen.numbers.length >= 1);
    assert.deepEqual(seen.numbers, [1]);
    assert.deepEqual(seen.joins, ["new", "resumed"]);
  }));

test("durable: a client that has seen nothing yet still misses nothing after its first join", () =>
  withServer(async (base) => {
    const earlier = pair(base);
    await earlier.joined();
    await earlier.write(1);
    const { seen, write, joined, cut, back } = pair(base);
    await joined();
    await cut();
    await write(2);
    await back();
    await until("what was missed was read", () => seen.numbers.length >= 1);
    assert.deepEqual(seen.numbers, [2]);
    assert.deepEqual(seen.joins, ["new", "resumed"]);
  }));

test("durable: the stand-in's tricks: a message twice, a loss between nodes, another run of the node", async () => {
  const fake = await fakeDurable();
  try {
    const { seen, reader, write, joined } = pair(fake.ws);
    await joined();
    await write(1);
    fake.repeat(topic);
    await write(2);
    await until("both were read", () => seen.numbers.length === 2);
    assert.deepEqual(seen.numbers, [1, 2]);

    fake.lose(topic);
    await until("the loss is told", () => seen.resyncs === 1);
    assert.deepEqual(reader.position, { e1: 5 });

    fake.restart();
    await until("joined again", () => seen.joins.length === 2);
    assert.deepEqual(fake.joins.at(-1).resume ?? fake.joins.at(-2).resume, { position: { e1: 5 } });
    assert.deepEqual(seen.joins, ["new", "resync"]);
    assert.deepEqual(reader.position, {});
  } finally {
    await fake.stop();
  }
});

test("durable: data that events carry on is not replaced by a reply that holds them already", () =>
  withServer(async (base) => {
    const socket = connect(base);
    const reader = openChannel(socket, topic, {
      resume: true,
      reduce: { [said]: (data, { n }) => ({ ...data, numbers: [...(data.numbers ?? []), n] }) },
    });
    const writer = openChannel(connect(base), topic);
    await until("both are in the topic", () => reader.state.joined && writer.state.joined);
    await writer.push(say, { n: 1 });
    await until("read", () => reader.state.data.numbers?.length === 1);
    socket.away = true;
    loseConnection(socket);
    await until("lost", () => !reader.state.joined);
    await writer.push(say, { n: 2 });
    socket.away = false;
    await until("carried on", () => reader.state.data.numbers?.length >= 2);
    assert.deepEqual(reader.state.data.numbers, [1, 2]);
  }));

for (const resume of [undefined, true]) {
  test(`durable: a client that reads slowly is told what the server dropped, ${resume ? "with" : "without"} resume`, async () => {
    const { ws } = await server("conformance");
    const from = `feed:slow ${resume ? "resumes" : "reads"}`;
    const socket = connect(ws, { path: "/patient" });
    const seen = { numbers: [], resyncs: 0, events: 0 };
    const reader = openChannel(socket, from, {
      resume,
      events: { said: ({ n }) => seen.numbers.push(n), resync: () => (seen.events += 1) },
      onResync: () => (seen.resyncs += 1),
    });
    const writer = openChannel(connect(ws), from);
    await until("both are in the topic", () => reader.state.joined && writer.state.joined);
    const pad = "x".repeat(50_000);
    socket.conn.pause();
    let said = 0;
    for (; said < 400; said += 1) await writer.push(say, { n: said, pad });
    socket.conn.resume();
    await until("it was told", () => seen.resyncs > 0);
    await writer.push(say, { n: said });
    await until("it goes on", () => seen.numbers.includes(said));
    assert.ok(seen.numbers.length <= said, "some were dropped");
    assert.equal(seen.resyncs, 1);
    assert.equal(seen.events, 0);
    assert.equal(Object.keys(reader.position).length, resume ? 1 : 0);
  });
}
