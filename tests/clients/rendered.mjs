// A server renders components with channels: it joins nothing and nothing keeps its process alive.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { test } from "../lib/suite.mjs";

for (const library of ["vue", "react"]) {
  test(`${library}: rendered on a server without a window, a connection or anything left behind`, async () => {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ["render_page.mjs", library], { timeout: 60_000 });
    assert.equal(stdout, "<p>out 0</p> channels: 0\n");
    assert.equal(stderr, "");
  });
}
