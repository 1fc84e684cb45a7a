import { decode } from "fast-png";
import { readPackedInterlaced } from "./png_interlaced.ts";
import { unpackRow } from "./packed.ts";
import { keepChannels, refusedMask, wrongSamples, type RawMask, type Rgb } from "./raw_mask.ts";

/**
 * A PNG mask, index-exact: the numbers that the file stores, grey or palette alike, at 1, 2, 4, 8 or 16 bits, or the
 * colours of an RGB picture. Alpha is dropped.
 *
 * @throws SegfuseError SEGFUSE_DATA_MASK; errors of the decoder where the file is damaged
 */
export function readPngMask(bytes: Uint8Array, file: string): RawMask {
  if (isPackedInterlaced(bytes)) return readPackedInterlaced(bytes);
  const { width, height, depth, channels, data, palette } = decode(bytes, { checkCrc: true });
  if (channels >= 3) {
    if (depth !== 8) throw wrongSamples(file, `${channels} channels of ${depth} bits`);
    return { width, height, channels: 3, data: keepChannels(data as Uint8Array, channels, 3) };
  }
  const rowBytes = Math.ceil((width * depth * channels) / 8);
  if (data.byteLength < height * rowBytes)
    throw refusedMask(file, "a mask is cut short", {
      found: `${data.byteLength} of ${height * rowBytes} bytes`,
    });
  const colors = palette && { palette: palette.map(([r, g, b]): Rgb => [r!, g!, b!]) };
  if (depth >= 8)
    return {
      width,
      height,
      channels: 1,
      data: keepChannels(data as Uint8Array | Uint16Array, channels, 1),
      ...colors,
    };
  const out = new Uint8Array(width * height);
  for (let y = 0; y < height; y++)
    unpackRow((data as Uint8Array).subarray(y * rowBytes, (y + 1) * rowBytes), depth, width, out, y * width);
  return { width, height, channels: 1, data: out, ...colors };
}

/** Pixels of less than a byte in Adam7's seven passes, which fast-png takes for pixels of a byte each. */
function isPackedInterlaced(bytes: Uint8Array): boolean {
  const [depth, interlace] = [bytes[24], bytes[28]];
  return depth !== undefined && depth < 8 && interlace === 1;
}
