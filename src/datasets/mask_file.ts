import { readFile } from "node:fs/promises";
import { decode, type DecodedPng } from "fast-png";
import { SegfuseError } from "../errors.ts";
import type { RawLabel } from "./contracts.ts";

/**
 * Reads a PNG mask index-exact: the numbers that the file stores, grey or palette alike, at 1, 2, 4 or 8 bits.
 *
 * @throws SegfuseError SEGFUSE_DATA_FILE where it is missing, SEGFUSE_DATA_MASK where it is damaged, RGB or 16-bit
 */
export async function readMask(file: string): Promise<RawLabel> {
  let png: DecodedPng;
  try {
    png = decode(await readFile(file), { checkCrc: true });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT")
      throw new SegfuseError("SEGFUSE_DATA_FILE", "a mask is missing", { where: file, cause });
    throw new SegfuseError("SEGFUSE_DATA_MASK", "a mask cannot be decoded", {
      where: file,
      expected: "a whole PNG file",
      found: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
  }
  const { width, height, depth, channels, data } = png;
  if (channels !== 1 || depth === 16)
    throw new SegfuseError("SEGFUSE_DATA_MASK", "a mask does not hold class numbers", {
      where: file,
      expected: "a PNG with one channel (grey or palette) of at most 8 bits, whose values are class numbers",
      found: `${channels} channel${channels === 1 ? "" : "s"} of ${depth} bits`,
      advice: "convert coloured masks to class numbers first",
    });
  if (data.length < height * Math.ceil((width * depth) / 8))
    throw new SegfuseError("SEGFUSE_DATA_MASK", "a mask is cut short", { where: file });
  return { width, height, data: depth === 8 ? (data as Uint8Array) : unpack(data as Uint8Array, png) };
}

/** Spreads packed pixels (each row starts at a whole byte, the first pixel in the high bits) to one byte each. */
function unpack(packed: Uint8Array, { width, height, depth }: DecodedPng): Uint8Array {
  const perByte = 8 / depth;
  const rowBytes = Math.ceil(width / perByte);
  const mask = (1 << depth) - 1;
  const out = new Uint8Array(width * height);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const byte = packed[y * rowBytes + Math.floor(x / perByte)]!;
      out[y * width + x] = (byte >> (8 - depth * ((x % perByte) + 1))) & mask;
    }
  return out;
}
