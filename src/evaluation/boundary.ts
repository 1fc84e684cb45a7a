import type { LabelData } from "../datasets/contracts.ts";
import type { ClassCounts } from "./contracts.ts";
import type { Size } from "../util/size.ts";

/** Width of the boundary as a share of the image's diagonal (Cheng et al.'s default). */
const DILATION_RATIO = 0.02;

/**
 * Counts for boundary IoU (Cheng et al., "Boundary IoU", CVPR 2021): IoU over those pixels of each mask alone
 * that lie within d of the mask's outside, d = max(1, round(0.02 · diagonal)); outside the image counts as
 * outside the mask. Their reference erodes every class's mask with a 3×3 square d times; a pixel survives
 * where the (2d+1)² square around it lies in the image and has one value, so that one pass over a class map
 * serves all classes. Pixels with the ignore index lie outside every mask, the label's and the prediction's, so
 * that a prediction that is right wherever it counts scores 1.
 */
export class BoundaryCounts {
  private readonly intersection: Float64Array;
  private readonly predicted: Float64Array;
  private readonly labelled: Float64Array;

  constructor(readonly numClasses: number) {
    this.intersection = new Float64Array(numClasses);
    this.predicted = new Float64Array(numClasses);
    this.labelled = new Float64Array(numClasses);
  }

  /** Counts one image, [height, width]. */
  add(prediction: ArrayLike<number>, label: LabelData, size: Size): void {
    const distance = Math.max(1, Math.round(DILATION_RATIO * Math.hypot(...size)));
    const counted = label.slice();
    for (let i = 0; i < label.length; i++) if (label[i]! < this.numClasses) counted[i] = prediction[i]!;
    const inPrediction = boundary(counted, size, distance);
    const inLabel = boundary(label, size, distance);
    for (let i = 0; i < label.length; i++) {
      const [p, l] = [prediction[i]!, label[i]!];
      if (l >= this.numClasses) continue;
      if (inPrediction[i]) this.predicted[p]!++;
      if (inLabel[i]) this.labelled[l]!++;
      if (p === l && inPrediction[i] && inLabel[i]) this.intersection[p]!++;
    }
  }

  /** Of each class. */
  counts(): ClassCounts[] {
    return Array.from(this.intersection, (intersection, c) => ({
      intersection,
      prediction: this.predicted[c]!,
      label: this.labelled[c]!,
    }));
  }
}

/** 1 where a pixel lies within `distance` (chessboard) of another value or of the image's outside. */
export function boundary(map: ArrayLike<number>, [height, width]: Size, distance: number): Uint8Array {
  // uniform runs along rows first, then columns of rows that are uniform and equal: the square is separable
  const uniformRow = new Uint8Array(height * width);
  for (let y = 0; y < height; y++) markRuns(map, uniformRow, y * width, 1, width, distance, null);
  const inside = new Uint8Array(height * width);
  for (let x = 0; x < width; x++) markRuns(map, inside, x, width, height, distance, uniformRow);
  return inside.map((mark) => 1 - mark);
}

/**
 * Along a line of `count` pixels: 1 at pixels that are at least `distance` from both ends of a run of equal
 * values (and, where `required` is given, of pixels marked there).
 */
function markRuns(
  map: ArrayLike<number>,
  marks: Uint8Array,
  offset: number,
  step: number,
  count: number,
  distance: number,
  required: Uint8Array | null,
): void {
  let start = 0;
  for (let i = 1; i <= count; i++) {
    const at = offset + i * step;
    const continues =
      i < count && map[at] === map[at - step] && (required === null || required[at] === required[at - step]);
    if (continues) continue;
    const usable = required === null || required[offset + start * step] === 1;
    if (usable) for (let k = start + distance; k < i - distance; k++) marks[offset + k * step] = 1;
    start = i;
  }
}
