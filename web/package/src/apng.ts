// Writes animated PNGs (PNG specification, third edition): a frame is what changed since the one before,
// compressed by the browser's own zlib.
export interface Picture { pixels: Uint8ClampedArray; milliseconds: number }

export async function apng(width: number, height: number, frames: Picture[]): Promise<Blob> {
  const parts: Uint8Array[] = [new Uint8Array([137, 80, 78, 71, 13, 10, 26, 10])];
  parts.push(chunk("IHDR", numbers([width, 4], [height, 4], [8, 1], [2, 1], [0, 1], [0, 1], [0, 1])));
  parts.push(chunk("acTL", numbers([frames.length, 4], [0, 4])));
  let sequence = 0;
  for (let i = 0; i < frames.length; i++) {
    const box = i === 0 ? { x: 0, y: 0, w: width, h: height } : changed(width, height, frames[i - 1].pixels, frames[i].pixels);
    parts.push(chunk("fcTL", numbers([sequence++, 4], [box.w, 4], [box.h, 4], [box.x, 4], [box.y, 4], [Math.round(frames[i].milliseconds), 2], [1000, 2], [0, 1], [0, 1])));
    const data = await zlib(lines(width, frames[i].pixels, box));
    if (i === 0) parts.push(chunk("IDAT", data));
    else parts.push(chunk("fdAT", join([numbers([sequence++, 4]), data])));
  }
  parts.push(chunk("IEND", new Uint8Array()));
  return new Blob(parts as BlobPart[], { type: "image/png" });
}

interface Box { x: number; y: number; w: number; h: number }

// changed is the smallest box with all pixels that differ, at least one pixel.
function changed(width: number, height: number, a: Uint8ClampedArray, b: Uint8ClampedArray): Box {
  const [before, after] = [new Uint32Array(a.buffer), new Uint32Array(b.buffer)];
  let [left, right, top, bottom] = [width, -1, height, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (before[y * width + x] === after[y * width + x]) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = y;
    }
  }
  return right < 0 ? { x: 0, y: 0, w: 1, h: 1 } : { x: left, y: top, w: right - left + 1, h: bottom - top + 1 };
}

// lines are a box's rows as RGB, each behind its filter, "none".
function lines(width: number, pixels: Uint8ClampedArray, box: Box): Uint8Array {
  const out = new Uint8Array(box.h * (1 + 3 * box.w));
  let at = 0;
  for (let y = box.y; y < box.y + box.h; y++) {
    out[at++] = 0;
    for (let x = box.x; x < box.x + box.w; x++) {
      const from = 4 * (y * width + x);
      out[at++] = pixels[from];
      out[at++] = pixels[from + 1];
      out[at++] = pixels[from + 2];
    }
  }
  return out;
}

async function zlib(data: Uint8Array): Promise<Uint8Array> {
  const packed = new Blob([data as BlobPart]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const body = join([new TextEncoder().encode(type), data]);
  return join([numbers([data.length, 4]), body, numbers([crc(body), 4])]);
}

// numbers writes values big-endian, each in so many bytes.
function numbers(...values: [value: number, bytes: number][]): Uint8Array {
  const out: number[] = [];
  for (const [value, bytes] of values) for (let i = bytes - 1; i >= 0; i--) out.push(Math.floor(value / 256 ** i) % 256);
  return new Uint8Array(out);
}

function join(parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

const table = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n >>> 0;
});

function crc(data: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of data) value = table[(value ^ byte) & 255] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}
