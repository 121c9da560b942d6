// Three hundred simulated devices on the Monitor page.
import assert from "node:assert/strict";
import { interrupt, run, start } from "../lib/assetronics.mjs";
import { test, until } from "../lib/suite.mjs";
import { desktop, live, phone, picture, textOf, visit } from "./harness.mjs";

const numberIn = async (page, testid) => Number((await page.at(testid).textContent()).replaceAll(",", ""));

test("lights of 300 simulated devices appear, add up, are filtered, and one blinks", async () => {
  const here = await start();
  const page = await live(await visit("monitor", { here }));
  const devices = run(["devices", "--count", "300", "--url", here.http]);
  await textOf(page.at("simulated-banner"), /simulated/i);
  await textOf(page.at("device-count"), "300");
  const lights = () => Promise.all(["green", "amber", "red"].map((light) => numberIn(page, `device-count-${light}`)));
  await until("most are green and some are not", async () => {
    const [green, amber, red] = await lights();
    return green > 200 && amber + red > 0 && green + amber + red === 300;
  });
  assert.equal(Number(await page.at("device-section").getAttribute("data-shown")), 300);
  await page.at("filter-light-green").click();
  await until("only green ones are shown", async () =>
    (await page.at("device-light").evaluateAll((all) => all.length > 0 && all.every((one) => one.dataset.light === "green"))));
  await page.at("filter-light-all").click();

  await page.at("device-light", '[data-light="green"]').first().click();
  await page.at("device-panel").waitFor();
  await page.at("metric-cpu").waitFor();
  const shown = await page.at("metric-cpu").textContent();
  await until("its metrics move", async () => (await page.at("metric-cpu").textContent()) !== shown);
  // What goes by itself soon is waited for before it comes.
  const told = page.at("toast", '[data-kind="success"]').waitFor();
  const blinks = page.locator(".animate-blink").first().waitFor();
  await Promise.all([page.at("device-blink").click(), told, blinks]);
  await until("the device heard it", () => devices.stdout.includes("actions 1"));
  for (const theme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: theme });
    await page.setViewportSize(desktop);
    await picture(page, `monitor-desktop-${theme}`);
    await page.setViewportSize(phone);
    await picture(page, `monitor-device-phone-${theme}`);
  }
  await page.at("device-close").click();
  for (const theme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: theme });
    await picture(page, `monitor-phone-${theme}`);
  }
  await page.setViewportSize(desktop);
  await page.at("device-look-tiles").click();
  await page.at("device-light").first().waitFor();
  await picture(page, "monitor-tiles-desktop-dark");
  await page.at("device-look-lights").click();

  await interrupt(devices);
  await until("all are red", async () => (await lights())[2] === 300);
  await page.leave();
  await here.stop();
});
