// The options of the page, from its controls and from the query string.
import type { Generate } from "./protocol";

export function element<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no element "${id}"`);
  return found as T;
}

export interface Preset { engine: string; model: string; run: boolean }

// applyQuery presets the controls: prompt, seed, max, policy, temperature, top_p, engine=auto|gpu|cpu,
// model (a folder under models/) and run=1.
export function applyQuery(query: URLSearchParams): Preset {
  for (const id of ["prompt", "seed", "max", "policy", "temperature", "top_p"]) {
    const value = query.get(id);
    if (value === null) continue;
    const control = element<HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement>(id);
    if (control instanceof HTMLSelectElement && ![...control.options].some((option) => option.value === value)) {
      control.add(new Option(value, value));
    }
    control.value = value;
  }
  return { engine: query.get("engine") ?? "auto", model: query.get("model") ?? "starter", run: query.get("run") === "1" };
}

// readRequest reads the controls; a control left empty takes the model's default.
export function readRequest(): Generate {
  const text = (id: string): string => element<HTMLInputElement>(id).value.trim();
  const number = (id: string): number | undefined => (text(id) === "" ? undefined : Number(text(id)));
  return {
    type: "generate",
    prompt: element<HTMLTextAreaElement>("prompt").value,
    seed: number("seed") ?? 0,
    max_tokens: number("max"),
    policy: text("policy"),
    temperature: number("temperature"),
    top_p: number("top_p"),
  };
}
