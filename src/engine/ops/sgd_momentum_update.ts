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
  const [weights, velocity] = tf.tidy(() => {
    const decayed = weightDecay === 0 ? [gradient] : [gradient, tf.mul(variable, weightDecay)];
    const direction = () => (decayed.length === 1 ? gradient : tf.addN(decayed));
    if (!nesterov) {
      const velocity = tf.addN([...decayed, tf.mul(accumulator, momentum)]);
      return [tf.sub(variable, tf.mul(velocity, learningRate)), velocity];
    }
    const d = direction();
    const velocity = tf.add(d, tf.mul(accumulator, momentum));
    const step = tf.add(tf.mul(d, learningRate), tf.mul(velocity, learningRate * momentum));
    return [tf.sub(variable, step), velocity];
  });
  accumulator.assign(velocity!);
  variable.assign(weights!);
  tf.dispose([weights!, velocity!]);
}
