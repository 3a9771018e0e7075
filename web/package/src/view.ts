// <unmask-view>: a text as it is unmasked, with a player over every pass. It takes the events of
// generate(), or a recording. `view.push(event)`; attributes: colour (confidence, order, entropy, none),
// controls ("none" leaves the player out). Events: token (a cell was chosen), frame.
import { hue, strength, type Colouring } from "./colours";
import type { Alternative, Block, Canvas, Done, Reveal } from "./protocol";
import { Recording, type Cell, type Frame, type Recorded } from "./recording";
import { style } from "./view-style";

type Source = (cell: Cell, frame: Frame) => Promise<Alternative[]>;

const speeds = [1, 2, 4, 8, 16, 32]; // passes a second

export class UnmaskView extends HTMLElement {
  static readonly observedAttributes = ["colour", "controls"];
  // alternatives, where set, is asked what else could stand at a token that the pointer rests on.
  alternatives: Source | undefined;
  private recording = new Recording();
  private shown = 0; // pass
  private follows = true; // the newest pass
  private timer = 0;
  private due = false;
  private readonly root = this.attachShadow({ mode: "open" });
  private readonly text = document.createElement("p");
  private readonly prompt = document.createElement("span");
  private readonly tip = document.createElement("div");
  private readonly player = document.createElement("div");
  private readonly slider = document.createElement("input");
  private readonly play = document.createElement("button");
  private readonly speed = document.createElement("select");
  private readonly count = document.createElement("output");
  private spans: HTMLSpanElement[] = [];
  private drawn: Frame = { pass: 0, cells: [], active: -1, done: false };
  private cells: Cell[] = []; // of what is drawn
  private marked = new Set<number>();

  constructor() {
    super();
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(style);
    this.root.adoptedStyleSheets = [sheet];
    this.text.className = "text";
    this.text.setAttribute("part", "text");
    this.text.dir = "auto";
    this.prompt.className = "prompt";
    this.text.append(this.prompt);
    this.tip.className = "tip";
    this.tip.setAttribute("role", "tooltip");
    this.tip.hidden = true;
    this.buildPlayer();
    this.root.append(this.text, this.tip, this.player);
    this.text.addEventListener("pointerover", (event) => this.hover(event.target));
    this.text.addEventListener("pointerleave", () => { this.tip.hidden = true; });
    this.text.addEventListener("focusin", (event) => this.hover(event.target));
    this.text.addEventListener("focusout", () => { this.tip.hidden = true; });
    this.text.addEventListener("click", (event) => this.choose(event.target, event.shiftKey));
    this.text.addEventListener("keydown", (event) => this.key(event));
  }

  get colour(): Colouring { return (this.getAttribute("colour") as Colouring | null) ?? "confidence"; }
  set colour(value: Colouring) { this.setAttribute("colour", value); }
  get passes(): number { return this.recording.passes; }
  get pass(): number { return this.shown; }

  attributeChangedCallback(): void {
    this.player.hidden = this.getAttribute("controls") === "none";
    this.draw();
  }

  // clear starts a new recording.
  clear(prompt = ""): void {
    this.pause();
    this.recording = new Recording(prompt);
    this.marked.clear();
    this.follows = true;
    this.show(0);
  }

  // push takes an event of generate(), drawn with the next frame of the screen.
  push(event: { type: string }): void {
    if (event.type !== "canvas" && event.type !== "reveal" && event.type !== "block" && event.type !== "done") return;
    this.recording.push(event as Canvas | Reveal | Block | Done);
    if (!this.follows) return;
    if (document.hidden || event.type === "done") { // a hidden page has no frames to wait for
      this.show(this.recording.passes);
    } else if (!this.due) {
      this.due = true;
      requestAnimationFrame(() => {
        this.due = false;
        if (this.follows) this.show(this.recording.passes);
      });
    }
  }

  // load shows a JSON export, from its first pass.
  load(data: Recorded): void {
    this.pause();
    this.recording = Recording.from(data);
    this.follows = false;
    this.show(0);
  }

