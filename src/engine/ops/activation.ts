import * as tf from "@tensorflow/tfjs";
import type { Tensor } from "@tensorflow/tfjs";

/** max(x, 0), of any shape. Keeps its output for the gradient, not its input. */
export function relu<T extends Tensor>(x: T): T {
  return tf.relu(x);
}

/** min(max(x, 0), 6), of any shape. Keeps its output for the gradient, not its input. */
export function relu6<T extends Tensor>(x: T): T {
  return tf.relu6(x);
}
