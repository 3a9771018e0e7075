// Wire types between page and worker: the twin of runtime/protocol. A Go test compares the two field
// by field.

export interface Load { type: "load"; url: string; engine: string }
export interface Generate {
  type: "generate"; prompt: string; max_tokens?: number; policy?: string; seed: number;
  temperature?: number; top_p?: number; top_k?: number; entropy_stop?: number; canvas?: number[];
}
export interface Alternatives { type: "alternatives"; prompt: string; tokens: number[]; at: number; count: number }
export interface Tokenize { type: "tokenize"; text: string }
export interface Logits { type: "logits"; context: number[]; canvas: number[] }
export interface Score { type: "score"; tokens?: number[]; text?: string }
export interface Stop { type: "stop" }

export interface Progress { type: "progress"; done: number; total: number }
export interface Ready {
  type: "ready"; engine: string; adapter: string; reason: string; block_size: number; params: number; bytes: number;
  window: number; license: string;
}
export interface Canvas { type: "canvas"; block: number; given: number; tokens: number[]; texts: string[] }
export interface Reveal {
  type: "reveal"; block: number; step: number; row: number; token: number; text: string; prob: number; entropy: number;
}
export interface Block { type: "block"; block: number; tokens: number[]; text: string }
export interface Done { type: "done"; tokens: number[]; text: string; passes: number; seconds: number; reason: string }
export interface ScoreResult {
  nelbo: number; tokens: number; ppl: number; per_token: number[]; exact: boolean; std_err?: number;
}
export interface LogitsResult { logits: number[][] }
export interface Alternative { token: number; text: string; prob: number }
export interface Answer {
  type: "answer"; logits?: LogitsResult; score?: ScoreResult; tokens?: number[]; texts?: string[];
  alternatives?: Alternative[]; memory?: number;
}
export interface Recovered { type: "recovered"; message: string }
export interface Error { type: "error"; code: string; message: string }

export type Request = Load | Generate | Logits | Score | Alternatives | Tokenize | Stop;
export type Event = Progress | Ready | Canvas | Reveal | Block | Done | Answer | Recovered | Error;
