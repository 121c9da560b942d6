// The wire of durable topics and no more: one topic table, a history of the last `keep` messages, one epoch at a time. It stands
// in where a test needs what a server does not do on demand (another epoch, a loss between nodes).
import { once } from "node:events";
import { WebSocketServer } from "ws";

export async function fakeDurable({ keep = 5 } = {}) {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  const members = new Set(); // {socket, topic, joinRef}
  const joins = [];
  let epoch = "e1";
  let sequence = 0;
  let history = [];

  const position = () => (sequence > 0 ? { [epoch]: sequence } : {});
  const send = (socket, frame) => socket.send(JSON.stringify(frame));
  const reply = (socket, [joinRef, ref, topic], response) =>
    send(socket, [joinRef, ref, topic, "phx_reply", { status: "ok", response }]);

  function join(socket, frame) {
    const [joinRef, , topic, , payload] = frame;
    joins.push(payload);
    const asked = payload.resume?.position;
    const seen = asked?.[epoch] ?? 0;
    const oldest = history[0]?._at[1] ?? sequence + 1;
    let status = "new";
    if (asked) status = Object.keys(asked).every((known) => known === epoch) && seen + 1 >= oldest ? "resumed" : "resync";
    // Of what is resumed, where the replay begins.
    const at = status === "resumed" && asked[epoch] ? { [epoch]: asked[epoch] } : status === "resumed" ? {} : position();
    reply(socket, frame, { app: "state", resume: { status, position: at } });
    if (status === "resumed") {
      for (const message of history) if (message._at[1] > seen) send(socket, [joinRef, null, topic, "said", message]);
    }
    members.add({ socket, topic, joinRef });
  }

  function publish(topic, payload) {
    sequence += 1;
    const message = { ...payload, _at: [epoch, sequence] };
    history = [...history, message].slice(-keep);
    for (const member of members) {
      if (member.topic === topic) send(member.socket, [null, null, topic, "said", message]);
    }
    return message;
  }

  server.on("connection", (socket) => {
    const forget = (topic) => {
      for (const member of members) if (member.socket === socket && (!topic || member.topic === topic)) members.delete(member);
    };
    socket.on("close", () => forget());
    socket.on("message", (data) => {
      const frame = JSON.parse(data.toString());
      const [, , topic, event, payload] = frame;
      if (event === "phx_join") return join(socket, frame);
      if (event === "phx_leave") forget(topic);
      if (event === "say") publish(topic, payload);
      reply(socket, frame, {});
    });
  });

  return {
    ws: `ws://127.0.0.1:${server.address().port}`,
    joins,
    /// Sends somebody's message a second time, as no server should.
    repeat: (topic) => {
      for (const member of members) send(member.socket, [null, null, topic, "said", history.at(-1)]);
    },
    /// The connection of whoever joined first is lost.
    dropFirst() {
      const [first] = members;
      first.socket.terminate();
    },
    /// Another run of the node: nothing of what was before is known.
    restart() {
      epoch = `e${Number(epoch.slice(1)) + 1}`;
      sequence = 0;
      history = [];
      for (const { socket } of members) socket.terminate();
    },
    /// Something got lost on the way to here.
    lose(topic) {
      sequence += 3;
      for (const member of members) send(member.socket, [null, null, topic, "resync", { position: position() }]);
    },
    async stop() {
      for (const socket of server.clients) socket.terminate();
      server.close();
    },
  };
}
