import { encode } from "fast-png";
import sharp from "sharp";

type Colour = readonly [number, number, number];

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

export interface PanelInputs {
  /** RGB, [height, width, 3]. */
  readonly image: Uint8Array;
  readonly label: ArrayLike<number>;
  /** Class maps [height, width], with the names for {@link panelCaptions}. */
  readonly predictions: readonly { readonly name: string; readonly data: ArrayLike<number> }[];
  readonly palette: readonly Colour[];
  readonly height: number;
  readonly width: number;
  /** Pictures side by side; all in one line unless given. */
  readonly columns?: number;
}

/**
 * Image, label and predictions in one PNG, line by line, in the classes' colours. There is no text in it,
 * because fonts differ between machines: captions belong into the page.
 */
export function renderPanel(inputs: PanelInputs): Promise<Buffer> {
  const { image, label, predictions, palette, height, width } = inputs;
  const pictures = [
    image,
    colourMap(label, palette),
    ...predictions.map(({ data }) => colourMap(data, palette)),
  ];
  const columns = Math.min(inputs.columns ?? pictures.length, pictures.length);
  const lines = Math.ceil(pictures.length / columns);
  const panel = new Uint8Array(lines * height * columns * width * 3).fill(255);
  for (const [i, picture] of pictures.entries()) {
    const left = (i % columns) * width;
    const top = Math.floor(i / columns) * height;
    for (let y = 0; y < height; y++) {
      const row = picture.subarray(3 * y * width, 3 * (y + 1) * width);
      panel.set(row, 3 * ((top + y) * columns * width + left));
    }
  }
  return encodeRgb(panel, lines * height, columns * width);
}

/** The captions of a panel's pictures, in their order. */
export function panelCaptions(predictions: readonly { readonly name: string }[]): string[] {
  return ["image", "label", ...predictions.map(({ name }) => name)];
}
