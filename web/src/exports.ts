// Exports of the text that is shown, as downloads.
import { toAPNG, toHTML, toJSON } from "../package/src/export";
import type { UnmaskView } from "../package/src/view";

export async function exportAs(kind: string, view: UnmaskView, text: string): Promise<void> {
  const recording = view.record();
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  switch (kind) {
    case "json": return save("unmask.json", toJSON(recording));
    case "txt": return save("unmask.txt", new Blob([recording.prompt + text], { type: "text/plain" }));
    case "png": return save("unmask.png", await toAPNG(recording, { colour: view.colour, dark }));
    case "html": {
      const script = await (await fetch("view.js")).text();
      return save("unmask.html", toHTML(recording, script, view.colour));
    }
  }
}

function save(name: string, data: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(data);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
