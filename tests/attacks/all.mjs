import assert from "node:assert/strict";
import { finish, test } from "../lib/suite.mjs";
import "./assetronics.mjs";
import { bank, lured, port, secureBank, securePort, sister, stranger, visitor } from "./harness.mjs";

test("over TLS a page's socket is a stream of its HTTP/2 connection, and other pages open none", async () => {
  const ada = await visitor("ada", secureBank);
  const open = (to) => new Promise((resolve) => {
    const socket = new WebSocket(`${to}/socket/websocket?vsn=2.0.0`);
    socket.onopen = () => socket.send('["1","1","feed","phx_join",{}]');
    socket.onmessage = ({ data }) => resolve(JSON.parse(data)[4].status);
    socket.onerror = () => resolve("refused");
  });
  const wss = `wss://127.0.0.1:${securePort}`;
  const protocol = await ada.page.evaluate(() => performance.getEntriesByType("navigation")[0].nextHopProtocol);
  assert.equal(protocol, "h2");
  const devtools = await ada.context.newCDPSession(ada.page);
  await devtools.send("Network.enable");
  const handshake = new Promise((resolve) => devtools.on("Network.webSocketHandshakeResponseReceived", ({ response }) => resolve(response)));
  assert.equal(await ada.page.evaluate(open, wss), "ok");
  // HTTP/1.1 would say 101.
  assert.equal((await handshake).status, 200);
  for (const site of [sister, stranger]) {
    const page = await lured(ada.context, site);
    assert.equal(await page.evaluate(open, wss), "refused");
  }
  await ada.context.close();
});

for (const [whose, site] of [["a sister port", sister], ["another host", stranger]]) {
  // proves 2.16
  test(`a form of ${whose} moves no money`, async () => {
    const ada = await visitor();
    const before = (await ada.account()).transfers;
    for (const [type, method] of [["application/x-www-form-urlencoded", "post"], ["multipart/form-data", "post"], ["text/plain", "post"],
      ["application/x-www-form-urlencoded", "delete"]]) {
      const page = await lured(ada.context, site);
      const answer = page.waitForResponse((response) => response.url().startsWith(`${bank}/transfer`));
      await page.evaluate(([to, encoding, override]) => {
        const form = document.createElement("form");
        Object.assign(form, { action: `${to}/transfer`, method: "post", enctype: encoding });
        for (const [name, value] of [["amount", "1000"], ["_method", override]]) {
          const input = document.createElement("input");
          Object.assign(input, { name, value });
          form.append(input);
        }
        document.body.append(form);
        form.submit();
      }, [bank, type, method]);
      assert.equal((await answer).status(), 403, `${type} ${method}`);
      await page.close();
    }
    assert.equal((await ada.account()).transfers, before);
    // The bank's own form does.
    await ada.page.goto(bank);
    await ada.page.getByRole("button").click();
    assert.equal((await ada.account()).transfers, before + 1);
    await ada.context.close();
  });

  test(`requests of ${whose} move no money, and nobody reads the answers`, async () => {
    const ada = await visitor();
    const before = (await ada.account()).transfers;
    const page = await lured(ada.context, site);
    const outcomes = await page.evaluate(async (to) => {
      const tried = {
        simple: { method: "POST", mode: "no-cors", body: "{\"amount\":1000}" },
        json: { method: "POST", headers: { "content-type": "application/json" }, body: "{}" },
        delete: { method: "DELETE" },
        token: { method: "POST", headers: { "x-csrf-token": "guess" } },
        beacon: { method: "POST", mode: "no-cors", keepalive: true, body: new URLSearchParams({ amount: 1000 }) },
      };
      const out = {};
      for (const [name, options] of Object.entries(tried)) {
        out[name] = await fetch(`${to}/transfer`, { credentials: "include", ...options }).then((answer) => answer.type, () => "refused");
      }
      out.read = await fetch(`${to}/account`, { credentials: "include" }).then((answer) => answer.text(), () => "refused");
      return out;
    }, bank);
    assert.deepEqual(outcomes, { simple: "opaque", json: "refused", delete: "refused", token: "refused", beacon: "opaque", read: "refused" });
    assert.equal((await ada.account()).transfers, before);
    await ada.context.close();
  });

  test(`a page of ${whose} opens no socket`, async () => {
    const ada = await visitor();
    const open = (to) => new Promise((resolve) => {
      const socket = new WebSocket(`${to}/socket/websocket?vsn=2.0.0`);
      socket.onopen = () => resolve("open");
      socket.onerror = () => resolve("refused");
    });
    const ws = `ws://127.0.0.1:${port}`;
    assert.equal(await ada.page.evaluate(open, ws), "open");
    const page = await lured(ada.context, site);
    assert.equal(await page.evaluate(open, ws), "refused");
    await ada.context.close();
  });

  test(`nobody logs a visitor in as somebody else from ${whose}`, async () => {
    const ada = await visitor();
    const page = await lured(ada.context, site);
    await page.evaluate((to) => fetch(`${to}/login`, {
      method: "POST", mode: "no-cors", credentials: "include", body: new URLSearchParams({ user: "mallory" }),
    }), bank);
    assert.equal((await ada.account()).user, "ada");
    await ada.context.close();
  });

  test(`${whose} can neither frame a page, nor hold its window, nor run its data as a script`, async () => {
    const ada = await visitor();
    const page = await lured(ada.context, site);
    await page.evaluate((to) => new Promise((resolve) => {
      const frame = document.createElement("iframe");
      frame.onload = resolve;
      frame.src = to;
      document.body.append(frame);
    }), bank);
    assert.equal(page.frames().length, 2);
    assert.equal(await page.frames()[1].locator("#user").count(), 0, "the frame shows nothing of the bank");

    const opened = ada.context.waitForEvent("page");
    await page.evaluate((to) => void (window.held = window.open(to)), bank);
    const window_ = await opened;
    await window_.locator("#user").waitFor();
    assert.equal(await window_.evaluate(() => window.opener), null);
    assert.equal(await page.evaluate(() => window.held.closed), true, "to the opener it is gone");

    const ran = await page.evaluate((to) => new Promise((resolve) => {
      const script = document.createElement("script");
      script.onload = () => resolve("ran");
      script.onerror = () => resolve("refused");
      script.src = `${to}/account`;
      document.body.append(script);
    }), bank);
    assert.equal(ran, "refused");
    await ada.context.close();
  });
}

