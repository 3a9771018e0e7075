// The models that this browser keeps: what there is, adding from addresses and files, deleting.
import { megabytes } from "../package/src/bytes";
import { add, list, localPrefix, remove, space } from "../package/src/library";
import { element, urlOf } from "./options";

export class Library {
  private readonly dialog = element<HTMLDialogElement>("models");
  private readonly status = element("models-status");

  constructor(private readonly load: (name: string, url: string) => Promise<void>) {
    element("by-url").addEventListener("submit", (event) => {
      event.preventDefault();
      const name = element<HTMLInputElement>("url").value.trim();
      void this.use(name, urlOf(name));
    });
    element<HTMLInputElement>("files").addEventListener("change", (event) => {
      const input = event.target as HTMLInputElement;
      void this.import([...(input.files ?? [])]);
    });
    const drop = element("drop");
    for (const target of [drop, document.body]) {
      target.addEventListener("dragover", (event) => event.preventDefault());
      target.addEventListener("drop", (event) => {
        event.preventDefault();
        event.stopPropagation();
        if (event.dataTransfer) void dropped(event.dataTransfer).then((files) => this.import(files));
      });
    }
  }

  async open(): Promise<void> {
    await this.draw();
    this.dialog.showModal();
  }

  private async import(files: File[]): Promise<void> {
    if (files.length === 0) return;
    if (!this.dialog.open) this.dialog.showModal();
    this.status.textContent = `reading ${files.length} files`;
    try {
      const zip = files.find((file) => file.name.endsWith(".zip"));
      const folder = files[0].webkitRelativePath.split("/")[0] || (files[0] as File & { folder?: string }).folder;
      const name = zip ? zip.name.replace(/\.zip$/, "") : folder || `model ${new Date().toISOString().slice(0, 16)}`;
      await this.use(name, await add(name, files));
    } catch (reason) {
      this.status.textContent = reason instanceof Error ? reason.message : String(reason);
    }
  }

  private async use(name: string, url: string): Promise<void> {
    this.status.textContent = `loading ${name}`;
    try {
      await this.load(name, url);
      this.status.textContent = "";
      this.dialog.close();
    } catch (reason) {
      this.status.textContent = reason instanceof Error ? reason.message : String(reason);
    }
    await this.draw();
  }

  private async draw(): Promise<void> {
    const kept = await list().catch(() => []);
    const starter = urlOf("starter");
    const rows = [this.row("starter", "built in, kept with the page", () => this.use("starter", starter))];
    for (const model of kept) {
      const name = model.url.startsWith(localPrefix) ? model.url.slice(localPrefix.length) : model.url;
      const state = model.complete ? `${megabytes(model.bytes)}, verified whenever it is opened` : `${megabytes(model.stored)} of ${megabytes(model.bytes)}: opening it fetches the rest`;
      rows.push(this.row(name, state, () => this.use(name, model.url), async () => {
        await remove(model.url);
        await this.draw();
      }));
    }
    element("kept").replaceChildren(...rows);
    const { used, quota } = await space().catch(() => ({ used: 0, quota: 0 }));
    element("space").textContent = quota > 0 ? `${megabytes(used)} stored of ${megabytes(quota)} that the browser gives this page.` : "";
  }

  private row(name: string, state: string, use: () => void, remove?: () => void): HTMLLIElement {
    const row = document.createElement("li");
    const text = Object.assign(document.createElement("div"), { className: "what" });
    text.append(Object.assign(document.createElement("strong"), { textContent: name }), Object.assign(document.createElement("small"), { textContent: state }));
    const act = (label: string, run: () => void): HTMLButtonElement => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: label });
      button.addEventListener("click", run);
      return button;
    };
    row.append(text, act("Use", use));
    if (remove) row.append(act("Delete", remove));
    return row;
  }
}

// dropped lists the files of a drop, those inside folders too.
async function dropped(data: DataTransfer): Promise<File[]> {
  const out: File[] = [];
  const walk = async (entry: FileSystemEntry, folder: string): Promise<void> => {
    if (entry.isFile) {
      const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
      out.push(Object.assign(file, { folder }));
      return;
    }
    const reader = (entry as FileSystemDirectoryEntry).createReader();
    for (;;) {
      const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
      if (some.length === 0) return;
      for (const inner of some) await walk(inner, entry.name);
    }
  };
  const entries = [...data.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  for (const entry of entries) await walk(entry, "");
  return out;
}
