// Starts programs that serve, each at a free port, and ends them when the suite is over.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { atEnd, freePort, within } from "./suite.mjs";

const saysReady = (output) => output.includes("ready at");

/// `programs` are paths by name. A program serves as soon as what it printed says so: `ready` has, by name, how those say it
/// that do not print "ready at".
export function serversOf(programs, ready = {}) {
  const running = new Set();
  const shared = new Map();

  /// Starts a program and waits until it serves.
  async function start(name, port = undefined) {
    port ??= await freePort();
    const child = spawn(programs[name], ["--port", String(port)], { stdio: ["ignore", "pipe", "pipe"] });
    running.add(child);
    let output = "";
    child.stderr.on("data", (data) => (output += data));
    await within(60_000, () => `${name} to start; it said "${output}"`, new Promise((resolve, reject) => {
      child.stdout.on("data", (data) => {
        output += data;
        if ((ready[name] ?? saysReady)(output)) resolve();
      });
      child.on("error", reject);
      child.on("exit", (code) => reject(new Error(`${name} ended with ${code}: ${output}`)));
    }));
    return {
      port,
      pid: child.pid,
      http: `http://127.0.0.1:${port}`,
      ws: `ws://127.0.0.1:${port}`,
      output: () => output,
      async stop(signal = "SIGTERM") {
        if (!running.delete(child)) return;
        const ended = child.exitCode === null && child.signalCode === null ? once(child, "exit") : null;
        child.kill(signal);
        if (ended) await within(60_000, () => `${name} to stop; it said "${output}"`, ended);
      },
    };
  }

  /// One server for all tests that do not stop it.
  function server(name) {
    if (!shared.has(name)) shared.set(name, start(name));
    return shared.get(name);
  }

  atEnd(async () => {
    try {
      for (const started of shared.values()) await (await started.catch(() => null))?.stop();
    } finally {
      for (const child of running) child.kill("SIGKILL");
    }
  });
  return { start, server };
}
