// Loads a page again once a newer program serves, and shows what the compiler said. Part of pages in development only.
(() => {
  "use strict";
  const version = Number(new URL(document.currentScript.src).searchParams.get("version"));

  const styles = new CSSStyleSheet();
  styles.replaceSync(`
    :host { all: initial; color-scheme: light dark; --ink: #1d2733; --soft: #5c6b7a; --card: #fff; --edge: #dde3ea; --bad: #b42318; }
    @media (prefers-color-scheme: dark) { :host { --ink: #e6ebf1; --soft: #9aa8b7; --card: #18202a; --edge: #2b3643; --bad: #ff8a80; } }
    * { box-sizing: border-box; font: 15px/1.5 system-ui, sans-serif; }
    .note { position: fixed; right: 12px; bottom: 12px; z-index: 2147483647; padding: 6px 14px; border-radius: 999px;
      border: 1px solid var(--edge); background: var(--card); color: var(--soft); box-shadow: 0 2px 12px #0003; }
    dialog { width: min(64rem, calc(100vw - 24px)); max-height: calc(100vh - 24px); padding: 0; border: 1px solid var(--edge); border-radius: 12px;
      border-top: 4px solid var(--bad); background: var(--card); color: var(--ink); overflow: hidden; }
    dialog[open] { display: flex; flex-direction: column; }
    dialog::backdrop { background: #0008; }
    header { display: flex; align-items: center; gap: 12px; padding: 14px 18px; }
    h2 { flex: 1; margin: 0; font-size: 18px; font-weight: 600; color: var(--bad); }
    button { padding: 4px 12px; border: 1px solid var(--edge); border-radius: 8px; background: transparent; color: inherit; cursor: pointer; }
    pre { margin: 0; padding: 0 18px; overflow: auto; font: 13px/1.55 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; }
    pre .bad { color: var(--bad); font: inherit; font-weight: 600; }
    p { margin: 0; padding: 12px 18px; color: var(--soft); }`);

  const host = document.createElement("bennu-live-reload");
  const shadow = host.attachShadow({ mode: "open" });
  shadow.adoptedStyleSheets = [styles];
  document.documentElement.append(host);

  function element(name, text, className) {
    const made = document.createElement(name);
    if (text) made.textContent = text;
    if (className) made.className = className;
    return made;
  }

  function showFailure(output) {
    const dialog = element("dialog");
    const header = element("header");
    const close = element("button", "Close");
    close.addEventListener("click", () => dialog.close());
    header.append(element("h2", "The build failed"), close);
    const text = element("pre");
    for (const line of output.trimEnd().split("\n"))
      text.append(/\berror\b/i.test(line) ? element("span", line, "bad") : line, "\n");
    dialog.append(header, text, element("p", "The program from before goes on serving. This closes by itself once the build is mended."));
    shadow.append(dialog);
    dialog.showModal();
  }

  // Before the page's own keys.
  addEventListener("keydown", (event) => {
    const dialog = shadow.querySelector("dialog[open]");
    if (event.key !== "Escape" || !dialog) return;
    event.stopImmediatePropagation();
    dialog.close();
  }, true);

  function show({ state, output }) {
    shadow.replaceChildren();
    if (state === "building") shadow.append(element("div", "Building…", "note"));
    if (state === "failed") showFailure(output);
  }

  let source;
  function listen() {
    source = new EventSource("/bennu/live-reload");
    source.onmessage = ({ data }) => {
      const status = JSON.parse(data);
      status.version === version ? show(status) : location.reload();
    };
  }
  // A browser keeps few connections to a site: pages that nobody looks at leave theirs to the others.
  document.addEventListener("visibilitychange", () => {
    source.close();
    if (!document.hidden) listen();
  });
  listen();
})();
