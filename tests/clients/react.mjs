// useChannel and usePresence in real React components against the real servers.
import "./dom.mjs";
import assert from "node:assert/strict";
import { SocketProvider, useChannel, useConnection, usePresence } from "@bennu/client/react";
import { createElement as h, StrictMode, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { test, until } from "../lib/suite.mjs";
import { connect, loseConnection, server } from "./harness.mjs";
import { place } from "./dom.mjs";

/// `show` renders the tree anew, with other properties.
function mount(socket, component, { strict = true } = {}) {
  const element = place();
  const root = createRoot(element);
  const show = (props) => {
    const tree = h(SocketProvider, { socket }, h(component, props));
    root.render(strict ? h(StrictMode, null, tree) : tree);
  };
  show({});
  return { element, root, show };
}

let last;
function Room({ topic, who, prefix = "" }) {
  const [said, setSaid] = useState([]);
  last = useChannel(topic, {
    params: { name: who },
    events: { said: ({ text }) => setSaid((before) => [...before, prefix + text]) },
  });
  return h("p", null, `${last.joined ? "in" : "out"} ${last.data?.name ?? "-"} ${last.error?.message ?? "-"} [${said}]`);
}
function People({ topic }) {
  const present = usePresence(topic);
  return h("ul", null, present.map(({ key, metas }) => h("li", { key }, `${key} ${metas[0].mood}`)));
}

for (const strict of [false, true]) {
  test(`react${strict ? ", StrictMode" : ""}: joined once on mount, reactive, left on unmount`, async () => {
    const { ws } = await server("chat");
    const socket = connect(ws);
    const { element, root } = mount(socket, () => h(Room, { topic: "room:react", who: "ada" }), { strict });
    await until("joined", () => element.textContent === "in ada - []");
    assert.equal(socket.sent("phx_join"), 1);
    assert.equal(socket.sent("phx_leave"), 0);
    const { push } = last;
    assert.equal((await push("say", { text: "hello" })).text, "hello");
    await until("heard, once", () => element.textContent === "in ada - [hello]");
    assert.equal(last.push, push);
    loseConnection(socket);
    await until("lost", () => element.textContent.startsWith("out ada"));
    await until("back", () => element.textContent.startsWith("in ada"));
    root.unmount();
    await until("left", () => socket.channels.length === 0);
    assert.equal(socket.sent("phx_leave"), 1);
    await assert.rejects(push("say", { text: "late" }), { failure: "closed" });
  });
}

test("react: components on one topic share its channel, children first or not; presence shows who is there", async () => {
  const { ws } = await server("chat");
  const socket = connect(ws);
  const { element, root, show } = mount(socket, ({ second = true }) =>
    h("main", null, h(People, { topic: "room:shared" }), h(Room, { topic: "room:shared", who: "ada" }),
      second ? h(Room, { topic: "room:shared", who: "nobody" }) : null));
  await until("present", () => element.querySelector("ul")?.textContent === "ada cheerful");
  assert.equal(socket.sent("phx_join"), 1);
  const bob = mount(connect(ws), () => h(Room, { topic: "room:shared", who: "bob" }));
  await until("bob is seen", () => element.querySelectorAll("li").length === 2);
  bob.root.unmount();
  await until("bob is gone", () => element.querySelectorAll("li").length === 1);
  show({ second: false });
  await until("one is gone", () => element.querySelectorAll("p").length === 1);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(socket.sent("phx_leave"), 0);
  root.unmount();
  await until("left", () => socket.channels.length === 0);
});

test("react: another topic leaves the old one, none joins nothing, and the last rendered handlers are called", async () => {
  const { ws } = await server("chat");
  const socket = connect(ws);
  const { element, root, show } = mount(socket, ({ topic = null, prefix }) => h(Room, { topic, who: "ada", prefix }));
  await until("rendered", () => element.textContent === "out - - []");
  assert.equal(socket.channels.length, 0);
  show({ topic: "room:react1", prefix: "a" });
  await until("in the first", () => element.textContent.startsWith("in ada"));
  show({ topic: "room:react1", prefix: "b" });
  await new Promise((resolve) => setTimeout(resolve, 20));
  await last.push("say", { text: "x" });
  await until("the new handler heard it", () => element.textContent.endsWith("[bx]"));
  assert.equal(socket.sent("phx_join"), 1);
  show({ topic: "room:react2" });
  await until("in the second", () => socket.channels.length === 1 && socket.channels[0].topic === "room:react2");
  await until("in", () => element.textContent.startsWith("in ada"));
  show({ topic: null });
  await until("in none", () => socket.channels.length === 0 && element.textContent.startsWith("out - -"));
  root.unmount();
});

test("react: a refusal is shown", async () => {
  const { ws } = await server("chat");
  const { element, root } = mount(connect(ws), () => h(Room, { topic: "room:refused" }));
  await until("refused", () => /^out - name is required /.test(element.textContent));
  root.unmount();
});

test("react: the connection is told", async () => {
  const { ws } = await server("chat");
  const socket = connect(ws);
  const seen = new Set();
  const { element, root } = mount(socket, () => {
    const connection = useConnection();
    seen.add(connection);
    return h("b", null, connection);
  });
  await until("connected", () => element.textContent === "connected");
  loseConnection(socket);
  await until("back", () => seen.has("reconnecting") && element.textContent === "connected");
  root.unmount();
});

for (const strict of [false, true]) {
  test(`react${strict ? ", StrictMode" : ""}: a child's effect pushes with the parent's push, at mount and when the topic changes`, async () => {
    const { ws } = await server("chat");
    const socket = connect(ws);
    const replies = [];
    function Child({ push, send, text }) {
      useEffect(() => {
        send("busy");
        push("say", { text }).then((reply) => replies.push(reply.text), (error) => replies.push(error.message));
      }, [push, send, text]);
      return null;
    }
    let push;
    function Parent({ topic }) {
      const room = useChannel(topic, { params: { name: "ada" } });
      push = room.push;
      return h(Child, { push, send: room.send, text: `in ${topic}` });
    }
    const { root, show } = mount(socket, ({ topic = "room:effect1" }) => h(Parent, { topic }), { strict });
    const times = strict ? 2 : 1; // StrictMode runs effects twice
    await until("answered", () => replies.length === times);
    assert.deepEqual(new Set(replies), new Set(["in room:effect1"]));
    assert.equal(socket.sent("busy"), times);
    assert.equal(socket.sent("phx_join"), 1);
    replies.length = 0;
    show({ topic: "room:effect2" });
    await until("answered in the new one", () => replies.length === 1);
    assert.deepEqual(replies, ["in room:effect2"]);
    const said = socket.frames.filter(([, , , event, payload]) => event === "say" && payload.text === "in room:effect2");
    assert.deepEqual(said.map(([, , topic]) => topic), ["room:effect2"]);
    replies.length = 0;
    show({ topic: null });
    await until("refused", () => replies.length === 1);
    assert.match(replies[0], /topic is null/);
    root.unmount();
    await until("unmounted", () => push("say", { text: "late" }).then(() => false, ({ message }) => /unmounted/.test(message)));
  });
}
