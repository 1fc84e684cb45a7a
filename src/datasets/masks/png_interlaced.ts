import { crc32, inflateSync } from "node:zlib";
import { unpackRow } from "./packed.ts";
import type { RawMask, Rgb } from "./raw_mask.ts";

// fast-png 8.0.0 reads interlaced files of 1, 2 and 4 bits wrongly: it gives each pixel a byte. These are read here.

/** Adam7: where each pass begins and how far its pixels stand apart. */
const passes = [
  { x: 0, y: 0, dx: 8, dy: 8 },
  { x: 4, y: 0, dx: 8, dy: 8 },
  { x: 0, y: 4, dx: 4, dy: 8 },
  { x: 2, y: 0, dx: 4, dy: 4 },
  { x: 0, y: 2, dx: 2, dy: 4 },
  { x: 1, y: 0, dx: 2, dy: 2 },
  { x: 0, y: 1, dx: 1, dy: 2 },
] as const;

/**
 * An interlaced PNG of one channel with 1, 2 or 4 bits, index-exact.
 *
 * @throws Error where the file is damaged
 */
export function readPackedInterlaced(bytes: Uint8Array): RawMask {
  const { header, palette, data } = readChunks(bytes);
  const [width, height, depth] = [header.getUint32(0), header.getUint32(4), header.getUint8(8)];
  const lines = inflateSync(data);
  const out = new Uint8Array(width * height);
  let offset = 0;
  for (const { x, y, dx, dy } of passes) {
    const columns = Math.ceil((width - x) / dx);
    const rows = Math.ceil((height - y) / dy);
    if (columns <= 0 || rows <= 0) continue;
    const rowBytes = Math.ceil((columns * depth) / 8);
    let above: Uint8Array = new Uint8Array(rowBytes);
    for (let row = 0; row < rows; row++) {
      if (offset + 1 + rowBytes > lines.length) throw new Error("the picture ends early");
      const line = lines.subarray(offset + 1, offset + 1 + rowBytes);
      unfilter(lines[offset]!, line, above);
      unpackRow(line, depth, columns, out, (y + row * dy) * width + x, dx);
      above = line;
      offset += 1 + rowBytes;
    }
  }
  return { width, height, channels: 1, data: out, ...(palette && { palette }) };
}

function readChunks(bytes: Uint8Array): { header: DataView; palette: Rgb[] | null; data: Uint8Array } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let header: DataView | undefined;
  let palette: Rgb[] | null = null;
  const parts: Uint8Array[] = [];
  for (let offset = 8, type = ""; type !== "IEND";) {
    if (offset + 12 > bytes.length) throw new Error("the file ends early");
    const length = view.getUint32(offset);
    type = String.fromCharCode(...bytes.subarray(offset + 4, offset + 8));
    const end = offset + 8 + length;
    if (end + 4 > bytes.length) throw new Error(`the file ends in chunk ${type}`);
    const content = bytes.subarray(offset + 8, end);
    if (crc32(bytes.subarray(offset + 4, end)) !== view.getUint32(end))
      throw new Error(`CRC mismatch in chunk ${type}`);
    if (type === "IHDR") header = new DataView(content.buffer, content.byteOffset, content.byteLength);
    else if (type === "PLTE")
      palette = Array.from({ length: length / 3 }, (_, k): Rgb => [
        content[3 * k]!,
        content[3 * k + 1]!,
        content[3 * k + 2]!,
      ]);
    else if (type === "IDAT") parts.push(content);
    offset = end + 4;
  }
  if (header === undefined || header.byteLength < 13) throw new Error("no header");
  return { header, palette, data: Buffer.concat(parts) };
}

/** Undoes a row's filter in place. Neighbours are bytes: a pixel is smaller than one. */
function unfilter(filter: number, line: Uint8Array, above: Uint8Array): void {
  for (let i = 0; i < line.length; i++) {
    const [left, up, corner] = [line[i - 1] ?? 0, above[i]!, above[i - 1] ?? 0];
    line[i]! += predicted(filter, left, up, corner);
  }
}

function predicted(filter: number, left: number, up: number, corner: number): number {
  switch (filter) {
    case 0:
      return 0;
    case 1:
      return left;
    case 2:
      return up;
    case 3:
      return (left + up) >> 1;
    case 4:
      return paeth(left, up, corner);
    default:
      throw new Error(`unknown filter ${filter}`);
  }
}

/** Whichever neighbour is nearest to left + up − corner; the first of equals. */
function paeth(left: number, up: number, corner: number): number {
  const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}
