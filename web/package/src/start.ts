// Starts a Go program in a worker, with the CPU kernels.
import { instantiate } from "./kernels";

declare const Go: new () => { importObject: WebAssembly.Imports; run(instance: WebAssembly.Instance): Promise<void> };
declare function importScripts(...urls: string[]): void;

export function start(program: string, failed: (reason: string) => void, started?: () => void): void {
  importScripts("wasm_exec.js");
  const run = async (): Promise<void> => {
    const go = new Go();
    const source = await instantiate(go, fetch(program));
    const ended = go.run(source.instance);
    started?.();
    await ended;
  };
  run().catch((reason: unknown) => failed(`the runtime did not start: ${String(reason)}`));
}
