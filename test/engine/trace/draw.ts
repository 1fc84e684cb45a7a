import * as tf from "@tensorflow/tfjs";
import type { DataType, Tensor } from "@tensorflow/tfjs";
import { Random } from "../../../src/util/random.ts";

/** Draws sizes and options. */
export class Draw {
  private readonly random: Random;

  constructor(name: string, round: number) {
    this.random = new Random(round, "shapes", name);
  }

  int(low: number, high: number): number {
    return low + Math.floor(this.random.uniform() * (high - low + 1));
  }

  ints(count: number, low: number, high: number): number[] {
    return Array.from({ length: count }, () => this.int(low, high));
  }

  pick<T>(list: readonly T[]): T {
    return list[this.int(0, list.length - 1)]!;
  }

  flag(): boolean {
    return this.int(0, 1) === 1;
  }

  /** A shape of rank `low` to `high`. */
  shape(low = 0, high = 4, longest = 4): number[] {
    return this.ints(this.int(low, high), 1, longest);
  }

  /** [batch, height, width, channels] */
  map(channels = this.int(1, 4), smallest = 3): [number, number, number, number] {
    return [this.int(1, 2), this.int(smallest, 9), this.int(smallest, 9), channels];
  }

  /** Some axes of a rank, at times from the end, at times none named. */
  axes(rank: number): number[] | undefined {
    if (this.int(0, 3) === 0) return undefined;
    const axes = Array.from({ length: rank }, (_, axis) => axis).filter(() => this.flag());
    return axes.map((axis) => (this.flag() ? axis : axis - rank));
  }

  axis(rank: number): number {
    return this.int(-rank, rank - 1);
  }

  /** A shape that broadcasts with the given one. */
  broadcastable(shape: readonly number[]): number[] {
    return shape.slice(this.int(0, shape.length)).map((n) => (this.flag() ? n : 1));
  }
}

/** Computes on whatever engine is active. */
export type Program = () => Tensor | Tensor[];
export type Shape4D = [number, number, number, number];

export const of = (shape: readonly number[], dtype: DataType = "float32") =>
  tf.fill([...shape], dtype === "bool" ? 1 : 0.5 + Number(dtype === "int32") * 0.5, dtype);
export const map = (shape: Shape4D) => of(shape) as tf.Tensor4D;
export const kernelNamed = (kernel: string, inputs: Record<string, Tensor>, attributes = {}) =>
  tf.engine().runKernel<Tensor>(kernel, inputs, attributes);
