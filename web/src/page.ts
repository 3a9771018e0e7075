// The page: a beginning, options, and the text as it is unmasked, with everything that can be done to it.
import { megabytes } from "../package/src/bytes";
import { UnmaskError, UnsupportedError } from "../package/src/errors";
import { Unmask, type GenerateEvent, type GenerateOptions } from "../package/src/model";
import type { Done, Ready } from "../package/src/protocol";
import { define, type UnmaskView } from "../package/src/view";
import { Editor } from "./edit";
import { exportAs } from "./exports";
import { Library } from "./models";
import { keepOffline } from "./offline";
import { applyQuery, element, linkOf, readOptions, urlOf } from "./options";
import { showScore } from "./score";

define();

const status = element("status");
const live = element("live");
const engine = element("engine");
const notice = element("notice");
const bar = element<HTMLProgressElement>("progress");
const numbers = element("numbers");
const output = element<HTMLOutputElement>("output");
const view = element<UnmaskView>("view");
const button = (id: string): HTMLButtonElement => element<HTMLButtonElement>(id);

type State = "loading" | "ready" | "generating" | "done" | "error";

const preset = applyQuery(new URLSearchParams(location.search));
let model: Unmask | undefined;
let modelName = preset.model;
let state: State = "loading";
let running: AbortController | undefined;
let last: { options: GenerateOptions; done: Done } | undefined; // the text that is shown

// show sets the status line; its text starts with the state. Only a change of state is spoken.
function show(next: State, detail = ""): void {
  if (next !== state || next === "error") live.textContent = detail && next !== "generating" ? `${next}: ${detail}` : next;
  state = next;
  status.textContent = detail ? `${next}: ${detail}` : next;
  document.body.dataset.state = next;
  const busy = next === "loading" || next === "generating" || !model;
  for (const id of ["generate", "score"]) button(id).disabled = busy;
  for (const id of ["continue", "again", "other", "share"]) button(id).disabled = busy || !last;
  element<HTMLSelectElement>("export").disabled = busy || !last;
  button("stop").disabled = next !== "generating";
  bar.hidden = next !== "loading";
}

// tell shows a notice, with something to do about it where there is.
export function tell(text: string, action?: { label: string; run: () => void }): void {
  const act = notice.querySelector("button") as HTMLButtonElement;
  notice.hidden = false;
  (notice.querySelector("span") as HTMLElement).textContent = text;
  act.hidden = !action;
  act.textContent = action?.label ?? "";
  act.onclick = () => action?.run();
}

const offline = keepOffline((apply) => {
  tell("An update is ready.", { label: "Use it", run: () => (state === "generating" ? tell("The update waits for this text to end.", { label: "Use it", run: apply }) : apply()) });
});

async function load(name: string, url = urlOf(name)): Promise<void> {
  show("loading", "starting the runtime");
  notice.hidden = true;
  try {
    const loaded = await Unmask.load(url, {
      engine: preset.engine,
      onProgress: (p) => {
        bar.max = p.total;
        bar.value = p.done;
        const left = p.done < p.total && p.secondsLeft > 2 ? `, ${Math.ceil(p.secondsLeft)} s left` : "";
        show("loading", `${megabytes(p.done)} of ${megabytes(p.total)}, ${megabytes(p.bytesPerSecond)}/s${left}`);
      },
    });
    model?.close();
    model = loaded;
    modelName = name;
    element("model-name").textContent = name;
    describe(loaded.info);
    show("loading", "storing the page for offline use");
    const kept = await offline;
    show("ready", `${(loaded.info.params / 1e6).toFixed(1)} M parameters, ${megabytes(loaded.info.bytes)} of weights${kept ? ", works offline" : ""}`);
  } catch (reason) {
    failed(reason);
    if (model) element("model-name").textContent = modelName;
    throw reason;
  }
}

function describe(info: Ready): void {
  const kind = info.engine === "gpu" ? "WebGPU" : "WebAssembly";
  engine.textContent = `${info.engine}: ${kind}${info.adapter ? `, ${info.adapter}` : ""} (${info.reason})`;
  if (info.engine === "cpu" && preset.engine === "auto") tell(`Running on the processor, slower than on a graphics card: ${info.reason}`);
}

function failed(reason: unknown): void {
  const message = reason instanceof Error ? reason.message : String(reason);
  show("error", message);
  if (reason instanceof UnsupportedError) {
    tell(`This page wants WebGPU, and there is none here: ${message}. Try a current Chrome, Edge, Safari or Firefox, or let the processor do it: open the page with ?engine=cpu.`);
  } else if (reason instanceof UnmaskError && (reason.code === "integrity" || reason.code === "quota" || reason.code === "network")) {
    tell(message);
  }
}

