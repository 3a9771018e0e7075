// This file runs in the Worker: it starts the Go runtime, which then answers the page's messages.
import { start } from "./start";

// Messages that arrive before the runtime listens are kept for it.
const early: MessageEvent[] = [];
self.onmessage = (message) => early.push(message);

const failed = (message: string): void => self.postMessage(JSON.stringify({ type: "error", code: "failed", message }));
start("unmask.wasm", failed, () => {
  for (const message of early) self.onmessage?.(message);
});
