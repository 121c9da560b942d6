// Devices: one by hand, many simulated.
import assert from "node:assert/strict";
import { apiOf, interrupt, run, server } from "../lib/assetronics.mjs";
import { test, until } from "../lib/suite.mjs";
import { assertStatus, instant, uuid7 } from "./expect.mjs";
import { client, joined, joinOutcome, leave, next, outcome } from "./socket.mjs";

const metrics = { cpu: 10, memory: 20, temperature: 40, battery: 90, signal: -50 };

/// What somebody who watches the devices knows.
async function watcher(here) {
  const socket = await client(here);
  const channel = await joined(socket, "devices:demo");
  const known = new Map(channel.reply.devices.map((device) => [device.mac, device]));
  channel.on("devices_changed", ({ devices }) => devices.forEach((device) => known.set(device.mac, device)));
  return { socket, channel, known, light: (mac) => known.get(mac)?.light };
}

test("a device joins, reports, changes its light, obeys, and is offline when it goes", async () => {
  const here = await server();
  const call = apiOf(here);
  const watch = await watcher(here);
  const mac = "0a:00:00:00:00:01";
  const device = await client(here);
  const says = { name: "Kiosk 1", firmware: "1.0", simulated: false };
  const topic = "device:demo:0A-00-00-00-00-01";
  const stranger = await joinOutcome(device, topic, { ...says, token: "guessed" });
  assert.deepEqual(stranger, ["error", { reason: "unauthorized" }]);
  const command = run(["device-token", mac, "--url", here.http]);
  assert.equal(await command.finished(), 0, command.output);
  const token = command.stdout.trim();
  assert.match(token, /^[\w-]{43}$/);
  const line = await joined(device, topic, { ...says, token });
  assert.deepEqual(await outcome(line.push("metrics", metrics)), ["ok", {}]);
  await until("it is green", () => watch.light(mac) === "green");
  const seen = watch.known.get(mac);
  assert.match(seen.id, uuid7);
  assert.match(seen.last_seen, instant);
  assert.deepEqual([seen.name, seen.online, seen.simulated, seen.firmware, seen.metrics], ["Kiosk 1", true, false, "1.0", metrics]);
  for (const [change, light] of [[{ temperature: 70 }, "amber"], [{ battery: 4 }, "red"], [{ cpu: 90 }, "amber"]]) {
    await outcome(line.push("metrics", { ...metrics, ...change }));
    await until(`it is ${light}`, () => watch.light(mac) === light);
  }
  const shown = assertStatus(await call("GET", `/devices/${seen.id}`), 200).data;
  assert.equal(shown.mac, mac);
  const listed = assertStatus(await call("GET", "/devices"), 200);
  assert.ok(listed.data.some(({ id }) => id === seen.id));

  for (const action of ["blink", "reboot"]) {
    const obeys = next(line, "action");
    assert.equal((await outcome(watch.channel.push("action", { id: seen.id, action })))[0], "ok");
    assert.deepEqual(await obeys, { action });
  }
  for (const payload of [{ id: seen.id, action: "explode" }, { id: "x", action: "blink" }, {}, { id: seen.id }]) {
    const [status, response] = await outcome(watch.channel.push("action", payload));
    assert.equal(status, "error", JSON.stringify(payload));
    assert.ok(response.errors.length > 0);
  }
  for (const payload of [{}, { ...metrics, cpu: "hot" }, { ...metrics, extra: 1 }, [], { ...metrics, memory: null }]) {
    const [status, response] = await outcome(line.push("metrics", payload));
    assert.equal(status, "error", JSON.stringify(payload));
    assert.ok(response.errors.length > 0);
  }
  assert.deepEqual(await outcome(line.push("pong", {})), ["ok", {}]);
  // A new token ends what the one of before began.
  const closed = new Promise((resolve) => line.onClose(resolve));
  const again = await call("POST", "/devices/tokens", { devices: [{ mac }] });
  assert.equal(again.status, 201, JSON.stringify(again.body));
  await closed;
  assert.deepEqual(await joinOutcome(device, topic, { ...says, token }), ["error", { reason: "unauthorized" }]);
  await joined(device, topic, { ...says, token: again.body.data[0].token });
  await until("it is online again", () => watch.known.get(mac).online);
  assert.equal((await call("DELETE", `/devices/${seen.id}/token`)).status, 204);
  leave(device);
  await until("it is offline", () => watch.light(mac) === "red" && watch.known.get(mac).online === false);
  const [status, response] = await outcome(watch.channel.push("action", { id: seen.id, action: "blink" }));
  assert.deepEqual([status, response.reason], ["error", "offline"]);
  await leave(watch.socket);
});

// proves 1.21
test("200 simulated devices report every second, and come back by themselves after kill -9", async () => {
  const here = await server();
  const call = apiOf(here);
  const command = run(["devices", "--count", "200", "--seed", "3", "--url", here.http]);
  const watch = await watcher(here);
  const mine = () => [...watch.known.values()].filter(({ mac, metrics }) => mac.startsWith("02:00:03:") && metrics);
  const online = () => mine().filter((device) => device.online).length;
  await until(() => `all are online; ${online()} are`, () => online() >= 198);
  assert.ok(mine().every(({ simulated }) => simulated));
  assert.ok(mine().some(({ light }) => light === "green") && mine().some(({ light }) => light !== "green"));
  await until("the summary counts all of them", async () => {
    const lights = (await call("GET", "/summary")).body.data.devices;
    return lights.green + lights.amber + lights.red >= 200;
  });
  assert.match(command.stdout, /200 simulated devices/);

  await here.killNode();
  const began = Date.now();
  const seen = new Set();
  watch.channel.on("devices_changed", ({ devices }) => devices.forEach(({ mac, online }) => online && seen.add(mac)));
  await until(() => `all reported again; ${seen.size} did`, () => seen.size >= 198);
  const took = Date.now() - began;
  assert.equal(await interrupt(command), 0, command.output);
  await until("they are offline", () => online() === 0);
  await leave(watch.socket);
  return `back after ${took} ms`;
});