// write runs a generation, or fills in what is null among tokens, and shows it.
async function write(options: GenerateOptions, tokens?: (number | null)[]): Promise<void> {
  if (!model || running) return;
  const stop = new AbortController();
  running = stop;
  editor.clear();
  view.clear(options.prompt);
  numbers.textContent = "";
  output.value = "";
  const began = performance.now();
  const seen = { revealed: 0 };
  show("generating");
  try {
    const all = { ...options, signal: stop.signal };
    for await (const event of tokens ? model.infill({ ...all, tokens }) : model.generate(all)) handle(event, options, seen, began);
  } catch (reason) {
    failed(reason);
  } finally {
    running = undefined;
  }
  if (state === "done") void memory();
}

function handle(event: GenerateEvent, options: GenerateOptions, seen: { revealed: number }, began: number): void {
  if (event.type !== "recovered") view.push(event);
  const seconds = (performance.now() - began) / 1000;
  switch (event.type) {
    case "reveal":
      seen.revealed++;
      show("generating", `${seen.revealed} tokens, ${(seen.revealed / seconds).toFixed(1)} a second`);
      break;
    case "recovered":
      tell(`The graphics card was reset (${event.message}); the text goes on.`);
      break;
    case "done": {
      last = { options, done: event };
      output.value = event.text;
      const passes = Math.max(event.passes, 1);
      numbers.textContent = `${event.tokens.length} tokens in ${event.passes} passes and ${event.seconds.toFixed(2)} s: ${(seen.revealed / event.seconds).toFixed(1)} tokens/s, ` +
        `${(((model?.info.block_size ?? 1) * passes) / event.seconds).toFixed(1)} canvas tokens/s, ` +
        `${(seen.revealed / passes).toFixed(2)} a pass, ${((1000 * event.seconds) / passes).toFixed(0)} ms a pass`;
      show("done", event.reason === "stopped" ? "stopped" : reasons[event.reason] ?? event.reason);
      break;
    }
  }
}

const reasons: Record<string, string> = { length: "length reached", eos: "end of text", entropy: "it began to repeat itself" };

async function memory(): Promise<void> {
  const held = await model?.tokenize("").catch(() => undefined);
  if (held && held.memory > 0) numbers.textContent += `, ${megabytes(held.memory)} of memory`;
}

// shown is what stands behind the beginning, without the token that ended it.
function shown(): number[] {
  const tokens = view.frame().cells.map((cell) => cell.token).filter((token) => token >= 0);
  return last?.done.reason === "eos" ? tokens.slice(0, -1) : tokens;
}

function goOn(): void {
  if (!last) return;
  const tokens = shown();
  void write({ ...readOptions(), prompt: last.options.prompt, maxTokens: tokens.length + (readOptions().maxTokens ?? 96) }, tokens);
}

function reseed(): void {
  element<HTMLInputElement>("seed").value = String(Math.floor(Math.random() * 1e9));
  void write(readOptions());
}

async function share(): Promise<void> {
  const link = linkOf(modelName);
  history.replaceState(null, "", link.replace(/[?&]run=1$/, ""));
  try {
    await navigator.clipboard.writeText(link);
    tell("The link is in the clipboard. It writes this text again.");
  } catch {
    tell(`The link: ${link}`);
  }
}

const editor = new Editor(view, (tokens) => {
  if (last) void write({ ...readOptions(), prompt: last.options.prompt, maxTokens: tokens.length }, tokens);
});

const library = new Library(async (name, url) => {
  await load(name, url);
});

view.alternatives = async (cell, frame) => {
  if (!model || running || !last) return [];
  // What stood in its block when the token was chosen: all that was not yet revealed is masked.
  const tokens = frame.cells.map((c) => (c.token < 0 || (c.block === cell.block && !c.given && c.order >= cell.order) ? null : c.token));
  return model.alternatives({ prompt: last.options.prompt ?? "", tokens, at: frame.cells.indexOf(cell), count: 5 });
};

button("generate").addEventListener("click", () => void write(readOptions()));
button("stop").addEventListener("click", () => running?.abort());
button("continue").addEventListener("click", goOn);
button("again").addEventListener("click", () => void write(readOptions()));
button("other").addEventListener("click", reseed);
button("share").addEventListener("click", () => void share());
button("open-models").addEventListener("click", () => void library.open());
button("score").addEventListener("click", () => {
  if (model) void showScore(model).catch(failed);
});
element<HTMLSelectElement>("colour").addEventListener("change", (event) => {
  view.setAttribute("colour", (event.target as HTMLSelectElement).value);
});
element<HTMLSelectElement>("export").addEventListener("change", (event) => {
  const select = event.target as HTMLSelectElement;
  void exportAs(select.value, view, output.value).catch(failed);
  select.value = "";
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !button("generate").disabled) {
    event.preventDefault();
    void write(readOptions());
  } else if (event.key === "Escape" && running && !element<HTMLDialogElement>("models").open) {
    running.abort();
  }
});

void load(preset.model).then(() => {
  if (preset.run) void write(readOptions());
}, () => {});
