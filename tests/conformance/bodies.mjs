// What goes around a body, with Node's own clients: fields behind it, and bodies that nobody wants.
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import { test, within } from "../lib/suite.mjs";
import { patience, server } from "./harness.mjs";

/// A whole answer over HTTP/1.1; `begin` may write to the request.
async function ask(url, options, begin = (request) => request.end()) {
  const request = http.request(url, { agent: false, ...options });
  let continued = false;
  request.on("continue", () => (continued = true));
  request.on("error", () => {});
  begin(request);
  const [response] = await within(patience, "an answer", once(request, "response"));
  let text = "";
  for await (const piece of response.setEncoding("utf8")) text += piece;
  request.destroy();
  return { status: response.statusCode, headers: response.headers, trailers: response.trailers, text, continued };
}

/// The same over HTTP/2; ends the request's side only with `ends`.
async function ask2(origin, headers, ends = true) {
  const session = http2.connect(origin);
  try {
    const stream = session.request(headers, { endStream: ends });
    let continued = false;
    let trailers = {};
    stream.on("continue", () => (continued = true));
    stream.on("trailers", (fields) => (trailers = fields));
    const closed = once(stream, "close");
    const [answer] = await within(patience, "an answer", once(stream, "response"));
    let text = "";
    for await (const piece of stream.setEncoding("utf8")) text += piece;
    await within(patience, "the stream's end", closed);
    return { status: answer[":status"], headers: answer, trailers, text, continued, code: stream.rstCode };
  } finally {
    session.destroy();
  }
}

test("bodies: fields behind an answer go to who takes them", async () => {
  const { http: base } = await server("server");
  const taken = await ask(`${base}/summed`, { headers: { te: "trailers" } });
  assert.deepEqual([taken.text, taken.headers.trailer, taken.trailers], ["a,b\n", "x-rows", { "x-rows": "1" }]);
  const plain = await ask(`${base}/summed`, {});
  assert.deepEqual([plain.text, plain.headers.trailer, plain.trailers], ["a,b\n", undefined, {}]);
  const stream = await ask2(base, { ":path": "/summed" });
  assert.deepEqual([stream.text, stream.headers.trailer, stream.trailers["x-rows"]], ["a,b\n", "x-rows", "1"]);
});

test("bodies: one that a plug refuses is neither asked for nor waited for", async () => {
  const { http: base } = await server("server");
  for (const headers of [{ "content-length": 7_000_000 }, { "content-length": 7_000_000, expect: "100-continue" }]) {
    const refused = await ask(`${base}/closed`, { method: "POST", headers }, (request) => request.flushHeaders());
    assert.deepEqual([refused.status, refused.continued], [401, false]);
    const stream = await ask2(base, { ":method": "POST", ":path": "/closed", ...headers }, false);
    assert.deepEqual([stream.status, stream.continued, stream.code], [401, false, http2.constants.NGHTTP2_NO_ERROR]);
  }
});

test("bodies: OPTIONS * says what the server takes", async () => {
  const { http: base } = await server("server");
  const answer = await ask(base, { method: "OPTIONS", path: "*" });
  assert.equal(answer.status, 204);
  assert.match(answer.headers.allow, /GET, HEAD, POST/);
  const upgrade = await ask(`${base}/echo`, {});
  assert.deepEqual([upgrade.status, upgrade.headers.connection, upgrade.headers.upgrade], [426, "upgrade, close", "websocket"]);
});
