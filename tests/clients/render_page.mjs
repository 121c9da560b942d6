// Renders one component with the server renderer of the library that is named, and ends by itself.
import assert from "node:assert/strict";
import { Socket } from "phoenix";

const socket = new Socket("/socket");
const render = {
  async vue() {
    const { channels, useChannel, usePresence } = await import("@bennu/client/vue");
    const { createSSRApp, h } = await import("vue");
    const { renderToString } = await import("vue/server-renderer");
    const app = createSSRApp({
      setup() {
        const { joined, push } = useChannel("room:page", { params: { name: "ada" } });
        push("say", { text: "hello" }).catch(({ message }) => assert.match(message, /server that renders/));
        const present = usePresence("room:page");
        return () => h("p", `${joined.value ? "in" : "out"} ${present.value.length}`);
      },
    });
    return renderToString(app.use(channels, socket));
  },
  async react() {
    const { SocketProvider, useChannel, usePresence } = await import("@bennu/client/react");
    const { createElement: h } = await import("react");
    const { renderToString } = await import("react-dom/server");
    function Page() {
      const { joined } = useChannel("room:page", { params: { name: "ada" } });
      const present = usePresence("room:page");
      return h("p", null, `${joined ? "in" : "out"} ${present.length}`);
    }
    return renderToString(h(SocketProvider, { socket }, h(Page)));
  },
};
const html = await render[process.argv[2]]();
await new Promise((resolve) => setTimeout(resolve, 50));
console.log(`${html} channels: ${socket.channels.length}`);
