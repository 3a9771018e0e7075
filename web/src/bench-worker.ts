// This file runs in the benchmark's worker.
import { start } from "../package/src/start";

start("bench.wasm", (reason) => self.postMessage(JSON.stringify({ error: reason })));