test("a cookie that a sister host planted is nobody's after the login", async () => {
  const mallory = await visitor("mallory");
  const [planted] = (await mallory.context.cookies(bank)).filter(({ name }) => name === "session");
  const victim = await visitor("nobody");
  await victim.context.clearCookies();
  const page = await lured(victim.context, sister);
  await page.evaluate((value) => void (document.cookie = `session=${value}; path=/`), planted.value);
  await victim.page.evaluate(() => fetch("/login", { method: "POST", body: new URLSearchParams({ user: "ada" }) }));
  assert.equal((await victim.account()).user, "ada");
  assert.equal((await mallory.account()).user, "mallory", "who knows the planted cookie is still himself");
  await Promise.all([mallory.context.close(), victim.context.close()]);
});

test("no script reads the session's cookie, and a changed one is void", async () => {
  const ada = await visitor();
  assert.equal(await ada.page.evaluate(() => document.cookie), "");
  const [cookie] = (await ada.context.cookies(bank)).filter(({ name }) => name === "session");
  assert.deepEqual([cookie.httpOnly, cookie.sameSite], [true, "Lax"]);
  const ask = async (value) => (await (await fetch(`${bank}/account`, { headers: { cookie: `session=${value}` } })).json()).user;
  assert.equal(await ask(cookie.value), "ada");
  for (let at = 0; at < cookie.value.length; at += 7) {
    const letter = cookie.value[at] === "A" ? "B" : "A";
    assert.equal(await ask(cookie.value.slice(0, at) + letter + cookie.value.slice(at + 1)), "", `letter ${at}`);
  }
  for (const value of ["", "x", cookie.value.slice(1), cookie.value.slice(0, -1), "%00", "a".repeat(5000)]) assert.equal(await ask(value), "");
  await ada.context.close();
});

// proves 2.17
test("what an address smuggles into a page is text, and where an author forgot that, the policy holds", async () => {
  const ada = await visitor();
  const injections = ["<script>document.title='stolen'</script>", "<img src=x onerror=\"document.title='stolen'\">",
    "\"onmouseover=\"document.title='stolen'\" x=\"", "<svg onload=document.title='stolen'>", "<iframe srcdoc=\"<script>parent.document.title='stolen'</script>\">",
    "<base href=//evil.example><script src=x></script>", `<script src=${stranger}/x.js></script>`];
  for (const text of injections) {
    await ada.page.goto(`${bank}/search?q=${encodeURIComponent(text)}`);
    assert.equal(await ada.page.locator("p").textContent(), text);
    await ada.page.goto(`${bank}/mistake?q=${encodeURIComponent(text)}`, { waitUntil: "load" });
    await ada.page.locator("p").dispatchEvent("mouseover");
    assert.equal(await ada.page.title(), "Bank", text);
    assert.equal(await ada.page.evaluate(() => document.baseURI.startsWith(location.origin)), true);
  }
  // What people uploaded is a file to keep, never a page of the site.
  const download = ada.page.waitForEvent("download");
  await ada.page.goto(`${bank}/picture`).catch(() => {});
  assert.equal((await download).suggestedFilename(), "picture.html");
  await ada.context.close();
});

test("redirects stay on the site", async () => {
  const { hostname } = new URL(stranger);
  for (const to of ["//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil.example", "/%09/evil.example", "javascript:alert(1)",
    " //evil.example", `http://${hostname}`, "/\t/evil.example", "///evil.example"]) {
    const answer = await fetch(`${bank}/go?to=${encodeURIComponent(to)}`, { redirect: "manual" });
    assert.equal(answer.status, 302);
    assert.equal(new URL(answer.headers.get("location"), bank).origin, bank, to);
  }
});

test("a browser that says nothing of where it comes from needs the token of its own session", async () => {
  const [ada, bob] = [await visitor("ada"), await visitor("bob")];
  const token = async ({ page }) => {
    await page.goto(bank);
    return page.locator("[name=_csrf_token]").inputValue();
  };
  const [cookie] = (await ada.context.cookies(bank)).filter(({ name }) => name === "session");
  // Node's client sends neither header for this request.
  const send = (fields) => fetch(`${bank}/transfer`, {
    method: "POST", redirect: "manual", headers: { cookie: `session=${cookie.value}` }, body: new URLSearchParams(fields),
  });
  const [own, others] = [await token(ada), await token(bob)];
  const before = (await ada.account()).transfers;
  assert.equal((await send({ _csrf_token: own })).status, 302);
  for (const forged of [{}, { _csrf_token: others }, { _csrf_token: "" }, { _csrf_token: own.slice(1) }]) {
    assert.equal((await send(forged)).status, 403, JSON.stringify(forged));
  }
  assert.equal((await ada.account()).transfers, before + 1);
  await Promise.all([ada.context.close(), bob.context.close()]);
});

await finish();
