// The benchmark page: a worker measures, a table shows, and the numbers can be taken home as JSON.
import { element } from "./options";

interface Result {
  engine: string; adapter: string; shape: string; weights: string; rows: number; context: number; ms: number; runs: number;
  gflops: number; gbs: number; of_matmul: number; of_bandwidth: number; dispatches?: number; bytes_back?: number;
}
type Message = Result | { error: string } | { done: true } | { skipped: string; why: string } | { trace: string };

const status = element("status");
const rows = element<HTMLTableSectionElement>("rows");
const quick = element<HTMLButtonElement>("quick");
const full = element<HTMLButtonElement>("full");
const download = element<HTMLButtonElement>("download");
const trace = element("trace");
const results: Result[] = [];

function add(r: Result): void {
  results.push(r);
  const row = rows.insertRow();
  const percent = (x: number): string => `${(100 * x).toFixed(0)} %`;
  for (const text of [
    r.engine, r.shape, r.weights, r.rows, r.context, r.ms.toFixed(2), r.gflops.toFixed(2), r.gbs.toFixed(2),
    percent(r.of_matmul), percent(r.of_bandwidth), r.dispatches ?? "", r.bytes_back ?? "",
  ]) row.insertCell().textContent = String(text);
  row.title = r.adapter;
  status.textContent = `running: ${results.length} measured, last on ${r.adapter}`;
}

function run(options: URLSearchParams): void {
  results.length = 0;
  rows.replaceChildren();
  trace.textContent = "";
  quick.disabled = full.disabled = download.disabled = true;
  status.textContent = "running: starting";
  const worker = new Worker(`bench-worker.js?${options}`);
  const end = (text: string): void => {
    status.textContent = text;
    quick.disabled = full.disabled = false;
    download.disabled = results.length === 0;
    worker.terminate();
  };
  const skipped: string[] = [];
  worker.onmessage = ({ data }: MessageEvent<string>) => {
    const message = JSON.parse(data) as Message;
    if ("error" in message) end(`error: ${message.error}`);
    else if ("done" in message) end(`done: ${results.length} measurements${skipped.join("")}`);
    else if ("skipped" in message) skipped.push(`; ${message.skipped} skipped: ${message.why}`);
    else if ("trace" in message) trace.textContent += `${message.trace}\n`;
    else add(message);
  };
  worker.onerror = (event) => end(`error: ${event.message}`);
}

quick.addEventListener("click", () => run(new URLSearchParams({ quick: "1", trace: "1" })));
full.addEventListener("click", () => run(new URLSearchParams()));
download.addEventListener("click", () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify({ agent: navigator.userAgent, results }, null, 1)], { type: "application/json" }));
  link.download = "unmask-bench.json";
  link.click();
  URL.revokeObjectURL(link.href);
});

// ?run starts at once, with the other parameters as options; the results are then in the global bench.
const query = new URLSearchParams(location.search);
(globalThis as Record<string, unknown>).bench = results;
if (query.has("run")) run(query);
