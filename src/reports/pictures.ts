import { encode } from "fast-png";
import sharp from "sharp";
import type { RawImage } from "../datasets/contracts.ts";

export type Colour = readonly [number, number, number];

/** Pixels that are no class (the ignore index) are black. */
const NO_CLASS: Colour = [0, 0, 0];

/** Shares of a band's values that are drawn black and white where its values are no screen's (QGIS's default). */
const cut = { low: 0.02, high: 0.98 };

/**
 * What people are shown of an image: one or two bands as grey, of more the first three as red, green and blue. Values of
 * 16 bits are stretched, band by band, from their 2nd to their 98th percentile; of 8 bits they stay.
 *
 * @returns RGB, [height, width, 3]
 */
export function shownPicture({ data, channels }: RawImage): Uint8Array {
  if (channels === 3 && data instanceof Uint8Array) return data;
  const pixels = data.length / channels;
  const picture = new Uint8Array(3 * pixels);
  for (const c of [0, 1, 2]) {
    const band = channels < 3 ? 0 : c;
    const { black, white } =
      data instanceof Uint8Array ? { black: 0, white: 255 } : range(data, band, channels);
    const scale = 255 / Math.max(white - black, 1);
    for (let p = 0; p < pixels; p++) {
      const value = Math.round((data[p * channels + band]! - black) * scale);
      picture[3 * p + c] = Math.min(Math.max(value, 0), 255);
    }
  }
  return picture;
}

/** The values between which a band is stretched. */
function range(data: Uint16Array, band: number, channels: number): { black: number; white: number } {
  const counts = new Uint32Array(65_536);
  for (let k = band; k < data.length; k += channels) counts[data[k]!]!++;
  const pixels = data.length / channels;
  const below = (share: number) => {
    let sum = 0;
    return counts.findIndex((count) => (sum += count) > share * pixels);
  };
  return { black: below(cut.low), white: below(cut.high) };
}

/** Class numbers → RGB, [height, width, 3]. */
export function colourMap(classes: ArrayLike<number>, palette: readonly Colour[]): Uint8Array {
  const colours = new Uint8Array(classes.length * 3);
  for (let i = 0; i < classes.length; i++) colours.set(palette[classes[i]!] ?? NO_CLASS, 3 * i);
  return colours;
}

/**
 * Class colours laid over an image. Pixels that are no class show the image alone.
 *
 * @param image RGB, [height, width, 3]
 * @param opacity of the colours, 0..1
 */
export function overlay(
  image: Uint8Array,
  classes: ArrayLike<number>,
  palette: readonly Colour[],
  opacity = 0.5,
): Uint8Array {
  const blended = image.slice();
  for (let i = 0; i < classes.length; i++) {
    const colour = palette[classes[i]!];
    if (colour === undefined) continue;
    for (let c = 0; c < 3; c++) {
      blended[3 * i + c] = Math.round((1 - opacity) * image[3 * i + c]! + opacity * colour[c]!);
    }
  }
  return blended;
}

/** An RGB picture [height, width, 3] as PNG. */
export function encodeRgb(data: Uint8Array, height: number, width: number): Promise<Buffer> {
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 9 })
    .toBuffer();
}

/**
 * Class numbers as a grey PNG whose values are the numbers themselves.
 *
 * @param bits 16 where there are more than 255 classes
 */
export function encodeIndex(
  classes: ArrayLike<number>,
  height: number,
  width: number,
  bits: 8 | 16 = 8,
): Uint8Array {
  const size = { width, height, channels: 1 };
  if (bits === 8) return encode({ ...size, data: Uint8Array.from(classes), depth: 8 });
  return encode({ ...size, data: Uint16Array.from(classes), depth: 16 });
}
