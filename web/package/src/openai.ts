// The shape of OpenAI's completions and chat completions over a loaded model, for code that speaks it.
// A base model has no turns: chat messages are joined as text.
import { RequestError } from "./errors";
import type { GenerateOptions, Unmask } from "./model";

export interface CompletionRequest {
  model?: string;
  prompt?: string | string[];
  max_tokens?: number;
  temperature?: number;
  top_p?: number;
  seed?: number;
  n?: number;
  stop?: string | string[];
  stream?: boolean;
  policy?: string; // beyond OpenAI's
  signal?: AbortSignal;
}

export interface Message { role: "system" | "user" | "assistant"; content: string }
export interface ChatRequest extends Omit<CompletionRequest, "prompt"> { messages: Message[]; max_completion_tokens?: number }

interface Usage { prompt_tokens: number; completion_tokens: number; total_tokens: number }
type Reason = "stop" | "length" | null;
export interface Completion {
  id: string; object: "text_completion"; created: number; model: string;
  choices: { index: number; text: string; logprobs: null; finish_reason: Reason }[]; usage?: Usage;
}
export interface ChatCompletion {
  id: string; object: "chat.completion"; created: number; model: string;
  choices: { index: number; message: Message; finish_reason: Reason }[]; usage: Usage;
}
export interface ChatChunk {
  id: string; object: "chat.completion.chunk"; created: number; model: string;
  choices: { index: number; delta: Partial<Message>; finish_reason: Reason }[];
}

interface Piece { text: string; reason: Reason; tokens: number }

export class OpenAI {
  constructor(private readonly model: Unmask, private readonly name = "unmask") {}

  readonly completions = { create: this.complete.bind(this) as CreateCompletion };
  readonly chat = { completions: { create: this.converse.bind(this) as CreateChat } };

  private async complete(q: CompletionRequest): Promise<Completion | AsyncIterable<Completion>> {
    const prompt = Array.isArray(q.prompt) ? single(q.prompt) : q.prompt ?? "";
    const base = { id: id("cmpl"), object: "text_completion" as const, created: now(), model: q.model ?? this.name };
    const wrap = (piece: Piece): Completion => ({ ...base, choices: [{ index: 0, text: piece.text, logprobs: null, finish_reason: piece.reason }] });
    const pieces = this.pieces(prompt, q);
    if (q.stream) return map(pieces, wrap);
    const { all, usage } = await this.collect(prompt, pieces);
    return { ...wrap(all), usage };
  }

  private async converse(q: ChatRequest): Promise<ChatCompletion | AsyncIterable<ChatChunk>> {
    if (!Array.isArray(q.messages) || q.messages.length === 0) throw new RequestError("messages is empty, expected at least one");
    const prompt = q.messages.map((message) => message.content).join("\n\n");
    const base = { id: id("chatcmpl"), created: now(), model: q.model ?? this.name };
    const pieces = this.pieces(prompt, { ...q, max_tokens: q.max_completion_tokens ?? q.max_tokens });
    if (q.stream) {
      let first = true;
      return map(pieces, (piece): ChatChunk => {
        const delta: Partial<Message> = first ? { role: "assistant", content: piece.text } : piece.text ? { content: piece.text } : {};
        first = false;
        return { ...base, object: "chat.completion.chunk", choices: [{ index: 0, delta, finish_reason: piece.reason }] };
      });
    }
    const { all, usage } = await this.collect(prompt, pieces);
    return { ...base, object: "chat.completion", choices: [{ index: 0, message: { role: "assistant", content: all.text }, finish_reason: all.reason }], usage };
  }

  // pieces yields the text block by block, up to a stop sequence; the last piece has the reason.
  private async *pieces(prompt: string, q: CompletionRequest): AsyncGenerator<Piece> {
    if (q.n !== undefined && q.n !== 1) throw new RequestError(`n is ${q.n}, expected 1: ask again with another seed`);
    const stops = typeof q.stop === "string" ? [q.stop] : q.stop ?? [];
    const options: GenerateOptions = {
      prompt, maxTokens: q.max_tokens, temperature: q.temperature, topP: q.top_p, policy: q.policy, signal: q.signal,
      seed: q.seed ?? Math.floor(Math.random() * 2 ** 32),
    };
    const longest = Math.max(0, ...stops.map((stop) => stop.length - 1));
    let text = "";
    let sent = 0;
    let tokens = 0;
    for await (const event of this.model.generate(options)) {
      if (event.type === "block") {
        text += event.text;
        tokens += event.tokens.length;
        const at = Math.min(...stops.map((stop) => text.indexOf(stop)).filter((i) => i >= 0));
        if (at !== Infinity) {
          yield { text: text.slice(sent, at), reason: "stop", tokens };
          return;
        }
        const safe = Math.max(sent, text.length - longest); // what no stop sequence can begin in
        if (safe > sent) yield { text: text.slice(sent, safe), reason: null, tokens };
        sent = safe;
      } else if (event.type === "done") {
        yield { text: event.text.slice(sent), reason: event.reason === "length" ? "length" : "stop", tokens: event.tokens.length };
      }
    }
  }

  private async collect(prompt: string, pieces: AsyncIterable<Piece>): Promise<{ all: Piece; usage: Usage }> {
    const all: Piece = { text: "", reason: null, tokens: 0 };
    for await (const piece of pieces) {
      all.text += piece.text;
      all.reason = piece.reason;
      all.tokens = piece.tokens;
    }
    const { tokens } = await this.model.tokenize(prompt);
    return { all, usage: { prompt_tokens: tokens.length, completion_tokens: all.tokens, total_tokens: tokens.length + all.tokens } };
  }
}

interface CreateCompletion {
  (q: CompletionRequest & { stream: true }): Promise<AsyncIterable<Completion>>;
  (q: CompletionRequest & { stream?: false }): Promise<Completion>;
}
interface CreateChat {
  (q: ChatRequest & { stream: true }): Promise<AsyncIterable<ChatChunk>>;
  (q: ChatRequest & { stream?: false }): Promise<ChatCompletion>;
}

function single(prompts: string[]): string {
  if (prompts.length !== 1) throw new RequestError(`${prompts.length} prompts, expected one`);
  return prompts[0];
}

async function* map<A, B>(items: AsyncIterable<A>, f: (item: A) => B): AsyncGenerator<B> {
  for await (const item of items) yield f(item);
}

const now = (): number => Math.floor(Date.now() / 1000);
const id = (prefix: string): string => `${prefix}-${crypto.randomUUID()}`;
