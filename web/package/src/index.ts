// Unmask: block-diffusion language models in the browser.
export { Unmask } from "./model";
export type { GenerateEvent, GenerateOptions, InfillOptions, LoadOptions, Progress, Score } from "./model";
export { OpenAI } from "./openai";
export type { ChatChunk, ChatCompletion, ChatRequest, Completion, CompletionRequest, Message } from "./openai";
export * from "./errors";
export * as library from "./library";
export { Recording } from "./recording";
export type { Cell, Frame, Recorded } from "./recording";
export { define, UnmaskView } from "./view";
export { toAPNG, toHTML, toJSON } from "./export";
export type { Colouring } from "./colours";
export type { Alternative, Block, Canvas, Done, Ready, Recovered, Reveal, ScoreResult } from "./protocol";
