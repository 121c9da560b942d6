// useChannel and usePresence in real Vue components against the real servers.
import "./dom.mjs";
import assert from "node:assert/strict";
import { channels, useChannel, useConnection, usePresence } from "@bennu/client/vue";
import { createApp, effectScope, h, nextTick, ref, Suspense } from "vue";
import { test, until } from "../lib/suite.mjs";
import { connect, loseConnection, server } from "./harness.mjs";
import { place } from "./dom.mjs";

function mount(socket, component) {
  const element = place();
  const app = createApp(component);
  app.use(channels, socket);
  app.mount(element);
  return { element, app };
}

const Room = {
  props: { topic: String, who: String },
  setup(props) {
    const said = ref([]);
    const room = useChannel(() => props.topic, {
      params: () => ({ name: props.who }),
      events: { said: ({ text }) => said.value.push(text) },
    });
    Room.last = room;
    return () => h("p", `${room.joined.value ? "in" : "out"} ${room.data.value?.name ?? "-"} ${room.error.value?.message ?? "-"} [${said.value}]`);
  },
};
const People = {
  props: { topic: String },
  setup(props) {
    const present = usePresence(() => props.topic);
    return () => h("ul", present.value.map(({ key, metas }) => h("li", `${key} ${metas[0].mood}`)));
  },
};

test("vue: joined on mount, reactive, left on unmount", async () => {
  const { ws } = await server("chat");
  const socket = connect(ws);
  const { element, app } = mount(socket, () => h(Room, { topic: "room:vue", who: "ada" }));
  assert.equal(element.textContent, "out - - []");
  await until("joined", () => element.textContent === "in ada - []");
  assert.equal((await Room.last.push("say", { text: "hello" })).text, "hello");
  await until("heard", () => element.textContent === "in ada - [hello]");
  loseConnection(socket);
  await until("lost", () => element.textContent.startsWith("out ada"));
  await until("back", () => element.textContent.startsWith("in ada"));
  app.unmount();
  await until("left", () => socket.channels.length === 0);
  assert.equal(socket.sent("phx_leave"), 1);
  await assert.rejects(Room.last.push("say", { text: "late" }), { failure: "closed" });
});

test("vue: components on one topic share its channel; presence shows who is there", async () => {
  const { ws } = await server("chat");
  const socket = connect(ws);
  const second = ref(true);
  const { element, app } = mount(socket, () =>
    h("main", [
      h(People, { topic: "room:both" }),
      h(Room, { topic: "room:both", who: "ada" }),
      second.value ? h(Room, { topic: "room:both", who: "nobody" }) : null,
    ]),
  );
  await until("present", () => element.querySelector("ul").textContent === "ada cheerful");
  assert.equal(socket.sent("phx_join"), 1);
  const bob = mount(connect(ws), () => h(Room, { topic: "room:both", who: "bob" }));
  await until("bob is seen", () => element.querySelectorAll("li").length === 2);
  Room.last.send("busy");
  await until("bob is busy", () => element.querySelector("ul").textContent.includes("bob busy"));
  bob.app.unmount();
  await until("bob is gone", () => element.querySelectorAll("li").length === 1);
  second.value = false;
  await nextTick();
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(socket.sent("phx_leave"), 0);
  app.unmount();
  await until("left", () => socket.channels.length === 0);
});

test("vue: another topic leaves the old one, and none joins nothing", async () => {
  const { ws } = await server("chat");
  const socket = connect(ws);
  const topic = ref(null);
  const { element, app } = mount(socket, () => h(Room, { topic: topic.value, who: "ada" }));
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(socket.channels.length, 0);
  topic.value = "room:one";
  await until("in the first", () => element.textContent.startsWith("in ada"));
  topic.value = "room:two";
  await until("in the second", () => socket.channels.length === 1 && socket.channels[0].topic === "room:two");
  await until("in", () => element.textContent.startsWith("in ada"));
  topic.value = null;
  await until("in none", () => socket.channels.length === 0 && element.textContent === "out - - []");
  app.unmount();
});

