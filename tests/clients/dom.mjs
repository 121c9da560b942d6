// A document for Vue and React; imported before they are.
import { Window } from "happy-dom";

const window = new Window({ url: "http://localhost/" });
globalThis.window = window;
for (const name of ["document", "Node", "Element", "HTMLElement", "SVGElement", "HTMLIFrameElement", "Event", "MutationObserver"]) {
  globalThis[name] = window[name];
}

/// An empty element in the page.
export function place() {
  const element = window.document.createElement("div");
  window.document.body.append(element);
  return element;
}
