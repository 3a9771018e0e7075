// This file runs in the Worker: it starts the Go runtime, which then answers the page's messages, and
// reads packs through `openPack`.
import { start } from "./start";
import { Opened } from "./store";

// Messages that arrive before the runtime listens are kept for it.
const early: MessageEvent[] = [];
self.onmessage = (message) => early.push(message);

Object.assign(globalThis, {
  openPack: (base: string, report: (done: number, total: number) => void, signal: AbortSignal) => new Opened(base, report, signal),
});

const failed = (message: string): void => self.postMessage(JSON.stringify({ type: "error", code: "failed", message }));
start("unmask.wasm", failed, () => {
  for (const message of early) self.onmessage?.(message);
});
