// What the colour of a token tells: how sure the model was, when it was written, how open the choice was.
import type { Cell } from "./recording";

export type Colouring = "confidence" | "order" | "entropy" | "none";

// strength is 0 for what draws no attention and 1 for what does: doubt, lateness in its block, openness.
export function strength(cell: Cell, by: Colouring, rows: number): number {
  if (cell.token < 0 || cell.given) return 0;
  switch (by) {
    case "confidence": return 1 - cell.prob;
    case "order": return rows > 1 ? cell.order / (rows - 1) : 0;
    case "entropy": return Math.min(1, cell.entropy / 6);
    default: return 0;
  }
}

// Hues of the three, in degrees.
export const hue: Record<Colouring, number> = { confidence: 28, order: 205, entropy: 285, none: 0 };
