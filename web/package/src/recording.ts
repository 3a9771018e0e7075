// A recording of a text being unmasked, and its state after any pass. Every view and export draws frames.
import type { Block, Canvas, Done, Reveal } from "./protocol";

export interface Cell {
  block: number;
  row: number;
  token: number; // -1 for a mask
  text: string;
  given: boolean; // pinned, not written
  prob: number;
  entropy: number; // nats
  pass: number; // of the whole text, from 1; 0 where given
  order: number; // of the reveal in its block, from 0
}

export interface Frame {
  pass: number;
  cells: Cell[]; // of all blocks opened so far, behind the prompt
  active: number; // the open block; those before are committed to the cache
  done: boolean;
}

// Recorded is what JSON exports hold.
export interface Recorded {
  format: "unmask-recording";
  version: 1;
  prompt: string;
  events: (Canvas | Reveal | Block | Done)[];
}

export class Recording {
  readonly events: Recorded["events"] = [];
  passes = 0;
  private at: { block: number; step: number } = { block: -1, step: -1 };
  private readonly numbers: number[] = []; // of each event, the pass it belongs to

  constructor(readonly prompt = "") {}

  // from reads a JSON export.
  static from(data: Recorded): Recording {
    if (data.format !== "unmask-recording" || data.version !== 1 || !Array.isArray(data.events)) throw new Error("no recording of Unmask");
    const recording = new Recording(data.prompt);
    for (const event of data.events) recording.push(event);
    return recording;
  }

  push(event: Canvas | Reveal | Block | Done): void {
    if (event.type === "reveal" && (event.block !== this.at.block || event.step !== this.at.step)) {
      this.passes++;
      this.at = { block: event.block, step: event.step };
    }
    this.events.push(event);
    this.numbers.push(this.passes);
  }

  toJSON(): Recorded {
    return { format: "unmask-recording", version: 1, prompt: this.prompt, events: this.events };
  }

  // frame is the state after a pass: 0 is before the first. The block that opens next is part of it.
  frame(pass: number): Frame {
    const blocks: Cell[][] = [];
    let active = -1;
    let done = false;
    let order = 0;
    for (let i = 0; i < this.events.length && this.numbers[i] <= pass; i++) {
      const event = this.events[i];
      if (event.type === "canvas") {
        active = event.block;
        order = 0;
        blocks[active] = event.tokens.map((token, row) => ({
          block: active, row, token, text: event.texts[row], given: token >= 0, prob: 1, entropy: 0, pass: 0, order: -1,
        })).slice(event.given);
      } else if (event.type === "reveal") {
        const cell = blocks[event.block]?.find((c) => c.row === event.row);
        if (cell) Object.assign(cell, { token: event.token, text: event.text, prob: event.prob, entropy: event.entropy, pass: this.numbers[i], order: order++ });
      } else if (event.type === "block") {
        blocks[event.block] = (blocks[event.block] ?? []).slice(0, event.tokens.length);
      } else {
        done = true;
        active = -1;
      }
    }
    return { pass, cells: blocks.flat(), active, done };
  }
}
