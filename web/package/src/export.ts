// Exports of a recording: JSON, an animated PNG, and a page of its own that plays it.
import { apng } from "./apng";
import { hue, strength, type Colouring } from "./colours";
import type { Recording } from "./recording";

export function toJSON(recording: Recording): Blob {
  return new Blob([JSON.stringify(recording)], { type: "application/json" });
}

// toHTML is the player as one file; script is the text of view.js, which a page has beside it.
export function toHTML(recording: Recording, script: string, colour: Colouring): Blob {
  const data = JSON.stringify(recording).replaceAll("<", "\\u003c");
  return new Blob([`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<title>Unmask: a text being unmasked</title>
<style>body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem; font: 1.1rem/1.7 Georgia, serif; }</style></head>
<body><unmask-view colour="${colour}"></unmask-view>
<script type="application/json" id="recording">${data}</script>
<script>${script.replaceAll("</script", "<\\/script")}</script>
<script>
const recording = JSON.parse(document.getElementById("recording").textContent);
const view = document.querySelector("unmask-view");
view.load(recording);
view.start();
</script></body></html>
`], { type: "text/html" });
}

export interface PictureOptions { colour: Colouring; dark?: boolean; width?: number; passesPerSecond?: number; mostFrames?: number }

// toAPNG draws passes, at most mostFrames of them spread evenly, the last for longer.
export async function toAPNG(recording: Recording, o: PictureOptions): Promise<Blob> {
  const width = o.width ?? 640;
  const [margin, size, line] = [24, 18, 28];
  const font = `${size}px Georgia, serif`;
  const [paper, ink, soft, mask] = o.dark ? ["#201f28", "#eceaf2", "#a09dad", "#4a4878"] : ["#fffefb", "#1d1c24", "#6a6875", "#c9c6e8"];
  const measure = new OffscreenCanvas(1, 1).getContext("2d") as OffscreenCanvasRenderingContext2D;
  measure.font = font;
  const lay = (pass: number): { x: number; y: number; w: number; text: string; fill: string; ground: string }[] => {
    const frame = recording.frame(pass);
    const rows = new Map<number, number>();
    for (const cell of frame.cells) rows.set(cell.block, (rows.get(cell.block) ?? 0) + 1);
    const out: ReturnType<typeof lay> = [];
    let [x, y] = [margin, margin + size];
    const place = (text: string, fill: string, ground: string): void => {
      for (const part of text.split(/(\n)/)) {
        if (part === "\n") { x = margin; y += line; continue; }
        if (part === "" && text !== "") continue;
        const w = part === "" ? size * 1.5 : measure.measureText(part).width;
        if (x + w > width - margin && x > margin) { x = margin; y += line; }
        out.push({ x, y, w, text: part, fill, ground });
        x += w + (part === "" ? 3 : 0);
      }
    };
    for (const word of recording.prompt.split(/(?<=\s)/)) place(word || " ", soft, "");
    for (const cell of frame.cells) {
      const s = strength(cell, o.colour, rows.get(cell.block) ?? 1);
      if (cell.token < 0) place("", ink, mask);
      else place(cell.text, ink, s > 0.02 ? `hsl(${hue[o.colour]} 90% 55% / ${(s / 2).toFixed(2)})` : "");
    }
    return out;
  };
  const every = Math.max(1, Math.ceil(recording.passes / (o.mostFrames ?? 200)));
  const passes: number[] = [];
  for (let pass = 0; pass < recording.passes; pass += every) passes.push(pass);
  passes.push(recording.passes);
  const height = Math.ceil(Math.max(...passes.map((pass) => Math.max(margin, ...lay(pass).map((item) => item.y)))) + margin);
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true }) as OffscreenCanvasRenderingContext2D;
  const frames: { pixels: Uint8ClampedArray; milliseconds: number }[] = [];
  for (const pass of passes) {
    context.fillStyle = paper;
    context.fillRect(0, 0, width, height);
    context.font = font;
    for (const item of lay(pass)) {
      if (item.ground) {
        context.fillStyle = item.ground;
        context.fillRect(item.x, item.y - size, item.w, size * 1.3);
      }
      context.fillStyle = item.fill;
      context.fillText(item.text, item.x, item.y);
    }
    frames.push({ pixels: context.getImageData(0, 0, width, height).data, milliseconds: pass === recording.passes ? 2500 : 1000 / (o.passesPerSecond ?? 8) });
    if (frames.length % 8 === 0) await new Promise((resolve) => setTimeout(resolve)); // lets the page breathe
  }
  return apng(width, height, frames);
}
