import type { RawImage } from "./contracts.ts";

/** So many pixels of an image are looked at, evenly spread. */
const mostPixels = 2 ** 16;

/** Means and standard deviations of images' values, by channel. */
export interface ValueRange {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Sums up images of as many channels each. */
export class ValueStatistics {
  private count = 0;
  private sums: number[] = [];
  private squares: number[] = [];

  add({ data, channels, height, width }: RawImage): void {
    if (this.count === 0) {
      this.sums = Array<number>(channels).fill(0);
      this.squares = Array<number>(channels).fill(0);
    }
    const pixels = height * width;
    const step = Math.max(1, Math.floor(pixels / mostPixels));
    for (let p = 0; p < pixels; p += step, this.count++)
      for (let c = 0; c < channels; c++) {
        const value = data[p * channels + c]!;
        this.sums[c]! += value;
        this.squares[c]! += value * value;
      }
  }

  /** Null where there was no image. */
  get range(): ValueRange | null {
    if (this.count === 0) return null;
    const mean = this.sums.map((sum) => sum / this.count);
    // Values are whole numbers below 2^16, so that the sums of squares are exact.
    const std = this.squares.map((sum, c) => Math.sqrt(Math.max(sum / this.count - mean[c]! ** 2, 0)));
    return { mean, std };
  }
}