  record(): Recording { return this.recording; }

  // mark sets which cells, by index, look chosen.
  mark(indices: Iterable<number>): void {
    this.marked = new Set(indices);
    this.draw();
  }

  // frame is what is shown.
  frame(): Frame { return this.recording.frame(this.shown); }

  // show goes to a pass.
  show(pass: number): void {
    this.shown = Math.max(0, Math.min(pass, this.recording.passes));
    this.draw();
    this.dispatchEvent(new CustomEvent("frame", { detail: { pass: this.shown, passes: this.recording.passes } }));
  }

  start(): void {
    if (this.timer) return;
    if (this.shown >= this.recording.passes) this.show(0);
    this.follows = false;
    const tick = (): void => {
      this.show(this.shown + 1);
      if (this.shown >= this.recording.passes) this.pause();
      else this.timer = window.setTimeout(tick, 1000 / Number(this.speed.value));
    };
    this.timer = window.setTimeout(tick, 1000 / Number(this.speed.value));
    this.label();
  }

  pause(): void {
    window.clearTimeout(this.timer);
    this.timer = 0;
    this.label();
  }

  private buildPlayer(): void {
    const step = (label: string, symbol: string, by: number): HTMLButtonElement => {
      const button = document.createElement("button");
      button.type = "button";
      button.ariaLabel = label;
      button.textContent = symbol;
      button.addEventListener("click", () => { this.pause(); this.seek(this.shown + by); });
      return button;
    };
    this.play.type = "button";
    this.play.className = "play";
    this.play.addEventListener("click", () => (this.timer ? this.pause() : this.start()));
    this.slider.type = "range";
    this.slider.min = "0";
    this.slider.ariaLabel = "Pass";
    this.slider.addEventListener("input", () => { this.pause(); this.seek(Number(this.slider.value)); });
    this.speed.ariaLabel = "Passes a second";
    this.speed.append(...speeds.map((n) => new Option(`${n}/s`, String(n), n === 8, n === 8)));
    this.player.className = "player";
    this.player.setAttribute("part", "player");
    this.player.append(this.play, step("One pass back", "‹", -1), this.slider, step("One pass on", "›", 1), this.count, this.speed);
    this.label();
  }

  // seek goes to a pass; at the newest one, the view follows what comes.
  private seek(pass: number): void {
    this.show(pass);
    this.follows = this.shown === this.recording.passes;
  }

  private label(): void {
    this.play.textContent = this.timer ? "❚❚" : "▶";
    this.play.ariaLabel = this.timer ? "Pause" : "Play";
  }

  private draw(): void {
    const frame = this.frame();
    this.drawn = frame;
    this.cells = frame.cells;
    if (this.prompt.textContent !== this.recording.prompt) this.prompt.textContent = this.recording.prompt;
    this.style.setProperty("--hue", String(hue[this.colour]));
    while (this.spans.length > frame.cells.length) this.spans.pop()?.remove();
    while (this.spans.length < frame.cells.length) {
      const span = document.createElement("span");
      span.tabIndex = -1;
      span.dataset.index = String(this.spans.length);
      this.spans.push(span);
      this.text.append(span);
    }
    const rows = new Map<number, number>();
    for (const cell of frame.cells) rows.set(cell.block, (rows.get(cell.block) ?? 0) + (cell.given ? 0 : 1));
    this.write(frame);
    frame.cells.forEach((cell, i) => {
      const kind = cell.token < 0 ? "mask" : cell.given ? "given" : "token";
      const state = `${kind}${cell.block === frame.active ? " active" : ""}${cell.pass === frame.pass && kind === "token" && !frame.done ? " new" : ""}${this.marked.has(i) ? " marked" : ""}`;
      if (this.spans[i].className !== state) this.spans[i].className = state;
      this.spans[i].style.setProperty("--strength", strength(cell, this.colour, rows.get(cell.block) ?? 1).toFixed(3));
    });
    this.slider.max = String(this.recording.passes);
    this.slider.value = String(this.shown);
    this.count.value = `${this.shown} / ${this.recording.passes}`;
    this.player.classList.toggle("empty", this.recording.passes === 0);
  }

