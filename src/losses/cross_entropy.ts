import * as tf from "@tensorflow/tfjs";
import type { Scalar, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import { Type, type Static } from "typebox";
import { softmaxCrossEntropy } from "../engine/ops/index.ts";
import { SegfuseError } from "../errors.ts";
import { defineLoss } from "../registry/component.ts";
import type { Loss, LossInputs } from "./contracts.ts";

const Options = Type.Object({
  weight: Type.Number({ minimum: 0, default: 1, description: "what the loss is multiplied by" }),
  class_weights: Type.Union([Type.Array(Type.Number({ minimum: 0 }), { minItems: 1 }), Type.Null()], {
    default: null,
    description: "a factor for the pixels of each class, one number per class; null: all alike",
  }),
  avg_non_ignore: Type.Boolean({
    default: true,
    description: "average over the labelled pixels; false: over all pixels, ignored ones included",
  }),
});

/** Cross-entropy of each pixel's softmax, averaged over the pixels that have a label (paper 3.4). */
export default defineLoss({
  type: "cross_entropy",
  description: "softmax cross-entropy per pixel, with ignored pixels and class weights",
  schema: Options,
  create: (options, inputs) => new CrossEntropy(options, inputs),
});

class CrossEntropy implements Loss {
  readonly name = "loss_ce";

  constructor(
    private readonly options: Static<typeof Options>,
    private readonly inputs: LossInputs,
  ) {
    const count = options.class_weights?.length;
    if (count !== undefined && count !== inputs.numClasses) {
      throw new SegfuseError("SEGFUSE_CLASS_WEIGHTS", "class weights do not fit the classes", {
        where: "class_weights of a cross_entropy loss",
        expected: `${inputs.numClasses} numbers, one per class`,
        found: `${count}`,
      });
    }
  }

  forward(logits: Tensor4D, labels: Tensor3D): Scalar {
    const { weight, class_weights, avg_non_ignore } = this.options;
    const loss = softmaxCrossEntropy(logits, labels, {
      ignoreIndex: this.inputs.ignoreIndex,
      classWeights: class_weights === null ? null : tf.tensor1d(class_weights, "float32"),
      avgNonIgnore: avg_non_ignore,
    });
    return weight === 1 ? loss : tf.mul(loss, weight);
  }
}
