// This file runs in the Worker: it starts the Go runtime, which then answers the page's messages.

import { instantiate } from "./kernels";

declare const Go: new () => { importObject: WebAssembly.Imports; run(instance: WebAssembly.Instance): Promise<void> };
declare function importScripts(...urls: string[]): void;

importScripts("wasm_exec.js");

// Messages that arrive before the runtime listens are kept for it.
const early: MessageEvent[] = [];
self.onmessage = (message) => early.push(message);

async function start(): Promise<void> {
  const go = new Go();
  const source = await instantiate(go, fetch("unmask.wasm"), fetch("kernels.wasm"));
  // The WebGPU binding finds the runtime's memory through this global.
  (globalThis as Record<string, unknown>).wasm = source;
  const ended = go.run(source.instance);
  for (const message of early) self.onmessage?.(message);
  await ended;
  throw new Error("the runtime ended");
}

start().catch((reason: unknown) => {
  self.postMessage(JSON.stringify({ type: "error", code: "failed", message: `the runtime did not start: ${String(reason)}` }));
});
