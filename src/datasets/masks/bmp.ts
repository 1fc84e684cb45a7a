import { unpackRow } from "./packed.ts";
import { decodeRle } from "./bmp_rle.ts";
import { refusedMask, wrongSamples, type RawMask, type Rgb } from "./raw_mask.ts";

const compressions = { none: 0, rle8: 1, rle4: 2, bitfields: 3, alphaBitfields: 6 } as const;

/** Blue, green, red and whatever else, as nearly every BMP of 32 bits has them. */
const usualFields = [0xff0000, 0xff00, 0xff] as const;

/**
 * A BMP mask, index-exact: a palette of 1, 4 or 8 bits, run-length coded or not, or colours of 24 or 32 bits.
 *
 * @throws SegfuseError SEGFUSE_DATA_MASK where the samples could be no labels; errors where the file is damaged
 */
export function readBmpMask(bytes: Uint8Array, file: string): RawMask {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = view.getUint32(10, true);
  const headerSize = view.getUint32(14, true);
  const isCore = headerSize === 12;
  const width = isCore ? view.getUint16(18, true) : view.getInt32(18, true);
  const storedHeight = isCore ? view.getUint16(20, true) : view.getInt32(22, true);
  const height = Math.abs(storedHeight);
  const depth = view.getUint16(isCore ? 24 : 28, true);
  const compression = isCore ? compressions.none : view.getUint32(30, true);
  if (width <= 0 || height === 0) throw new Error(`a size of ${width}x${storedHeight}`);
  checkSamples(view, { depth, compression }, file);

  const size = { width, height };
  const pixels = bytes.subarray(start);
  // Rows go from the bottom up, unless the height is negative.
  const rowAt = (row: number) => (storedHeight < 0 ? row : height - 1 - row);
  const rowBytes = 4 * Math.ceil((width * depth) / 32);
  const isRle = compression === compressions.rle8 || compression === compressions.rle4;
  if (!isRle && pixels.length < rowBytes * (height - 1) + Math.ceil((width * depth) / 8))
    throw refusedMask(file, "a mask is cut short", { found: `${bytes.length} bytes` });

  if (depth > 8) {
    const data = new Uint8Array(width * height * 3);
    const bytesPerPixel = depth / 8;
    for (let row = 0; row < height; row++)
      for (let x = 0; x < width; x++)
        for (let c = 0; c < 3; c++)
          data[(rowAt(row) * width + x) * 3 + c] = pixels[row * rowBytes + x * bytesPerPixel + 2 - c]!;
    return { ...size, channels: 3, data };
  }
  const data = new Uint8Array(width * height);
  if (isRle) decodeRle(pixels, depth as 4 | 8, size, data);
  else
    for (let row = 0; row < height; row++)
      unpackRow(pixels.subarray(row * rowBytes), depth, width, data, rowAt(row) * width);
  return { ...size, channels: 1, data, palette: paletteOf(bytes, { start, headerSize, depth }) };
}

/** @throws SegfuseError SEGFUSE_DATA_MASK */
function checkSamples(
  view: DataView,
  { depth, compression }: { depth: number; compression: number },
  file: string,
): void {
  const isFields = compression === compressions.bitfields || compression === compressions.alphaBitfields;
  const fits =
    compression === compressions.none
      ? [1, 2, 4, 8, 24, 32].includes(depth)
      : (compression === compressions.rle8 && depth === 8) ||
        (compression === compressions.rle4 && depth === 4) ||
        (isFields &&
          depth === 32 &&
          usualFields.every((field, c) => view.getUint32(54 + 4 * c, true) === field));
  if (!fits) throw wrongSamples(file, `a BMP of ${depth} bits a pixel, compression ${compression}`);
}

/** Between the header and the pixels: blue, green, red, and a byte without meaning but in the oldest form. */
function paletteOf(
  bytes: Uint8Array,
  { start, headerSize, depth }: { start: number; headerSize: number; depth: number },
): Rgb[] {
  const size = headerSize === 12 ? 3 : 4;
  const first = 14 + headerSize;
  const count = Math.min(1 << depth, Math.max(0, Math.floor((start - first) / size)));
  return Array.from({ length: count }, (_, k): Rgb => {
    const at = first + k * size;
    return [bytes[at + 2]!, bytes[at + 1]!, bytes[at]!];
  });
}
