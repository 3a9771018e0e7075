// The denoising view: each block's masks turn into tokens as they are revealed.
import type { Block, Canvas, Done, Reveal } from "./protocol";

export class View {
  private spans: HTMLSpanElement[] = []; // of the open block
  private given = 0; // rows of it that the prompt fills

  constructor(private readonly output: HTMLElement) {}

  clear(): void {
    this.output.replaceChildren();
    this.spans = [];
  }

  canvas(event: Canvas): void {
    this.given = event.tokens.filter((token) => token >= 0).length;
    this.spans = event.tokens.map((token) => {
      const span = document.createElement("span");
      span.className = token < 0 ? "mask" : "given";
      return span;
    });
    this.output.append(...this.spans.slice(this.given));
  }

  reveal(event: Reveal): void {
    const span = this.spans[event.row];
    if (!span) return;
    span.className = "token";
    span.textContent = event.text;
    span.style.setProperty("--doubt", String(1 - event.prob));
    span.title = `${(100 * event.prob).toFixed(0)} % · pass ${event.step + 1} of block ${event.block + 1}`;
  }

  // block drops what does not count, past the length asked for or the end of the text, and shows
  // characters whole that are spread over several tokens.
  block(event: Block): void {
    const kept = this.spans.slice(this.given, this.given + event.tokens.length);
    for (const span of this.spans.slice(this.given + event.tokens.length)) span.remove();
    const shown = kept.map((span) => span.textContent).join("");
    if (shown !== event.text && kept[0]) {
      kept[0].textContent = event.text;
      for (const span of kept.slice(1)) span.remove();
    }
    for (const span of kept) span.classList.add("settled");
  }

  done(event: Done): void {
    for (const mask of this.output.querySelectorAll(".mask")) mask.remove();
    if (this.output.textContent !== event.text) this.output.textContent = event.text;
  }
}
