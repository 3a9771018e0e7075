// Where packs come from, inside the worker: files are fetched several at a time, hashed before they are
// trusted, and kept in the origin's private file system, so that a cut download goes on where it ended
// and a pack is there without a network. Packs that the page itself brings are its service worker's.
import { hex, megabytes } from "./bytes";
import { folderOf, localPrefix, metaFile, type Meta } from "./library";

interface Expected { size: number; sha256: string }

const parallel = 4;
const attempts = 4; // of a file whose connection breaks
const partSuffix = ".part";

// Failures carry a code for the runtime to pass on.
const failure = (code: string, message: string): Error => Object.assign(new Error(message), { code });

// Opened is one pack being read.
export class Opened {
  private expected: Record<string, Expected> = {};
  private readonly jobs = new Map<string, Promise<Uint8Array>>();
  private readonly arrived = new Map<string, number>();
  private folder: FileSystemDirectoryHandle | undefined;
  private total = 0;

  constructor(private readonly base: string, private readonly report: (done: number, total: number) => void, private readonly signal: AbortSignal) {}

  // read returns a file of the pack. unmask.json comes first: it lists the others, which are then on
  // their way.
  async read(name: string): Promise<Uint8Array> {
    if (name === "unmask.json") return this.manifest();
    let job = this.jobs.get(name);
    if (!job) {
      job = this.file(name, this.expected[name]);
      this.jobs.set(name, job);
    }
    return job;
  }

  private async manifest(): Promise<Uint8Array> {
    this.folder = await this.openFolder();
    const data = await this.fetchManifest();
    let files: Record<string, Expected>;
    try {
      files = (JSON.parse(new TextDecoder().decode(data)) as { files: Record<string, Expected> }).files;
      this.total = Object.values(files).reduce((sum, file) => sum + file.size, 0);
    } catch {
      return data; // the runtime says what is wrong with it
    }
    this.expected = files;
    await this.refuseWhatDoesNotFit(data.length);
    await this.remember(data);
    void this.prefetch(Object.keys(files));
    return data;
  }

  private async fetchManifest(): Promise<Uint8Array> {
    const url = `${this.base}/unmask.json`;
    if (!this.base.startsWith(localPrefix)) {
      try {
        const response = await fetch(url, { signal: this.signal, cache: "no-cache" });
        if (response.ok) return new Uint8Array(await response.arrayBuffer());
        throw failure("network", `${url}: the server answered ${response.status} ${response.statusText}`);
      } catch (reason) {
        const kept = await this.stored("unmask.json");
        if (kept && !this.signal.aborted) return kept;
        throw reason instanceof TypeError ? failure("network", `${url}: ${reason.message}`) : reason;
      }
    }
    const kept = await this.stored("unmask.json");
    if (!kept) throw failure("integrity", `${this.base}: no unmask.json in it`);
    return kept;
  }

  private async openFolder(): Promise<FileSystemDirectoryHandle | undefined> {
    if (this.isOwn()) return undefined;
    try {
      return await folderOf(this.base, true);
    } catch {
      return undefined; // private windows may have no file system: nothing is kept then
    }
  }

  // isOwn tells whether the pack is the page's own, which its service worker keeps.
  private isOwn(): boolean {
    return this.base === new URL("models/starter", self.location.href).href;
  }

  private async refuseWhatDoesNotFit(more: number): Promise<void> {
    if (!this.folder || this.base.startsWith(localPrefix)) return;
    let needed = more;
    for (const [name, file] of Object.entries(this.expected)) needed += file.size - (await this.sizeOf(name)) - (await this.sizeOf(name + partSuffix));
    const { quota = Infinity, usage = 0 } = await navigator.storage.estimate();
    if (needed <= quota - usage && (await this.reserve(needed))) return;
    throw failure("quota", `the model needs ${megabytes(needed)} more than the ${megabytes(usage)} that are stored, and the browser gives this page no more; delete other models, or free some space`);
  }

  // reserve asks for so many bytes and gives them back: browsers tell less of their limits than they know.
  private async reserve(bytes: number): Promise<boolean> {
    if (!this.folder || bytes <= 0) return true;
    const name = "reserve.part";
    let fits = true;
    try {
      const handle = await (await this.folder.getFileHandle(name, { create: true })).createSyncAccessHandle();
      try {
        handle.truncate(bytes);
      } catch (reason) {
        fits = !(reason instanceof DOMException && reason.name === "QuotaExceededError");
      }
      handle.close();
      await this.folder.removeEntry(name);
    } catch {
      // Another tab opens the same model.
    }
    return fits;
  }

  private async remember(manifest: Uint8Array): Promise<void> {
    if (!this.folder) return;
    const meta: Meta = { url: this.base, bytes: this.total, opened: Date.now() };
    await write(this.folder, "unmask.json", manifest);
    await write(this.folder, metaFile, new TextEncoder().encode(JSON.stringify(meta)));
  }

  private async prefetch(names: string[]): Promise<void> {
    const left = names.filter((name) => !this.jobs.has(name));
    const worker = async (): Promise<void> => {
      for (let name = left.shift(); name !== undefined && !this.signal.aborted; name = left.shift()) {
        await this.read(name).catch(() => {}); // whoever reads it hears of it
      }
    };
    await Promise.all(Array.from({ length: parallel }, worker));
  }

