import * as tf from "@tensorflow/tfjs";
import { defineVectorLoss, Type } from "segfuse";

/** Binary cross-entropy of which classes an image has (Zhang et al. 2018, the semantic encoding loss). */
export default defineVectorLoss({
  type: "presence",
  description: "which classes an image has",
  schema: Type.Object({ weight: Type.Number({ default: 0.2, description: "factor" }) }),
  create: ({ weight }, { numClasses }) => ({
    name: "loss_presence",
    forward: (vector, labels) => {
      const pixels = tf.oneHot(tf.reshape(labels, [labels.shape[0], -1]), numClasses);
      const is = tf.cast(tf.max(pixels, 1), "float32");
      // log(1 + e^v) − v·is
      return tf.mul(tf.mean<tf.Scalar>(tf.sub(tf.softplus(vector), tf.mul(vector, is))), weight);
    },
  }),
});
