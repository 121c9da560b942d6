// What a configuration file may say, and what is told of one that is wrong.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { once } from "node:events";
import { run, start, temporaryFolder } from "../lib/assetronics.mjs";
import { freePort, test, took, within } from "../lib/suite.mjs";

function configured(text) {
  const file = `${temporaryFolder()}/app.toml`;
  writeFileSync(file, text);
  return file;
}

test("unknown sections and keys of a configuration end the start, with line and nearest name", async () => {
  for (const [text, told] of [
    ["[endpont]\nport = 4000\n", "app.toml:1: endpont is not a known section; did you mean endpoint?"],
    ["[server]\ndata_dri = \"x\"\n", "app.toml:2: server.data_dri is not a known field; did you mean data_dir?"],
    ["[server]\nport = 4000\n", "app.toml:2: server.port is not a known field; did you mean endpoint.port?"],
    ["[endpoint]\nhead_timout = \"1s\"\n", "app.toml:2: endpoint.head_timout is not a known field; did you mean head_timeout?"],
    ["[endpoint.tls]\ncertificate = []\n", "app.toml:2: endpoint.tls.certificate is not a known field; did you mean certificates?"],
    ["[endpoint]\nper_ip = -1\n", "app.toml:2: endpoint.per_ip must be between"],
    ["port = 4000\n", "app.toml:1: port is in no section; did you mean endpoint.port?"],
  ]) {
    for (const args of [["server"], ["--check-config"]]) {
      const command = run([...args, "--config", configured(text)], { DATA_DIR: temporaryFolder() });
      assert.equal(await command.finished(), 1, command.output);
      assert.ok(command.stderr.includes(told), `${command.stderr} instead of ${told}`);
      assert.equal(command.stdout, "");
    }
  }
  const command = run(["--check-config"], { ASSETRONICS_ENDPIONT__PORT: "1" });
  assert.equal(await command.finished(), 1, command.output);
  assert.match(command.stderr, /ASSETRONICS_ENDPIONT__PORT: endpiont is not a known section; did you mean endpoint\?/);
});

test("limits of the section endpoint hold", async () => {
  const port = await freePort();
  const file = configured(`[endpoint]\nport = ${port}\nmax_body = 2000\nhead_timeout = "2s"\nmax_requests = 1\n`);
  const here = await start({ port, args: ["server", "--config", file] });
  // A route without a limit of its own.
  const body = JSON.stringify({ asset: { notes: "x".repeat(3000) } });
  const large = await fetch(`${here.http}/api/v1/assets/00000000-0000-0000-0000-000000000000`, {
    method: "PATCH", body, headers: { "content-type": "application/json", "x-tenant-id": "demo" },
  });
  assert.equal(large.status, 413);
  assert.equal((await fetch(`${here.http}/livez`)).headers.get("connection"), "close");

  const time = took();
  const unfinished = connect(port, "127.0.0.1");
  unfinished.write("GET /livez HTTP/1.1\r\nhost: localhost\r\n");
  let text = "";
  unfinished.on("data", (data) => (text += data));
  await within(20_000, () => `the end of the connection, which was told "${text}"`, once(unfinished, "close"));
  assert.match(text, /^HTTP\/1\.1 408 /);
  const { ran } = time();
  assert.ok(ran < 5000, `${ran} ms`);
  await here.stop();
});

test("a Unix socket serves and is named as what it is", async () => {
  const path = `${temporaryFolder()}/app.sock`;
  const here = await start({ environment: { HOST: `unix:${path}` } });
  assert.match(here.stdout, new RegExp(`^Assetronics is ready at unix:${path}$`, "m"));
  const [answer] = await once(request({ socketPath: path, path: "/api/v1/health" }).end(), "response");
  assert.equal(answer.statusCode, 200);
  answer.resume();
  const second = run(["server"], { HOST: `unix:${path}`, DATA_DIR: temporaryFolder() });
  assert.equal(await second.finished(), 1);
  assert.ok(second.stderr.includes(`unix:${path} is in use by another program; choose another file`), second.stderr);
  assert.equal(await here.stop(), 0);
  // Whatever is left of it does not keep the next one from starting.
  const next = await start({ environment: { HOST: `unix:${path}` } });
  assert.equal(await next.stop(), 0);
});
