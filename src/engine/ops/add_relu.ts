import * as tf from "@tensorflow/tfjs";
import type { Tensor } from "@tensorflow/tfjs";
import { customOp } from "../custom_op.ts";
import { activationGradient } from "../gradients/relu.ts";

/** max(a + b, 0), of two tensors of one shape (the end of a residual block); the sum itself is not kept. */
export function addRelu<T extends Tensor>(a: T, b: T): T {
  const [y] = customOp(
    { a, b },
    (save) => {
      const y = tf.relu(tf.add(a, b));
      save([y]);
      return [y];
    },
    ([dy], [y]) => {
      const gradient = activationGradient(dy!, y!, "relu");
      return [gradient, tf.clone(gradient)];
    },
  );
  return y as T;
}
