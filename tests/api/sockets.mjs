// What one client does reaches the others, at once, and nobody else.
import assert from "node:assert/strict";
import { server } from "../lib/assetronics.mjs";
import { test, took, until, within } from "../lib/suite.mjs";
import { api, assertStatus, employee } from "./expect.mjs";
import { client, joined, joinOutcome, leave, next, outcome, patience, Presence, raw } from "./socket.mjs";

const of = (asset) => (payload) => (payload.asset?.id ?? payload.id) === asset.id;

// proves 3.7, 3.10
test("every change of an asset reaches another client within a second", async () => {
  const call = await api();
  const other = await client(await server());
  const assets = await joined(other, "assets:demo");
  const activity = await joined(other, "activity:demo");
  const times = [];
  /// Does something and waits for what the other client hears of it.
  const heard = async (event, wanted, act) => {
    const arrives = next(assets, event, wanted);
    const told = next(activity, "activity_created", undefined);
    const time = took();
    const answer = await act();
    // Where it stands in the topic, for who comes back after a while.
    const { _at: place, ...payload } = await arrives;
    times.push(time().ran);
    assert.equal(typeof place[1], "number");
    return { answer: answer.body?.data, payload, transaction: (await told).transaction };
  };
  const tag = `LIVE-${process.pid}`;
  const made = await heard("asset_created", ({ asset }) => asset.tag === tag, () => call("POST", "/assets", { asset: { tag, name: "Live" } }));
  assert.deepEqual(made.payload, { asset: made.answer });
  assert.deepEqual([made.transaction.type, made.transaction.asset_id], ["created", made.answer.id]);
  const { id } = made.answer;

  const changed = await heard("asset_updated", of({ id }), () => call("PATCH", `/assets/${id}`, { asset: { name: "Changed" } }));
  assert.deepEqual(changed.payload, { asset: changed.answer });

  const person = await employee(call);
  const given = await heard("asset_assigned", of({ id }), () => call("POST", `/assets/${id}/assign`, { employee_id: person.id }));
  assert.deepEqual(given.payload.asset, given.answer);
  assert.deepEqual(given.payload.transaction, given.transaction);
  assert.equal(given.transaction.employee_name, person.name);

  const back = await heard("asset_returned", of({ id }), () => call("POST", `/assets/${id}/return`, {}));
  assert.deepEqual([back.payload.asset, back.payload.transaction], [back.answer, back.transaction]);

  const gone = await heard("asset_deleted", of({ id }), () => call("DELETE", `/assets/${id}`));
  assert.deepEqual(gone.payload, { id });
  assert.ok(Math.max(...times) < 1000, `${times}`);
  await leave(other);
  return `at most ${Math.max(...times).toFixed(1)} ms`;
});

test("a batch is announced item by item", async () => {
  const call = await api();
  const other = await client(await server());
  const assets = await joined(other, "assets:demo");
  const tags = Array.from({ length: 20 }, (_, n) => `BL-${process.pid}-${n}`);
  const heard = new Set();
  assets.on("asset_created", ({ asset }) => heard.add(asset.tag));
  assertStatus(await call("POST", "/assets", { assets: tags.map((tag) => ({ tag, name: tag })) }), 201);
  await until("all are heard", () => tags.every((tag) => heard.has(tag)));
  await leave(other);
});

// proves 3.7
test("the topics of another tenant and topics that do not exist are refused", async () => {
  const socket = await client(await server());
  for (const kind of ["assets", "activity", "employees", "imports", "devices"]) {
    assert.deepEqual(await joinOutcome(socket, `${kind}:other`), ["error", { reason: "unknown tenant" }], kind);
    assert.equal((await joinOutcome(socket, `${kind}:`))[0], "error");
    assert.equal((await joinOutcome(socket, `${kind}:demo:more`))[0], "error");
  }
  assert.deepEqual(await joinOutcome(socket, "device:other:02:00:00:00:00:01", { token: "x" }), ["error", { reason: "unknown tenant" }]);
  assert.deepEqual(await joinOutcome(socket, "device:demo:nonsense", { token: "x" }), ["error", { reason: "invalid mac" }]);
  assert.equal((await joinOutcome(socket, "secrets:demo"))[0], "error");
  const assets = await joined(socket, "assets:demo");
  assert.equal((await outcome(assets.push("nonsense", {})))[0], "error");
  for (const payload of [{}, { page: 7 }, { page: "x".repeat(1000) }, [], "text", { page: "/", more: 1 }]) {
    const [status, response] = await outcome(assets.push("view", payload));
    assert.equal(status, "error", JSON.stringify(payload));
    assert.ok(response.errors.length > 0);
  }
  assert.deepEqual(await outcome(assets.push("view", { page: "/assets" })), ["ok", {}]);
  await leave(socket);
});

test("presence counts viewers, says what they look at, and forgets those who leave", async () => {
  const here = await server();
  const one = await client(here, { name: "Ada" });
  const channel = one.channel("assets:demo");
  const presence = new Presence(channel);
  const viewers = () => presence.list((_, { metas }) => metas[0]);
  await outcome(channel.join());
  await until("Ada is alone", () => viewers().length === 1);
  assert.equal(viewers()[0].name, "Ada");

  const two = await client(here, { name: "  Grace  " });
  const theirs = await joined(two, "assets:demo");
  await until("there are two", () => viewers().length === 2);
  await outcome(theirs.push("view", { page: "/assets/7" }));
  await until("it is seen what Grace looks at", () => viewers().some(({ name, page }) => name === "Grace" && page === "/assets/7"));
  assert.equal(viewers().length, 2);

  const crowd = await Promise.all(Array.from({ length: 20 }, () => client(here)));
  await Promise.all(crowd.map((socket) => joined(socket, "assets:demo")));
  await until("there are 22", () => viewers().length === 22);
  assert.equal(viewers().filter(({ name }) => name === "Guest").length, 20);
  crowd.forEach((socket) => leave(socket));
  await until("the crowd is gone", () => viewers().length === 2);
  await leave(two);
  await until("Ada is alone again", () => viewers().length === 1);
  await leave(one);
});

test("garbage frames end their own socket only", async () => {
  const here = await server();
  const good = await client(here);
  let drops = 0;
  good.onClose(() => (drops += 1));
  const assets = await joined(good, "assets:demo");
  const garbage = ["", "nope", "[]", "{}", "[1,2,3]", '["1","1","assets:demo"]', '[null,null,7,"phx_join",{}]', "[".repeat(5000),
    '["1","1","assets:demo","phx_join",{}', Buffer.from([0, 1, 2, 3]), Buffer.from([255, 255, 255]), "\u0000"];
  for (const frame of garbage) {
    const bad = await raw(here);
    bad.send(frame);
    // It is closed, or it is still in order: then it answers a heartbeat.
    bad.send('[null,"9","phoenix","heartbeat",{}]');
    const answered = until("an answer", () => bad.frames.some((text) => text.includes('"9","phoenix","phx_reply"')));
    answered.catch(() => {});
    await within(patience, `the fate of ${String(frame).slice(0, 40)}`, Promise.race([bad.closed, answered]));
    bad.terminate();
  }
  const large = await raw(here);
  large.send(JSON.stringify(["1", "1", "assets:demo", "phx_join", { x: "x".repeat(20 << 20) }]));
  assert.ok([1009, 1006].includes(await within(patience, "the large frame to be refused", large.closed)));
  assert.deepEqual(await outcome(assets.push("view", { page: "/" })), ["ok", {}]);
  assert.equal(drops, 0);
  await leave(good);
});
