// The models that this origin keeps: what there is, how to add one from files, how to delete it. Works on
// the page and in workers.
import { hex, megabytes } from "./bytes";
import { IntegrityError, QuotaError } from "./errors";
import { entries } from "./zip";

// localPrefix opens the names of models that came from files: "local:NAME".
export const localPrefix = "local:";
export const metaFile = "meta.json";

export interface Meta { url: string; bytes: number; opened: number }
export interface Kept extends Meta { stored: number; complete: boolean }

async function root(create: boolean): Promise<FileSystemDirectoryHandle> {
  return (await navigator.storage.getDirectory()).getDirectoryHandle("unmask-models", { create });
}

// folderOf is where the files of a model are kept.
export async function folderOf(url: string, create: boolean): Promise<FileSystemDirectoryHandle> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(url)));
  return (await root(create)).getDirectoryHandle(hex(digest.subarray(0, 12)), { create });
}

type Iterable = FileSystemDirectoryHandle & { values(): AsyncIterable<FileSystemFileHandle | FileSystemDirectoryHandle> };

// list tells of each model what is stored of it, and whether that is all.
export async function list(): Promise<Kept[]> {
  const out: Kept[] = [];
  let folder: FileSystemDirectoryHandle;
  try {
    folder = await root(false);
  } catch {
    return out;
  }
  for await (const entry of (folder as Iterable).values()) {
    if (entry.kind !== "directory") continue;
    let stored = 0;
    let meta: Meta | undefined;
    let parts = false;
    for await (const file of (entry as Iterable).values()) {
      if (file.kind !== "file") continue;
      const data = await (file as FileSystemFileHandle).getFile();
      if (file.name === metaFile) meta = parse(await data.text());
      else if (file.name !== "unmask.json") stored += data.size;
      parts ||= file.name.endsWith(".part");
    }
    if (meta) out.push({ ...meta, stored, complete: !parts && stored === meta.bytes });
  }
  return out.sort((a, b) => b.opened - a.opened);
}

function parse(text: string): Meta | undefined {
  try {
    return JSON.parse(text) as Meta;
  } catch {
    return undefined;
  }
}

// remove deletes what is stored of a model.
export async function remove(url: string): Promise<void> {
  const name = (await folderOf(url, false)).name;
  await (await root(false)).removeEntry(name, { recursive: true });
}

// space tells how many bytes the origin has stored and may store.
export async function space(): Promise<{ used: number; quota: number }> {
  const { usage = 0, quota = 0 } = await navigator.storage.estimate();
  return { used: usage, quota };
}

// add keeps a model given as files, or as one .zip of them, and returns the URL to load it by. Nothing is
// trusted yet: loading verifies every file.
export async function add(name: string, files: readonly File[]): Promise<string> {
  const found = new Map<string, Blob>();
  for (const file of files) {
    if (file.name.endsWith(".zip")) for (const [path, blob] of await entries(file)) found.set(base(path), blob);
    else found.set(base(file.name), file);
  }
  const manifest = found.get("unmask.json");
  if (!manifest) throw new IntegrityError(`no unmask.json among ${[...found.keys()].join(", ") || "no files"}: a model is a folder that convert wrote`);
  let listed: Record<string, { size: number }>;
  try {
    listed = (JSON.parse(await manifest.text()) as { files: Record<string, { size: number }> }).files;
  } catch {
    throw new IntegrityError("unmask.json is no JSON");
  }
  const missing = Object.keys(listed).filter((file) => !found.has(file));
  if (missing.length > 0) throw new IntegrityError(`missing: ${missing.join(", ")}`);
  const bytes = Object.values(listed).reduce((sum, file) => sum + file.size, 0);
  const { used, quota } = await space();
  if (bytes > quota - used) throw new QuotaError(`the model has ${megabytes(bytes)}, and the browser gives this page ${megabytes(Math.max(0, quota - used))} more`);
  const url = localPrefix + name;
  const folder = await folderOf(url, true);
  for (const file of ["unmask.json", ...Object.keys(listed)]) await write(folder, file, found.get(file) as Blob);
  const meta: Meta = { url, bytes, opened: Date.now() };
  await write(folder, metaFile, new Blob([JSON.stringify(meta)]));
  return url;
}

async function write(folder: FileSystemDirectoryHandle, name: string, data: Blob): Promise<void> {
  const out = await (await folder.getFileHandle(name, { create: true })).createWritable();
  await out.write(data);
  await out.close();
}

const base = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
