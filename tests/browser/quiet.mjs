// Comes last.
import assert from "node:assert/strict";
import { test } from "../lib/suite.mjs";
import { complaints } from "./harness.mjs";

// proves 0.13
test("no page complained: no console errors, exceptions or policy violations in the whole run", async () => {
  assert.deepEqual(complaints, []);
});
