// A loaded model: generate, infill, score, and what else could stand somewhere.
import { Connection } from "./connection";
import { AbortedError, RequestError } from "./errors";
import type { Alternative, Block, Canvas, Done, Event, Ready, Recovered, Reveal, ScoreResult } from "./protocol";

export type GenerateEvent = Canvas | Reveal | Block | Recovered | Done;

export interface Progress { done: number; total: number; bytesPerSecond: number; secondsLeft: number }

export interface LoadOptions {
  engine?: "auto" | "gpu" | "cpu";
  onProgress?: (progress: Progress) => void;
  signal?: AbortSignal;
  worker?: Worker; // instead of the package's own
}

export interface GenerateOptions {
  prompt?: string;
  maxTokens?: number;
  policy?: string;
  seed?: number;
  temperature?: number;
  topP?: number;
  topK?: number;
  entropyStop?: number;
  signal?: AbortSignal;
}

export interface InfillOptions extends GenerateOptions {
  // Tokens behind the prompt; null for each to fill in. Text behind a filled block is seen by later ones alone.
  tokens: (number | null)[];
}

export interface Score extends ScoreResult { texts: string[]; token_ids: number[]; bits_per_byte: number }

export class Unmask {
  private constructor(private readonly connection: Connection, readonly info: Ready) {}

  // load starts a worker and opens the pack at url in it.
  static async load(url: string, options: LoadOptions = {}): Promise<Unmask> {
    if (options.signal?.aborted) throw new AbortedError();
    const connection = new Connection(options.worker ?? new Worker(new URL("./worker.js", import.meta.url)));
    const began = performance.now();
    const onEvent = (event: Event): void => {
      if (event.type !== "progress" || !options.onProgress) return;
      const bytesPerSecond = event.done / Math.max(1e-3, (performance.now() - began) / 1000);
      options.onProgress({ done: event.done, total: event.total, bytesPerSecond, secondsLeft: (event.total - event.done) / Math.max(1, bytesPerSecond) });
    };
    try {
      const absolute = /^[a-z]+:/.test(url) ? url : new URL(url, document.baseURI).href;
      const ready = await connection.ask({ type: "load", url: absolute, engine: options.engine ?? "auto" }, onEvent, options.signal);
      if (ready.type !== "ready") throw new RequestError(`load was answered by ${ready.type}`);
      return new Unmask(connection, ready);
    } catch (reason) {
      connection.close();
      throw reason;
    }
  }

  // generate yields events as they happen, "done" last. Leaving the loop, or the signal, stops it.
  generate(options: GenerateOptions = {}): AsyncGenerator<GenerateEvent, void, void> {
    return this.events(options);
  }

  // infill writes the tokens that are null, and goes on to maxTokens.
  infill(options: InfillOptions): AsyncGenerator<GenerateEvent, void, void> {
    return this.events(options, options.tokens.map((token) => token ?? -1));
  }

  private async *events(o: GenerateOptions, canvas?: number[]): AsyncGenerator<GenerateEvent, void, void> {
    const arrived: GenerateEvent[] = [];
    let wake = (): void => {};
    let ended = false;
    let failure: unknown;
    const stop = new AbortController();
    const follow = (): void => stop.abort();
    if (o.signal?.aborted) throw new AbortedError();
    o.signal?.addEventListener("abort", follow, { once: true });
    this.connection.ask({
      type: "generate", prompt: o.prompt ?? "", seed: o.seed ?? 0, max_tokens: o.maxTokens, policy: o.policy,
      temperature: o.temperature, top_p: o.topP, top_k: o.topK, entropy_stop: o.entropyStop, canvas,
    }, (event) => {
      if (event.type !== "error") arrived.push(event as GenerateEvent);
      wake();
    }, stop.signal).catch((reason: unknown) => { failure = reason; }).finally(() => { ended = true; wake(); });
    try {
      for (;;) {
        const event = arrived.shift();
        if (event) {
          yield event;
          continue;
        }
        if (failure) throw failure;
        if (ended) return;
        await new Promise<void>((resolve) => { wake = resolve; });
      }
    } finally {
      o.signal?.removeEventListener("abort", follow);
      if (!ended) stop.abort();
    }
  }

  // score bounds the negative log-likelihood of a text, token by token: exactly where blocks are small.
  async score(text: string, options: { signal?: AbortSignal } = {}): Promise<Score> {
    const answer = await this.connection.ask({ type: "score", text }, undefined, options.signal);
    if (answer.type !== "answer" || !answer.score) throw new RequestError("no score was answered");
    const bytes = new TextEncoder().encode(text).length;
    return { ...answer.score, texts: answer.texts ?? [], token_ids: answer.tokens ?? [], bits_per_byte: answer.score.nelbo / Math.LN2 / Math.max(1, bytes) };
  }

  // alternatives lists the most probable tokens at a position of the tokens behind the prompt.
  async alternatives(q: { prompt: string; tokens: (number | null)[]; at: number; count?: number; signal?: AbortSignal }): Promise<Alternative[]> {
    if (q.at < 0 || q.at >= q.tokens.length) throw new RequestError(`at is ${q.at}, expected 0 to ${q.tokens.length - 1}`);
    const tokens = q.tokens.map((token) => token ?? -1);
    const answer = await this.connection.ask({ type: "alternatives", prompt: q.prompt, tokens, at: q.at, count: q.count ?? 5 }, undefined, q.signal);
    return answer.type === "answer" ? answer.alternatives ?? [] : [];
  }

  // tokenize returns a text's tokens, and how many bytes the runtime holds.
  async tokenize(text: string): Promise<{ tokens: number[]; texts: string[]; memory: number }> {
    const answer = await this.connection.ask({ type: "tokenize", text });
    if (answer.type !== "answer") throw new RequestError("no tokens were answered");
    return { tokens: answer.tokens ?? [], texts: answer.texts ?? [], memory: answer.memory ?? 0 };
  }

  close(): void { this.connection.close(); }
}