test("vue: a refusal is shown", async () => {
  const { ws } = await server("chat");
  const { element, app } = mount(connect(ws), () => h(Room, { topic: "room:refused" }));
  await until("refused", () => /^out - name is required /.test(element.textContent));
  app.unmount();
});

test("vue: outside a component it lives with its scope", async () => {
  const { ws } = await server("chat");
  const socket = connect(ws);
  const scope = effectScope();
  const room = scope.run(() => useChannel("room:scope", { socket, params: { name: "ada" } }));
  await until("joined", () => room.joined.value);
  scope.stop();
  await until("left", () => socket.channels.length === 0);
  assert.equal(room.joined.value, false);
});

test("vue: the connection is told, while mounted", async () => {
  const { ws } = await server("chat");
  const socket = connect(ws);
  const seen = [];
  const Badge = {
    setup() {
      const connection = useConnection();
      return () => (seen.push(connection.value), h("b", connection.value));
    },
  };
  const { element, app } = mount(socket, Badge);
  assert.equal(element.textContent, "connecting");
  await until("connected", () => element.textContent === "connected");
  loseConnection(socket);
  await until("back", () => seen.includes("reconnecting") && element.textContent === "connected");
  assert.deepEqual(seen, ["connecting", "connected", "reconnecting", "connected"]);
  const later = mount(socket, Badge);
  assert.equal(later.element.textContent, "connected");
  later.app.unmount();
  app.unmount();
  seen.length = 0;
  loseConnection(socket);
  await until("lost", () => !socket.isConnected());
  await until("connected again", () => socket.isConnected());
  assert.deepEqual(seen, []);
});

test("vue: pushes in setup, a child's too, are sent and answered; one after the component was unmounted says so", async () => {
  const { ws } = await server("chat");
  const socket = connect(ws);
  const replies = [];
  let push, send;
  const Child = {
    props: { say: Function },
    setup(props) {
      props.say("say", { text: "child" }).then(({ text }) => replies.push(text));
      return () => h("i");
    },
  };
  const Parent = {
    setup() {
      ({ push, send } = useChannel("room:early", { params: { name: "ada" } }));
      send("busy");
      push("say", { text: "parent" }).then(({ text }) => replies.push(text));
      return () => h(Child, { say: push });
    },
  };
  const { app } = mount(socket, Parent);
  await until("both are answered", () => replies.length === 2);
  assert.deepEqual(replies, ["parent", "child"]);
  assert.equal(socket.sent("busy"), 1);
  assert.equal(socket.sent("phx_join"), 1);
  app.unmount();
  await assert.rejects(push("say", { text: "late" }), { failure: "closed", message: /unmounted/ });
  assert.throws(() => send("busy"), { failure: "closed", message: /unmounted/ });
});

test("vue: a push in setup leaves the others of the page their say of the params", async () => {
  const { ws } = await server("chat");
  const Asker = {
    setup() {
      const { push } = useChannel("room:say");
      Asker.reply = push("say", { text: "hello" });
      return () => h("i");
    },
  };
  const { app } = mount(connect(ws), () => h("main", [h(Asker), h(Room, { topic: "room:say", who: "bob" })]));
  assert.equal((await Asker.reply).from, "bob");
  app.unmount();
});

test("vue: async setup may wait for a reply; without a topic, and for one that is left unanswered, a push fails", async () => {
  const { ws } = await server("chat");
  const socket = connect(ws);
  const topic = ref("room:wait");
  let push;
  const Waits = {
    async setup() {
      ({ push } = useChannel(topic, { params: { name: "ada" } }));
      const { text } = await push("say", { text: "hello" });
      return () => h("b", text);
    },
  };
  const { element, app } = mount(socket, () => h(Suspense, null, { default: () => h(Waits) }));
  await until("shown", () => element.textContent === "hello");
  topic.value = null;
  await nextTick();
  await assert.rejects(push("say", { text: "to nobody" }), { failure: "closed", message: /topic is null/ });
  loseConnection(socket);
  await until("lost", () => !socket.isConnected());
  topic.value = "room:elsewhere";
  await nextTick();
  const waits = push("say", { text: "never" });
  app.unmount();
  await assert.rejects(waits, { failure: "closed", message: /left or closed before an answer/ });
});
