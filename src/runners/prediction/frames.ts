import { open } from "node:fs/promises";
import sharp from "sharp";

/** How many pictures a file holds: frames of an animation, or pages. One is read: the first. */
export interface Frames {
  readonly count: number;
  /** What the file calls them. */
  readonly what: "frames" | "pages";
}

/**
 * Counts the frames of a GIF, WebP or PNG animation, or the pages of a TIFF or HEIF file.
 *
 * @throws Error of the decoder or the file system
 */
export async function countFrames(file: string): Promise<Frames> {
  const { format, pages = 1 } = await sharp(file).metadata();
  if (format === "png") return { count: await pngFrames(file), what: "frames" };
  return { count: pages, what: format === "gif" || format === "webp" ? "frames" : "pages" };
}

/** Of an animated PNG: the decoder knows its first picture alone. The number stands in `acTL`, before the pixels. */
async function pngFrames(file: string): Promise<number> {
  const handle = await open(file);
  try {
    const chunk = Buffer.alloc(12); // length, type, and the beginning of the content
    for (let at = 8; (await handle.read(chunk, 0, 12, at)).bytesRead === 12;) {
      const type = chunk.toString("latin1", 4, 8);
      if (type === "acTL") return Math.max(1, chunk.readUInt32BE(8));
      if (type === "IDAT") return 1;
      at += 12 + chunk.readUInt32BE(0);
    }
    return 1;
  } finally {
    await handle.close();
  }
}
