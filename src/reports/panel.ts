import sharp from "sharp";
import { colourMap, encodeRgb, type Colour } from "./pictures.ts";

/** Two pictures side by side: where there are 420 pixels for all, each still has 200. */
const panelColumns = 2;

/** Smaller pictures are drawn in whole multiples of their size up to this one, so that no viewer has to blur them. */
const smallPicture = 640;

/** The gap's share of a picture's width. */
const gapShare = 1 / 32;

/** A picture's size in pixels. */
export interface PictureSize {
  readonly height: number;
  readonly width: number;
}

/** A class map [height, width], row by row. */
export interface ClassPicture extends PictureSize {
  readonly data: ArrayLike<number>;
}

export interface PanelInputs {
  /** RGB, [height, width, 3]. */
  readonly image: PictureSize & { readonly data: Uint8Array };
  /** What the predictions are compared with. All pictures are drawn at its size, or a whole multiple. */
  readonly label: ClassPicture;
  /** With the names for {@link panelCaptions}. */
  readonly predictions: readonly (ClassPicture & { readonly name: string })[];
  readonly palette: readonly Colour[];
}

/** Pictures of one size in one PNG, line by line. */
export interface Panel {
  readonly png: Buffer;
  /** Pictures side by side. */
  readonly columns: number;
  /** Pixels between pictures, which are white. */
  readonly gap: number;
}

/**
 * Image, label and predictions in one PNG, line by line, in the classes' colours. There is no text in it,
 * because fonts differ between machines: captions belong into the page.
 *
 * A class map of another size than the label's (a row with other transforms) is stretched without mixing classes.
 */
export async function renderPanel({ image, label, predictions, palette }: PanelInputs): Promise<Panel> {
  const scale = Math.max(1, Math.floor(smallPicture / Math.max(label.height, label.width)));
  const size = { height: scale * label.height, width: scale * label.width };
  const gap = Math.max(4, Math.round(size.width * gapShare));
  const pictures = [
    await stretchImage(image, size),
    ...[label, ...predictions].map((map) => colourMap(stretchClasses(map, size), palette)),
  ];
  const lines = Math.ceil(pictures.length / panelColumns);
  const height = lines * size.height + (lines - 1) * gap;
  const width = panelColumns * size.width + (panelColumns - 1) * gap;
  const panel = new Uint8Array(height * width * 3).fill(255);
  for (const [i, picture] of pictures.entries()) {
    const left = (i % panelColumns) * (size.width + gap);
    const top = Math.floor(i / panelColumns) * (size.height + gap);
    for (let y = 0; y < size.height; y++) {
      const row = picture.subarray(3 * y * size.width, 3 * (y + 1) * size.width);
      panel.set(row, 3 * ((top + y) * width + left));
    }
  }
  return { png: await encodeRgb(panel, height, width), columns: panelColumns, gap };
}

/** The captions of a panel's pictures, in their order. */
export function panelCaptions(predictions: readonly { readonly name: string }[]): string[] {
  return ["image", "label", ...predictions.map(({ name }) => name)];
}

/**
 * A panel's pictures, each a PNG of its own, so that a page can put them where there is room.
 *
 * @param count how many there are
 * @returns none where the file is no picture of such a panel
 */
export async function cutPanel(
  panel: Uint8Array,
  { count, columns, gap }: { readonly count: number; readonly columns: number; readonly gap: number },
): Promise<Buffer[]> {
  const lines = Math.ceil(count / columns);
  try {
    const { data, info } = await sharp(panel).raw().toBuffer({ resolveWithObject: true });
    const width = (info.width - (columns - 1) * gap) / columns;
    const height = (info.height - (lines - 1) * gap) / lines;
    const raw = { width: info.width, height: info.height, channels: info.channels };
    const cut = (_: unknown, i: number) =>
      sharp(data, { raw })
        .extract({
          left: (i % columns) * (width + gap),
          top: Math.floor(i / columns) * (height + gap),
          width,
          height,
        })
        .png({ compressionLevel: 9 })
        .toBuffer();
    return await Promise.all(Array.from({ length: count }, cut));
  } catch {
    return [];
  }
}

/** Enlarged pixels stay squares; a smaller picture is the mean of what it stands for. */
async function stretchImage(
  { data, height, width }: PanelInputs["image"],
  size: PictureSize,
): Promise<Uint8Array> {
  if (height === size.height && width === size.width) return data;
  const isEnlarged = height <= size.height && width <= size.width;
  return sharp(data, { raw: { width, height, channels: 3 } })
    .resize(size.width, size.height, { fit: "fill", kernel: isEnlarged ? "nearest" : "lanczos3" })
    .raw()
    .toBuffer();
}

/** The nearest pixel's class. */
function stretchClasses({ data, height, width }: ClassPicture, size: PictureSize): ArrayLike<number> {
  if (height === size.height && width === size.width) return data;
  const nearest = (i: number, from: number, to: number) => Math.floor(((i + 0.5) * from) / to);
  const columns = Array.from({ length: size.width }, (_, x) => nearest(x, width, size.width));
  const classes = new Int32Array(size.height * size.width);
  for (let y = 0; y < size.height; y++) {
    const row = nearest(y, height, size.height) * width;
    for (let x = 0; x < size.width; x++) classes[y * size.width + x] = data[row + columns[x]!]!;
  }
  return classes;
}
