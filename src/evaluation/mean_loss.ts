import * as tf from "@tensorflow/tfjs";
import type { Scalar, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import type { EvaluationSample } from "../datasets/contracts.ts";

/** The mean of a loss over images, each weighing as much as it has labelled pixels; an image without any does not count. */
export class MeanLoss {
  private sum = 0;
  private pixels = 0;

  constructor(
    private readonly loss: (logits: Tensor4D, labels: Tensor3D) => Scalar,
    private readonly ignoreIndex: number,
  ) {}

  /** What adds images of one size when their logits [batch, height, width, classes] are there. */
  of(samples: readonly EvaluationSample[]): (logits: Tensor4D) => void {
    return (logits) => {
      for (const [i, { label, labelHeight, labelWidth }] of samples.entries()) {
        let pixels = 0;
        for (const value of label) if (value !== this.ignoreIndex) pixels++;
        if (pixels === 0) continue;
        const value = tf.tidy(() => {
          const own = samples.length === 1 ? logits : tf.slice4d(logits, [i, 0, 0, 0], [1, -1, -1, -1]);
          const labels = tf.tensor3d(Int32Array.from(label), [1, labelHeight, labelWidth], "int32");
          return this.loss(own, labels).dataSync()[0]!;
        });
        this.sum += pixels * value;
        this.pixels += pixels;
      }
    };
  }

  /** NaN where no image had a label. */
  get mean(): number {
    return this.sum / this.pixels;
  }
}
