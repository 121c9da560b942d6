// A network cable between browser and server that can be pulled.
import { connect, createServer } from "node:net";
import { once } from "node:events";
import { atEnd } from "../lib/suite.mjs";

/// Stands for a server: `http` as of `visit`'s `here`, `cut()` ends all connections and takes no new ones until `mend()`.
export async function line(server) {
  const open = new Set();
  let whole = true;
  const end = createServer((near) => {
    if (!whole) return near.resetAndDestroy();
    const far = connect(server.port, "127.0.0.1");
    for (const [one, other] of [[near, far], [far, near]]) {
      open.add(one);
      one.on("error", () => other.destroy());
      one.on("close", () => (open.delete(one), other.destroy()));
      one.pipe(other);
    }
  }).listen(0, "127.0.0.1");
  await once(end, "listening");
  const cut = () => {
    whole = false;
    for (const socket of open) socket.destroy();
  };
  atEnd(() => {
    cut();
    end.close();
  });
  return { http: `http://127.0.0.1:${end.address().port}`, cut, mend: () => (whole = true) };
}
