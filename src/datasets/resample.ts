import type { LabelData, RawImage } from "./contracts.ts";

/** Which source pixels a target pixel is made of, along one axis: `(1 - weight) · source[low] + weight · source[high]`. */
interface Taps {
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly weight: Float64Array;
}

/** A rectangle of the target, in its pixels. */
export interface Window {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

export interface Extent {
  readonly height: number;
  readonly width: number;
}

/**
 * Two taps with half-pixel centres, clamped at the edges: PyTorch's `interpolate(mode="bilinear",
 * align_corners=False, antialias=False)` and cv2's `INTER_LINEAR`, when reducing as well. That is what the
 * networks compared with were trained on; a smaller image keeps the aliasing that their augmentation had.
 */
function taps(source: number, target: number, start: number, count: number): Taps {
  const low = new Int32Array(count);
  const high = new Int32Array(count);
  const weight = new Float64Array(count);
  const ratio = source / target;
  for (let i = 0; i < count; i++) {
    const position = Math.max((start + i + 0.5) * ratio - 0.5, 0);
    low[i] = Math.min(Math.floor(position), source - 1);
    high[i] = Math.min(low[i]! + 1, source - 1);
    weight[i] = position - low[i]!;
  }
  return { low, high, weight };
}

/**
 * Resizes an image and cuts a window out, computing the window alone.
 *
 * @param image [source.height, source.width, channels]
 * @param target the size of the whole image after the resize
 * @param out [outWidth pixels a row, channels]; the window is written to its top left corner
 */
export function resizeImage(
  image: Pixels,
  source: Extent,
  target: Extent,
  window: Window,
  out: Float32Array,
  outWidth: number,
): void {
  const { height, width, top, left } = window;
  const channels = image.length / (source.height * source.width);
  const rowValues = width * channels;
  if (source.height === target.height && source.width === target.width) {
    for (let y = 0; y < height; y++) {
      const start = ((top + y) * source.width + left) * channels;
      out.set(image.subarray(start, start + rowValues), y * outWidth * channels);
    }
    return;
  }
  const rows = taps(source.height, target.height, top, height);
  const columns = taps(source.width, target.width, left, width);
  const cache = new RowCache(image, source.width, columns, channels);
  for (let y = 0; y < height; y++) {
    const upper = cache.row(rows.low[y]!, rows.high[y]!);
    const lower = cache.row(rows.high[y]!, rows.low[y]!);
    const b = rows.weight[y]!;
    const a = 1 - b;
    const start = y * outWidth * channels;
    for (let k = 0; k < rowValues; k++) out[start + k] = a * upper[k]! + b * lower[k]!;
  }
}

/** An image before it is resized: as it was decoded, or after another transform. */
type Pixels = RawImage["data"] | Float32Array;

/** Source rows, resized along x. A row is used by several target rows; the last two are kept. */
class RowCache {
  private readonly rows: [Float64Array, Float64Array];
  private readonly held: [number, number] = [-1, -1];

  constructor(
    private readonly image: Pixels,
    private readonly sourceWidth: number,
    private readonly columns: Taps,
    private readonly channels: number,
  ) {
    const length = columns.low.length * channels;
    this.rows = [new Float64Array(length), new Float64Array(length)];
  }

  /** Row `y`; its place may be taken from any row but `keep`. */
  row(y: number, keep: number): Float64Array {
    if (this.held[0] === y) return this.rows[0];
    if (this.held[1] === y) return this.rows[1];
    const slot = this.held[0] === keep ? 1 : 0;
    this.held[slot] = y;
    const { image, channels } = this;
    const { low, high, weight } = this.columns;
    const out = this.rows[slot];
    for (let c = 0; c < channels; c++) {
      const start = y * this.sourceWidth * channels + c;
      for (let x = 0, k = c; x < low.length; x++, k += channels) {
        const b = weight[x]!;
        out[k] = (1 - b) * image[start + low[x]! * channels]! + b * image[start + high[x]! * channels]!;
      }
    }
    return out;
  }
}

/**
 * Resizes a label map by nearest pixel centre (PyTorch's `nearest-exact`) and cuts a window out, so that labels
 * lie where {@link resizeImage} puts the image. Arguments as there, one value a pixel.
 */
export function resizeLabel(
  label: LabelData,
  source: Extent,
  target: Extent,
  window: Window,
  out: LabelData,
  outWidth: number,
): void {
  const nearest = (from: number, to: number, start: number, count: number) =>
    Int32Array.from({ length: count }, (_, i) =>
      Math.min(Math.floor(((start + i + 0.5) * from) / to), from - 1),
    );
  const rows = nearest(source.height, target.height, window.top, window.height);
  const columns = nearest(source.width, target.width, window.left, window.width);
  for (let y = 0; y < window.height; y++) {
    const from = rows[y]! * source.width;
    const to = y * outWidth;
    for (let x = 0; x < window.width; x++) out[to + x] = label[from + columns[x]!]!;
  }
}
