import * as tf from "@tensorflow/tfjs";
import type { Tensor, Variable } from "@tensorflow/tfjs";

/** One parameter's options of SGD. */
export interface SgdMomentumOptions {
  learningRate: number;
  momentum: number;
  weightDecay: number;
  nesterov: boolean;
}

/**
 * One step of SGD as PyTorch's (dampening 0): `d = g + weightDecay · w; v ← momentum · v + d;
 * w ← w − learningRate · (nesterov ? d + momentum · v : v)`. An accumulator of zeros gives PyTorch's first step.
 *
 * @param variable w, any shape; changed
 * @param accumulator v, w's shape; changed
 * @param gradient g, w's shape
 */
export function sgdMomentumUpdate(
  variable: Variable,
  accumulator: Variable,
  gradient: Tensor,
  { learningRate, momentum, weightDecay, nesterov }: SgdMomentumOptions,
): void {
  const { weights, velocity } = tf.tidy(() => {
    const decay = weightDecay === 0 ? [] : [tf.mul(variable, weightDecay)];
    if (!nesterov) {
      const velocity = tf.addN([gradient, ...decay, tf.mul(accumulator, momentum)]);
      return { weights: tf.sub(variable, tf.mul(velocity, learningRate)), velocity };
    }
    const direction = tf.addN([gradient, ...decay]);
    const velocity = tf.add(direction, tf.mul(accumulator, momentum));
    const step = tf.add(tf.mul(direction, learningRate), tf.mul(velocity, learningRate * momentum));
    return { weights: tf.sub(variable, step), velocity };
  });
  accumulator.assign(velocity);
  variable.assign(weights);
  tf.dispose([weights, velocity]);
}
