import { encode } from "fast-png";
import sharp from "sharp";

export type Colour = readonly [number, number, number];

/** Pixels that are no class (the ignore index) are black. */
const NO_CLASS: Colour = [0, 0, 0];

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

/** Class numbers as an 8-bit grey PNG whose values are the numbers themselves. */
export function encodeIndex(classes: ArrayLike<number>, height: number, width: number): Uint8Array {
  return encode({ data: Uint8Array.from(classes), width, height, channels: 1, depth: 8 });
}
