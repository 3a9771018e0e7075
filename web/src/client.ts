// The page's side of the protocol: one worker, requests out, events in.
import type { Event, Request } from "./protocol";

export class Client {
  private readonly worker = new Worker("worker.js");

  constructor(onEvent: (event: Event) => void) {
    this.worker.onmessage = (message: MessageEvent<string>) => {
      if (message.data !== "started") onEvent(JSON.parse(message.data) as Event);
    };
    this.worker.onerror = (event) => {
      onEvent({ type: "error", code: "failed", message: event.message || "the worker could not be started" });
    };
  }

  send(request: Request): void {
    this.worker.postMessage(JSON.stringify(request));
  }
}