  // write sets the texts. A character whose bytes are spread over several tokens shows once all are
  // there: their texts alone are U+FFFD, and the block's own text has it whole.
  private write(frame: Frame): void {
    frame.cells.forEach((cell, i) => {
      const text = cell.token < 0 ? "" : cell.text;
      if (this.spans[i].textContent !== text) this.spans[i].textContent = text;
    });
    if (!frame.cells.some((cell) => cell.text.includes("\ufffd"))) return;
    for (const event of this.recording.events) {
      if (event.type !== "block" || event.block === frame.active) continue;
      const mine = this.spans.filter((_, i) => frame.cells[i].block === event.block);
      if (mine.length > 0 && mine.every((span) => span.textContent !== "") && mine.map((span) => span.textContent).join("") !== event.text) {
        mine.forEach((span, i) => { span.textContent = i === 0 ? event.text : ""; });
      }
    }
  }

  private cellOf(target: EventTarget | null): [Cell, number] | undefined {
    const index = target instanceof HTMLElement ? Number(target.dataset.index ?? NaN) : NaN;
    return Number.isInteger(index) && this.cells[index] ? [this.cells[index], index] : undefined;
  }

  private choose(target: EventTarget | null, extend: boolean): void {
    const found = this.cellOf(target);
    if (found) this.dispatchEvent(new CustomEvent("token", { detail: { index: found[1], cell: found[0], extend } }));
  }

  private key(event: KeyboardEvent): void {
    const found = this.cellOf(event.target);
    if (!found) return;
    const to = { ArrowRight: found[1] + 1, ArrowLeft: found[1] - 1 }[event.key];
    if (to !== undefined) {
      this.spans[to]?.focus();
      event.preventDefault();
    } else if (event.key === "Enter" || event.key === " ") {
      this.choose(event.target, event.shiftKey);
      event.preventDefault();
    }
  }

  // hover shows what is known of a token, and its alternatives where there is somebody to ask.
  private hover(target: EventTarget | null): void {
    const found = this.cellOf(target);
    if (!found || !(target instanceof HTMLElement)) return;
    const [cell] = found;
    const lines = cell.token < 0 ? ["masked"] : cell.given ? ["given"] : [
      `${(100 * cell.prob).toFixed(cell.prob < 0.1 ? 1 : 0)} % · entropy ${cell.entropy.toFixed(2)} nats · pass ${cell.pass}, block ${cell.block + 1}`,
    ];
    this.tip.replaceChildren(...lines.map((line) => Object.assign(document.createElement("div"), { textContent: line })));
    this.tip.hidden = false;
    const box = target.getBoundingClientRect();
    const own = this.getBoundingClientRect();
    this.tip.style.left = `${Math.max(0, Math.min(box.left - own.left, own.width - 230))}px`;
    this.tip.style.top = `${box.bottom - own.top + 4}px`;
    if (!this.alternatives) return;
    const asked = cell;
    void this.alternatives(cell, this.drawn).then((list) => {
      if (this.tip.hidden || this.cellOf(target)?.[0] !== asked) return;
      this.tip.append(...list.map((a) => {
        const row = document.createElement("div");
        row.className = a.token === cell.token ? "row own" : "row";
        row.style.setProperty("--share", a.prob.toFixed(4));
        row.append(Object.assign(document.createElement("code"), { textContent: JSON.stringify(a.text).slice(1, -1) }), ` ${(100 * a.prob).toFixed(1)} %`);
        return row;
      }));
    }).catch(() => {});
  }
}

// define registers the element; more than once does no harm.
export function define(): void {
  if (!customElements.get("unmask-view")) customElements.define("unmask-view", UnmaskView);
}
