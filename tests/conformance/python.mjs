// Python's `websockets`, a client by others, over HTTP/1.1; what it does is in python_client.py.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { fileURLToPath } from "node:url";
import { test } from "../lib/suite.mjs";
import { server } from "./harness.mjs";

const script = fileURLToPath(new URL("python_client.py", import.meta.url));
const cases = ["echo", "compressed", "fragments", "pings", "closes", "megabyte", "too_big", "channel"];

for (const name of cases) {
  test(`python: ${name}`, async () => {
    const { ws } = await server("server");
    const { stdout } = await promisify(execFile)("/usr/bin/python3", [script, name, ws], { timeout: 90_000 });
    assert.equal(stdout.trim(), "ok");
  });
}