  private async file(name: string, expected: Expected | undefined): Promise<Uint8Array> {
    if (!expected) throw failure("integrity", `${this.base}/${name}: not a file of this pack`);
    const kept = await this.stored(name);
    if (kept) {
      if (kept.length === expected.size && (await isHash(kept, expected.sha256))) {
        this.progress(name, expected.size);
        return kept;
      }
      await this.folder?.removeEntry(name); // damaged on disk: fetched anew
    }
    if (this.base.startsWith(localPrefix)) throw failure("integrity", `${name}: ${kept ? "changed or damaged" : "missing"}; import the model again`);
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.download(name, expected);
      } catch (reason) {
        const broken = reason instanceof TypeError || (reason as { code?: string }).code === "network";
        if (this.signal.aborted || !broken || attempt === attempts) throw reason instanceof TypeError ? failure("network", `${this.base}/${name}: ${reason.message}`) : reason;
        await new Promise((resolve) => setTimeout(resolve, 150 * 2 ** attempt));
      }
    }
  }

  // download fetches a file from where an earlier attempt ended, and keeps it once its hash is right.
  private async download(name: string, expected: Expected): Promise<Uint8Array> {
    const url = `${this.base}/${name}`;
    const data = new Uint8Array(expected.size);
    const part = (await this.stored(name + partSuffix)) ?? new Uint8Array();
    let at = part.length < expected.size ? part.length : 0;
    data.set(part.subarray(0, at));
    const response = await fetch(url, { signal: this.signal, cache: "no-store", headers: at > 0 ? { Range: `bytes=${at}-` } : {} });
    if (!response.ok || !response.body) throw failure(response.status >= 500 ? "network" : "failed", `${url}: the server answered ${response.status} ${response.statusText}`);
    if (response.status !== 206) at = 0;
    let file = await this.append(name + partSuffix, at);
    try {
      for (const reader = response.body.getReader(); ;) {
        const { done, value } = await reader.read();
        if (done) break;
        if (at + value.length > expected.size) throw failure("integrity", `${url}: more than the expected ${expected.size} bytes`);
        data.set(value, at);
        file = this.keep(file, value, at);
        at += value.length;
        this.progress(name, at);
      }
    } finally {
      file?.flush();
      file?.close();
    }
    if (at < expected.size) throw failure("network", `${url}: ended after ${at} of ${expected.size} bytes`);
    if (!(await isHash(data, expected.sha256))) {
      await this.folder?.removeEntry(name + partSuffix);
      throw failure("integrity", `${url}: its sha256 is not ${expected.sha256}: the file was changed or damaged`);
    }
    if (this.folder && file) await rename(this.folder, name + partSuffix, name, data);
    return data;
  }

  // keep writes to the file; where the disk is full, nothing more is kept of it.
  private keep(file: FileSystemSyncAccessHandle | undefined, data: Uint8Array, at: number): FileSystemSyncAccessHandle | undefined {
    try {
      file?.write(data as BufferSource, { at });
      return file;
    } catch {
      file?.close();
      return undefined;
    }
  }

  // append opens a file to write to from an offset on; undefined where another tab has it, or nothing
  // can be kept.
  private async append(name: string, at: number): Promise<FileSystemSyncAccessHandle | undefined> {
    if (!this.folder) return undefined;
    try {
      const handle = await (await this.folder.getFileHandle(name, { create: true })).createSyncAccessHandle();
      handle.truncate(at);
      return handle;
    } catch {
      return undefined;
    }
  }

  private async stored(name: string): Promise<Uint8Array | undefined> {
    try {
      return this.folder && new Uint8Array(await (await (await this.folder.getFileHandle(name)).getFile()).arrayBuffer());
    } catch {
      return undefined;
    }
  }

  private async sizeOf(name: string): Promise<number> {
    try {
      return this.folder ? (await (await this.folder.getFileHandle(name)).getFile()).size : 0;
    } catch {
      return 0;
    }
  }

  private progress(name: string, bytes: number): void {
    this.arrived.set(name, bytes);
    let done = 0;
    for (const n of this.arrived.values()) done += n;
    this.report(done, this.total);
  }
}

async function isHash(data: Uint8Array, sha256: string): Promise<boolean> {
  if (!crypto.subtle) return true; // no secure context: the runtime hashes every file itself
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", data as BufferSource));
  return hex(digest) === sha256;
}

async function write(folder: FileSystemDirectoryHandle, name: string, data: Uint8Array): Promise<void> {
  try {
    const handle = await (await folder.getFileHandle(name, { create: true })).createSyncAccessHandle();
    handle.truncate(0);
    handle.write(data as BufferSource, { at: 0 });
    handle.close();
  } catch {
    // Another tab writes the same.
  }
}

async function rename(folder: FileSystemDirectoryHandle, from: string, to: string, data: Uint8Array): Promise<void> {
  const handle = (await folder.getFileHandle(from)) as FileSystemFileHandle & { move?: (name: string) => Promise<void> };
  if (handle.move) {
    await handle.move(to);
    return;
  }
  await write(folder, to, data);
  await folder.removeEntry(from);
}
