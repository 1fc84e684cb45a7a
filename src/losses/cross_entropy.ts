import * as tf from "@tensorflow/tfjs";
import type { Scalar, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import { Type, type Static } from "typebox";
import { softmaxCrossEntropy } from "../engine/ops/index.ts";
import { defineLoss, type Loss, type LossInputs } from "./contracts.ts";
import { classWeightsOption, classWeightsRule, requirePerClass, weighted, weightOption } from "./options.ts";

const Options = Type.Object({
  ...weightOption,
  ...classWeightsOption("the pixels of each class"),
  avg_non_ignore: Type.Boolean({
    default: true,
    description: "average over the labelled pixels; false: over all pixels, ignored ones included",
  }),
});

/** Cross-entropy of each pixel's softmax, averaged over the pixels that have a label (paper 3.4). */
export default defineLoss({
  type: "cross_entropy",
  paper: "3.4",
  description: "softmax cross-entropy per pixel, with ignored pixels and class weights",
  schema: Options,
  rules: [classWeightsRule],
  create: (options, inputs) => new CrossEntropy(options, inputs),
});

class CrossEntropy implements Loss {
  readonly name = "loss_ce";

  constructor(
    private readonly options: Static<typeof Options>,
    private readonly inputs: LossInputs,
  ) {
    requirePerClass(options.class_weights, inputs.numClasses, "class_weights of a cross_entropy loss");
  }

  forward(logits: Tensor4D, labels: Tensor3D): Scalar {
    const { weight, class_weights, avg_non_ignore } = this.options;
    const loss = softmaxCrossEntropy(logits, labels, {
      ignoreIndex: this.inputs.ignoreIndex,
      classWeights: class_weights === null ? null : tf.tensor1d(class_weights, "float32"),
      avgNonIgnore: avg_non_ignore,
    });
    return weighted(loss, weight);
  }
}
