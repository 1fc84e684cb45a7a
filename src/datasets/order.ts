import { Random } from "../util/random.ts";

/**
 * Which sample stands where in the endless stream of training samples: every epoch is a permutation of the data
 * set of its own. Any place can be asked for, so that a resumed run goes on without reading what went before.
 */
export class DataOrder {
  private epoch = -1;
  private permutation = new Int32Array(0);

  constructor(
    private readonly length: number,
    private readonly seed: number,
  ) {}

  /** The data set's index at place `n` of the stream. */
  at(n: number): number {
    const epoch = Math.floor(n / this.length);
    if (epoch !== this.epoch) {
      this.epoch = epoch;
      this.permutation = new Random(this.seed, epoch, "order").permutation(
        this.length,
      ) as Int32Array<ArrayBuffer>;
    }
    return this.permutation[n - epoch * this.length]!;
  }
}
