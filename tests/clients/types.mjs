// The generated TypeScript: equal each time, compiled by tsc --strict, and right about what may be said.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFile, mkdir, rm, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { test } from "../lib/suite.mjs";
import { programs, work } from "./harness.mjs";

const run = (program, args) => promisify(execFile)(program, args, { timeout: 200_000 });
// Below this folder, so that the packages are found.
const folder = new URL("node_modules/.typed/", import.meta.url).pathname;

async function compile(...files) {
  // What the kit stands on is not ours to check; its own declarations are checked when it is built.
  const compilerOptions = {
    strict: true, noEmit: true, target: "es2022", module: "esnext", moduleResolution: "bundler",
    skipLibCheck: true, types: [], lib: ["es2022", "dom"],
  };
  await writeFile(`${folder}tsconfig.json`, JSON.stringify({ compilerOptions, files }));
  try {
    await run(process.execPath, ["node_modules/typescript/bin/tsc", "-p", folder]);
    return "";
  } catch ({ stdout }) {
    return stdout;
  }
}

async function generate() {
  const { stdout } = await run(programs.chat, ["types"]);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await writeFile(`${folder}chat.ts`, stdout);
  await writeFile(`${work}/chat.ts`, stdout);
  return stdout;
}

test("types: a program prints the same module each time, and tsc --strict takes it", async () => {
  const first = await generate();
  assert.equal(await generate(), first);
  assert.match(first, /export interface RoomChannel \{/);
  assert.equal(await compile("chat.ts"), "");
});

test("types: the kit is typed by it, in plain TypeScript, Vue and React", async () => {
  await generate();
  // Each wrong use in there is marked as expected: one that compiled would be an error.
  await copyFile(new URL("uses.ts", import.meta.url), `${folder}uses.ts`);
  assert.equal(await compile("uses.ts"), "");
  await writeFile(`${folder}wrong.ts`, `import type { RoomChannel } from "./chat";\nexport const mood: RoomChannel["presence"]["mood"] = "sad";\n`);
  assert.match(await compile("wrong.ts"), /Type '"sad"' is not assignable/);
});
