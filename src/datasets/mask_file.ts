import { readFile } from "node:fs/promises";
import { SegfuseError } from "../errors.ts";
import { readBmpMask } from "./masks/bmp.ts";
import { readPngMask } from "./masks/png.ts";
import { refusedMask, type RawMask } from "./masks/raw_mask.ts";
import { readTiffMask } from "./masks/tiff.ts";

/** File name endings of masks that are looked for where a config names none. */
export const maskSuffixes: readonly string[] = [".png", ".tif", ".tiff", ".bmp"];

type Reader = (bytes: Uint8Array, file: string) => RawMask | Promise<RawMask>;

/** By the files' first bytes, whatever their names say. */
const readers: readonly (readonly [signature: string, read: Reader])[] = [
  ["\x89PNG\r\n\x1a\n", readPngMask],
  ["II*\0", readTiffMask],
  ["MM\0*", readTiffMask],
  ["II+\0", readTiffMask],
  ["MM\0+", readTiffMask],
  ["BM", readBmpMask],
];

/**
 * Reads a PNG, TIFF or BMP mask index-exact: the numbers that the file stores, grey or palette alike, at 1 to 16 bits,
 * or the colours of a mask of 8 bits a channel.
 *
 * @throws SegfuseError SEGFUSE_DATA_FILE where it is missing, SEGFUSE_DATA_MASK where it is damaged, of another format
 *   (JPEG changes numbers) or of other samples
 */
export async function readMask(file: string): Promise<RawMask> {
  try {
    const bytes = await readFile(file);
    const start = bytes.toString("latin1", 0, 12);
    const read = readers.find(([signature]) => start.startsWith(signature))?.[1];
    if (read === undefined) throw otherFormat(file, start);
    return await read(bytes, file);
  } catch (cause) {
    if (cause instanceof SegfuseError) throw cause;
    if ((cause as NodeJS.ErrnoException).code === "ENOENT")
      throw new SegfuseError("SEGFUSE_DATA_FILE", "a mask is missing", { where: file, cause });
    throw new SegfuseError("SEGFUSE_DATA_MASK", "a mask cannot be decoded", {
      where: file,
      expected: "a whole PNG, TIFF or BMP file",
      found: (cause instanceof Error ? cause.message : String(cause)).trim().split("\n")[0]!,
      cause,
    });
  }
}

/** Why a file of another format is not read. */
function otherFormat(file: string, start: string): SegfuseError {
  if (start.startsWith("\xff\xd8\xff")) return jpegMask(file);
  const name = start.startsWith("GIF8")
    ? "GIF"
    : start.startsWith("RIFF") && start.endsWith("WEBP")
      ? "WebP"
      : start === ""
        ? "an empty file"
        : "something else";
  return refusedMask(file, "a mask is of another format", {
    expected: "a PNG, TIFF or BMP file",
    found: name,
    advice: "save the masks as PNG",
  });
}

/** SEGFUSE_DATA_MASK. JPEG rounds: near an edge between classes 3 and 7 it has 4, 5 and 6. */
export function jpegMask(file: string): SegfuseError {
  return refusedMask(file, "a mask is a JPEG", {
    expected: "a PNG, TIFF or BMP file",
    found: "JPEG, which changes numbers at every edge between classes (between 3 and 7 it makes 4, 5 and 6)",
    advice: "write the masks again from their source as PNG; a JPEG renamed or converted stays damaged",
  });
}
