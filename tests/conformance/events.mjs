// A topic as server-sent events, read by fetch and by curl.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test, until } from "../lib/suite.mjs";
import { client, join, outcome, server, start } from "./harness.mjs";

/// Events as they came: {event, data, id}, and how many comments there were.
function reader() {
  const read = { events: [], comments: 0 };
  let text = "";
  read.take = (piece) => {
    text += piece;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const lines = text.slice(0, end).split("\n");
      text = text.slice(end + 2);
      const fields = Object.fromEntries(lines.map((line) => [line.split(": ", 1)[0], line.slice(line.indexOf(": ") + 2)]));
      if ("data" in fields) read.events.push({ event: fields.event, data: JSON.parse(fields.data), id: fields.id });
      else read.comments += 1;
    }
  };
  return read;
}

async function follow(url, lastEventId) {
  const abort = new AbortController();
  const headers = lastEventId ? { "Last-Event-ID": lastEventId } : {};
  const response = await fetch(url, { signal: abort.signal, headers });
  const read = reader();
  const decoder = new TextDecoder();
  const done = (async () => {
    for await (const piece of response.body) read.take(decoder.decode(piece, { stream: true }));
  })().catch(() => {});
  return Object.assign(read, { response, done, stop: () => abort.abort() });
}

const say = async (channel, numbers) => {
  for (const n of numbers) assert.equal((await outcome(channel.push("say", { n })))[0], "ok");
};
const numbers = (read) => read.events.filter(({ event }) => event === "said").map(({ data }) => data.n);

test("events: a topic over fetch, resumed where it broke off", async () => {
  const { http, ws } = await server("server");
  const speaker = await join(await client(ws), "feed:events");
  const first = await follow(`${http}/feeds/events`);
  assert.equal(first.response.status, 200);
  assert.equal(first.response.headers.get("content-type"), "text/event-stream");
  await until("it has begun", () => first.events.length === 1);
  assert.equal(first.events[0].event, "position");
  await say(speaker, [1, 2]);
  await until("it has both", () => numbers(first).length === 2);
  await until("a heartbeat came", () => first.comments >= 2);
  const { id, data } = first.events.at(-1);
  assert.deepEqual(JSON.parse(id)[data._at[0]], data._at[1]);
  first.stop();
  await first.done;
  await say(speaker, [3, 4]);
  const second = await follow(`${http}/feeds/events`, id);
  await until("it has what it missed", () => numbers(second).length === 2);
  await say(speaker, [5]);
  await until("it has what is new", () => numbers(second).length === 3);
  assert.deepEqual(numbers(second), [3, 4, 5]);
  assert.ok(second.events.every(({ event }) => event === "said"));
  second.stop();
  await say(speaker, Array.from({ length: 25 }, (_, n) => n));
  for (const old of [id, "nonsense", '{"x":1}']) {
    const late = await follow(`${http}/feeds/events`, old);
    await until("it is told", () => late.events.length === 1);
    assert.equal(late.events[0].event, "resync");
    assert.deepEqual(late.events[0].data.position, JSON.parse(late.events[0].id));
    late.stop();
  }
  assert.equal((await fetch(`${http}/feeds/secret`)).status, 403);
});

test("events: a topic over curl, until the server stops", async () => {
  const program = await start("server");
  const speaker = await join(await client(program.ws), "feed:curl");
  const curl = spawn("curl", ["-sN", `${program.http}/feeds/curl`], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(curl, "exit");
  const read = reader();
  curl.stdout.on("data", (piece) => read.take(piece.toString()));
  await until("it has begun", () => read.events.length === 1);
  await say(speaker, [1, 2, 3]);
  await until("it has all", () => numbers(read).length === 3);
  assert.deepEqual(numbers(read), [1, 2, 3]);
  await program.stop();
  await ended;
});
