// The options of the page, from its controls and from the query string, and back into a link.
import type { GenerateOptions } from "../package/src/model";

export function element<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no element "${id}"`);
  return found as T;
}

export interface Preset { engine: "auto" | "gpu" | "cpu"; model: string; run: boolean }

const shared = ["prompt", "seed", "max", "policy", "temperature", "top_p"];

// applyQuery presets the controls: prompt, seed, max, policy, temperature, top_p, engine=auto|gpu|cpu,
// model (a folder under models/, or an address) and run=1.
export function applyQuery(query: URLSearchParams): Preset {
  for (const id of shared) {
    const value = query.get(id);
    if (value === null) continue;
    const control = element<HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement>(id);
    if (control instanceof HTMLSelectElement && ![...control.options].some((option) => option.value === value)) {
      control.add(new Option(value, value));
    }
    control.value = value;
  }
  const engine = query.get("engine");
  return { engine: engine === "gpu" || engine === "cpu" ? engine : "auto", model: query.get("model") ?? "starter", run: query.get("run") === "1" };
}

// linkOf is an address that writes the same text.
export function linkOf(model: string): string {
  const query = new URLSearchParams();
  for (const id of shared) {
    const value = element<HTMLInputElement>(id).value;
    if (value !== "") query.set(id, value);
  }
  if (model !== "starter") query.set("model", model);
  query.set("run", "1");
  return `${location.origin}${location.pathname}?${query.toString()}`;
}

// readOptions reads the controls; a control left empty takes the model's default.
export function readOptions(): GenerateOptions {
  const text = (id: string): string => element<HTMLInputElement>(id).value.trim();
  const number = (id: string): number | undefined => (text(id) === "" ? undefined : Number(text(id)));
  return {
    prompt: element<HTMLTextAreaElement>("prompt").value,
    seed: number("seed") ?? 0,
    maxTokens: number("max"),
    policy: text("policy"),
    temperature: number("temperature"),
    topP: number("top_p"),
  };
}

// urlOf is the address of a model by the name that the page knows it by.
export function urlOf(name: string): string {
  if (/^[a-z]+:/.test(name)) return name;
  return new URL(name.includes("/") ? name : `models/${encodeURIComponent(name)}`, document.baseURI).href;
}
