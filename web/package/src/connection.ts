// A worker with the runtime in it: requests go out one at a time, events come back until the last.
import { AbortedError, errorOf, NetworkError } from "./errors";
import type { Event, Request } from "./protocol";

const last = new Set<Event["type"]>(["ready", "done", "answer", "error"]);

interface Waiting {
  request: Request;
  onEvent: (event: Event) => void;
  resolve: (event: Event) => void;
  reject: (reason: unknown) => void;
  signal?: AbortSignal;
}

export class Connection {
  private readonly queue: Waiting[] = [];
  private running: Waiting | undefined;
  private closed = false;

  constructor(private readonly worker: Worker) {
    worker.onmessage = (message: MessageEvent<string>) => {
      if (message.data !== "started") this.receive(JSON.parse(message.data) as Event);
    };
    worker.onerror = (event) => this.fail(new NetworkError(event.message || "the worker could not be started"));
  }

  // ask sends a request, tells of its events, and resolves with the last of them. An aborted generation
  // ends with "done" as a stopped one does; anything else that is aborted rejects.
  ask(request: Request, onEvent: (event: Event) => void = () => {}, signal?: AbortSignal): Promise<Event> {
    if (this.closed) return Promise.reject(new AbortedError("the model was closed"));
    if (signal?.aborted) return Promise.reject(new AbortedError());
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { request, onEvent, resolve, reject, signal };
      signal?.addEventListener("abort", () => this.abort(waiting), { once: true });
      this.queue.push(waiting);
      this.next();
    });
  }

  close(): void {
    this.worker.terminate();
    this.fail(new AbortedError("the model was closed"));
    this.closed = true;
  }

  private next(): void {
    if (this.running || this.queue.length === 0) return;
    this.running = this.queue.shift();
    if (this.running) this.worker.postMessage(JSON.stringify(this.running.request));
  }

  private abort(waiting: Waiting): void {
    const at = this.queue.indexOf(waiting);
    if (at >= 0) {
      this.queue.splice(at, 1);
      waiting.reject(new AbortedError());
    } else if (this.running === waiting) {
      this.worker.postMessage(JSON.stringify({ type: "stop" }));
    }
  }

  private receive(event: Event): void {
    const running = this.running;
    if (!running) return;
    running.onEvent(event);
    if (!last.has(event.type)) return;
    this.running = undefined;
    if (event.type === "error") {
      running.reject(running.signal?.aborted ? new AbortedError() : errorOf(event.code, event.message));
    } else {
      running.resolve(event);
    }
    this.next();
  }

  private fail(reason: unknown): void {
    const all = this.running ? [this.running, ...this.queue] : [...this.queue];
    this.running = undefined;
    this.queue.length = 0;
    for (const waiting of all) waiting.reject(reason);
  }
}
