// The development loop: a source changes, the program is built and exchanged, and pages follow. The build is a script of the
// test's own, so that it takes no minute; the program, its exchange and the browser are real.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, until } from "../lib/suite.mjs";
import { program, root, start, temporaryFolder } from "../lib/assetronics.mjs";
import { live, picture, visit } from "./harness.mjs";

test("in development pages load again after a change, and show what the compiler said when the build failed", async () => {
  const sources = join(temporaryFolder(), "sources");
  mkdirSync(sources);
  const source = join(sources, "page.txt");
  writeFileSync(source, "fine\n");
  const build = `sleep 0.3; ! grep -n error ${source}`;
  const here = await start({
    program: `${root}/scripts/dev.sh`, environment: { ASSETRONICS_ENV: "dev" },
    args: ["--watch", sources, "--build", build, "--", program, "server"],
  });
  const page = await live(await visit("assets", { here, mayLoseConnection: true }));
  const overlay = page.getByRole("heading", { name: "The build failed" });
  const marked = () => page.evaluate(() => window.stayed === true);
  const mark = () => page.evaluate(() => (window.stayed = true));

  await mark();
  writeFileSync(source, "better\n");
  await until("the page was loaded again", async () => !(await marked().catch(() => true)));
  await live(page);
  await mark();

  writeFileSync(source, "page.cpp:12:7: error: expected ';'\n");
  await overlay.waitFor();
  await page.getByText("1:page.cpp:12:7: error: expected ';'").waitFor();
  assert.ok(await marked(), "the program from before goes on serving the page");
  await picture(page, "dev-build-failed");
  await page.keyboard.press("Escape");
  await overlay.waitFor({ state: "hidden" });

  writeFileSync(source, "mended\n");
  await until("the page was loaded again", async () => !(await marked().catch(() => true)));
  await live(page);
  assert.equal(await overlay.count(), 0);
  // An error page, whose own policy allows no script, follows as well.
  await page.goto("/nowhere");
  await mark();
  writeFileSync(source, "better still\n");
  await until("the error page was loaded again", async () => !(await marked().catch(() => true)));
  await page.leave();
  assert.equal(await here.stop("SIGINT"), 0);
});
