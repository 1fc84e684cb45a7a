import type { LabelData } from "../datasets/contracts.ts";
import { SegfuseError } from "../errors.ts";

/** Values of labels of 8 bits: class numbers below the number of classes, and one value that counts nowhere. */
const BYTE_VALUES = 256;

/**
 * Pixel counts by label (row) and prediction (column), summed over any number of images.
 * Counts are whole numbers held as doubles, exact up to 2^53 pixels (Cityscapes' validation set has 2^30).
 */
export class Confusion {
  /**
   * Of labels of 8 bits one row for every value that a label can have, so that counting needs no branch; of labels of 16
   * bits one for each class and one for what is ignored.
   */
  private readonly counts: Float64Array;
  private readonly rows: number;

  constructor(
    readonly numClasses: number,
    readonly ignoreIndex: number,
  ) {
    this.rows = ignoreIndex < BYTE_VALUES ? BYTE_VALUES : numClasses + 1;
    this.counts = new Float64Array(this.rows * numClasses);
  }

  /**
   * Counts one image (or any number of pixels).
   *
   * @param prediction class numbers 0..numClasses-1, as argmax gives them
   * @param label class numbers or the ignore index, in the same order
   * @throws SegfuseError SEGFUSE_LABEL_VALUE where a label is neither a class nor the ignore index
   */
  add(prediction: ArrayLike<number>, label: LabelData): void {
    if (prediction.length !== label.length) {
      throw new RangeError(`${prediction.length} predicted pixels against ${label.length} labelled ones`);
    }
    const { counts, numClasses } = this;
    if (label instanceof Uint8Array && this.rows === BYTE_VALUES) {
      for (let i = 0; i < label.length; i++) counts[label[i]! * numClasses + prediction[i]!]!++;
      this.refuseUnknownLabels();
    } else {
      for (let i = 0; i < label.length; i++) {
        const value = label[i]!;
        if (value >= numClasses && value !== this.ignoreIndex) throw this.unknown(value);
        counts[this.row(value) * numClasses + prediction[i]!]!++;
      }
    }
  }

  /** Adds the counts of another part of the same data set. */
  merge(other: Confusion): void {
    for (let i = 0; i < this.counts.length; i++) this.counts[i]! += other.counts[i]!;
  }

  /** Pixels with this label and this prediction. */
  at(label: number, prediction: number): number {
    return this.counts[this.row(label) * this.numClasses + prediction]!;
  }

  /** [label][prediction]; pixels with the ignore index are not in it. */
  toRows(): number[][] {
    return Array.from({ length: this.numClasses }, (_, label) =>
      Array.from({ length: this.numClasses }, (_, prediction) => this.at(label, prediction)),
    );
  }

  /** Pixels whose label is the ignore index. */
  get ignoredPixels(): number {
    return this.rowSum(this.ignoreIndex);
  }

  /** Pixels that count: those whose label is a class. */
  get pixels(): number {
    let sum = 0;
    for (let label = 0; label < this.numClasses; label++) sum += this.rowSum(label);
    return sum;
  }

  /** Where a label is counted. */
  private row(label: number): number {
    return this.rows === BYTE_VALUES || label < this.numClasses ? label : this.numClasses;
  }

  private rowSum(label: number): number {
    let sum = 0;
    for (let prediction = 0; prediction < this.numClasses; prediction++) sum += this.at(label, prediction);
    return sum;
  }

  private refuseUnknownLabels(): void {
    for (let label = this.numClasses; label < BYTE_VALUES; label++)
      if (label !== this.ignoreIndex && this.rowSum(label) > 0) throw this.unknown(label);
  }

  private unknown(label: number): SegfuseError {
    return new SegfuseError("SEGFUSE_LABEL_VALUE", `a label of the evaluated images has the value ${label}`, {
      expected: `0..${this.numClasses - 1}, or ${this.ignoreIndex} for pixels that count nowhere`,
      found: String(label),
      advice: "check the data set's class list and its ignore_index",
    });
  }
}
