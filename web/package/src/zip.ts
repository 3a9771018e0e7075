// Reads .zip files: stored and deflated entries, found by the central directory.
import { IntegrityError } from "./errors";

const endSignature = 0x06054b50;
const entrySignature = 0x02014b50;

// entries yields path and content of each file in the archive.
export async function entries(zip: Blob): Promise<[string, Blob][]> {
  const tail = await view(zip, Math.max(0, zip.size - 65557), zip.size);
  let end = tail.byteLength - 22;
  while (end >= 0 && tail.getUint32(end, true) !== endSignature) end--;
  if (end < 0) throw new IntegrityError("no .zip file: its directory is missing");
  const count = tail.getUint16(end + 10, true);
  const start = tail.getUint32(end + 16, true);
  const directory = await view(zip, start, start + tail.getUint32(end + 12, true));
  const out: [string, Blob][] = [];
  for (let at = 0, i = 0; i < count; i++) {
    if (at + 46 > directory.byteLength || directory.getUint32(at, true) !== entrySignature) throw new IntegrityError("damaged .zip directory");
    const [method, size, nameLength] = [directory.getUint16(at + 10, true), directory.getUint32(at + 20, true), directory.getUint16(at + 28, true)];
    const offset = directory.getUint32(at + 42, true);
    const name = new TextDecoder().decode(new Uint8Array(directory.buffer, at + 46, nameLength));
    at += 46 + nameLength + directory.getUint16(at + 30, true) + directory.getUint16(at + 32, true);
    if (name.endsWith("/")) continue;
    const local = await view(zip, offset, offset + 30);
    const from = offset + 30 + local.getUint16(26, true) + local.getUint16(28, true);
    const packed = zip.slice(from, from + size);
    if (method === 0) out.push([name, packed]);
    else if (method === 8) out.push([name, await new Response(packed.stream().pipeThrough(new DecompressionStream("deflate-raw"))).blob()]);
    else throw new IntegrityError(`${name}: packed by method ${method}; expected stored or deflated`);
  }
  return out;
}

async function view(blob: Blob, from: number, to: number): Promise<DataView> {
  return new DataView(await blob.slice(from, to).arrayBuffer());
}
