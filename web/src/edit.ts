// Editing what was written: words are clicked on, and the model fills in what is masked, given what
// stands in its block and before. Blocks behind are seen anew by none but keep their words.
import type { Cell } from "../package/src/recording";
import type { UnmaskView } from "../package/src/view";
import { element } from "./options";

type Mode = "mask" | "pin" | "from";

export class Editor {
  private readonly chosen = new Set<number>();
  private anchor = 0; // the word clicked on before, from which a range extends

  constructor(private readonly view: UnmaskView, private readonly fill: (tokens: (number | null)[]) => void) {
    view.addEventListener("token", (event) => {
      const { index, extend } = (event as CustomEvent<{ index: number; cell: Cell; extend: boolean }>).detail;
      this.choose(index, extend);
    });
    element("fill").addEventListener("click", () => {
      const tokens = this.tokens();
      this.clear();
      this.fill(tokens);
    });
    element("unmark").addEventListener("click", () => this.clear());
    element("edit-mode").addEventListener("change", () => this.clear());
  }

  clear(): void {
    this.chosen.clear();
    this.draw();
  }

  private get mode(): Mode { return element<HTMLSelectElement>("edit-mode").value as Mode; }

  // choose takes a word or gives it back; with extend, all from the one before to it.
  private choose(index: number, extend: boolean): void {
    if (!this.view.frame().done) return;
    if (this.mode === "from") this.chosen.clear();
    if (extend) {
      for (let i = Math.min(index, this.anchor); i <= Math.max(index, this.anchor); i++) this.chosen.add(i);
    } else if (this.chosen.has(index)) {
      this.chosen.delete(index);
    } else {
      this.chosen.add(index);
    }
    this.anchor = index;
    this.draw();
  }

  // masked tells whether a cell is to be written anew.
  private masked(cell: Cell, index: number): boolean {
    switch (this.mode) {
      case "mask": return this.chosen.has(index);
      case "from": return this.chosen.size > 0 && index >= Math.min(...this.chosen);
      case "pin": {
        const cells = this.view.frame().cells;
        return !this.chosen.has(index) && [...this.chosen].some((i) => cells[i]?.block === cell.block);
      }
    }
  }

  private tokens(): (number | null)[] {
    return this.view.frame().cells.map((cell, i) => (this.masked(cell, i) ? null : cell.token));
  }

  private draw(): void {
    const masked = this.view.frame().cells.flatMap((cell, i) => (this.masked(cell, i) ? [i] : []));
    this.view.mark(masked);
    element("edit").hidden = this.chosen.size === 0;
    element("marked").textContent = `${masked.length} of ${this.view.frame().cells.length} tokens will be written anew. Shift + click takes all between.`;
  }
}
