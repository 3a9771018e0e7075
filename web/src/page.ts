// The page: a prompt, options, Generate and Stop, and the text as it is unmasked.
import { Client } from "./client";
import { keepOffline } from "./offline";
import { applyQuery, element, readRequest } from "./options";
import type { Event, Ready } from "./protocol";
import { View } from "./view";

const status = element("status");
const generate = element<HTMLButtonElement>("generate");
const stop = element<HTMLButtonElement>("stop");
const prompt = element<HTMLTextAreaElement>("prompt");
const echo = element("echo");
const engine = element("engine");
const notice = element("notice");
const bar = element<HTMLProgressElement>("progress");
const numbers = element("numbers");

type State = "loading" | "ready" | "generating" | "done" | "error";

// show sets the status line; its text starts with the state.
function show(state: State, detail = ""): void {
  status.textContent = detail ? `${state}: ${detail}` : state;
  document.body.dataset.state = state;
  generate.disabled = state === "loading" || state === "generating";
  stop.disabled = state !== "generating";
  bar.hidden = state !== "loading";
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

const preset = applyQuery(new URLSearchParams(location.search));
const view = new View(element("output"));
const offline = keepOffline();
const client = new Client(handle);
let began = 0;
let revealed = 0;

function handle(event: Event): void {
  switch (event.type) {
    case "progress":
      bar.max = event.total;
      bar.value = event.done;
      show("loading", `${megabytes(event.done)} of ${megabytes(event.total)}`);
      break;
    case "ready":
      void loaded(event);
      break;
    case "canvas":
      view.canvas(event);
      break;
    case "reveal":
      view.reveal(event);
      revealed++;
      show("generating", `${revealed} tokens, ${(revealed / ((performance.now() - began) / 1000)).toFixed(1)} a second`);
      break;
    case "block":
      view.block(event);
      break;
    case "done":
      view.done(event);
      show("done", event.reason === "stopped" ? "stopped" : reasons[event.reason] ?? event.reason);
      numbers.textContent =
        `${event.tokens.length} tokens in ${event.passes} passes and ${event.seconds.toFixed(2)} s: ` +
        `${(event.tokens.length / event.seconds).toFixed(1)} tokens/s, ${(event.tokens.length / Math.max(event.passes, 1)).toFixed(2)} a pass, ` +
        `${((1000 * event.seconds) / Math.max(event.passes, 1)).toFixed(0)} ms a pass`;
      break;
    case "error":
      show("error", event.message);
      if (event.code === "unsupported") {
        notice.hidden = false;
        notice.textContent = `This page wants WebGPU, and there is none here: ${event.message}. Try a current Chrome, Edge, Safari or Firefox, or let the processor do it: open the page with ?engine=cpu.`;
      }
      break;
    case "recovered":
      notice.hidden = false;
      notice.textContent = `The graphics card was reset (${event.message}); the text goes on.`;
      break;
    case "answer":
      break;
  }
}

const reasons: Record<string, string> = { length: "length reached", eos: "end of text", entropy: "it began to repeat itself" };

async function loaded(event: Ready): Promise<void> {
  const kind = event.engine === "gpu" ? "WebGPU" : "WebAssembly";
  engine.textContent = `${event.engine}: ${kind}${event.adapter ? `, ${event.adapter}` : ""}`;
  engine.title = event.reason;
  if (event.engine === "cpu" && preset.engine === "auto") {
    notice.hidden = false;
    notice.textContent = `Running on the processor, slower than on a graphics card: ${event.reason}`;
  }
  show("loading", "storing the page for offline use");
  const kept = await offline;
  show("ready", `${(event.params / 1e6).toFixed(1)} M parameters${kept ? ", works offline" : ""}`);
  if (preset.run) start();
}

function start(): void {
  if (generate.disabled) return;
  const request = readRequest();
  view.clear();
  echo.textContent = request.prompt;
  numbers.textContent = "";
  began = performance.now();
  revealed = 0;
  show("generating");
  client.send(request);
}

generate.addEventListener("click", start);
stop.addEventListener("click", () => client.send({ type: "stop" }));
prompt.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    start();
  }
});

show("loading", "starting the runtime");
client.send({ type: "load", url: `models/${encodeURIComponent(preset.model)}`, engine: preset.engine });
