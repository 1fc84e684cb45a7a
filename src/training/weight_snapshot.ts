import type { Tensor } from "@tensorflow/tfjs";
import * as tf from "@tensorflow/tfjs";
import type { Parameter } from "../nn/parameter.ts";

/**
 * The values that parameters have now. It costs no memory until they change: a variable's values are never
 * written over, it gets others.
 */
export class WeightSnapshot {
  private held: { parameter: Parameter; values: Tensor }[];

  constructor(parameters: Iterable<Parameter>) {
    this.held = [...parameters].map((parameter) => ({
      parameter,
      values: tf.keep(tf.clone(parameter.variable as Tensor)),
    }));
  }

  /** Gives the parameters these values back, and lets go of them. */
  restore(): void {
    for (const { parameter, values } of this.held) parameter.variable.assign(values);
    this.dispose();
  }

  dispose(): void {
    for (const { values } of this.held) values.dispose();
    this.held = [];
  }
}
