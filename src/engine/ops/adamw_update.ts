import * as tf from "@tensorflow/tfjs";
import type { Tensor, Variable } from "@tensorflow/tfjs";

/** One parameter's options of one step of AdamW. */
export interface AdamWOptions {
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  /** Decoupled: w shrinks by learningRate · weightDecay, beside the step. */
  weightDecay: number;
  /** The step's number, from 1: corrects the averages' start at 0. */
  step: number;
}

/** What AdamW remembers of one parameter; each as large as it, zeros at first. */
export interface AdamWState {
  /** m, the average gradient. */
  average: Variable;
  /** v, the average squared gradient. */
  averageSquare: Variable;
  /** The largest v so far (AMSGrad); null: v itself is used. */
  largest: Variable | null;
}

/**
 * One step of AdamW (Loshchilov and Hutter 2019) as PyTorch's: `w ← w · (1 − lr · decay)`;
 * `m ← m + (1 − β₁) · (g − m)`; `v ← β₂ · v + (1 − β₂) · g²`;
 * `w ← w − lr / (1 − β₁ᵗ) · m / (√(v / (1 − β₂ᵗ)) + ε)`. With AMSGrad (Reddi et al. 2018) the largest v so far
 * takes v's place in the last.
 *
 * @param variable w, any shape; changed, as the state is
 * @param gradient g, w's shape
 */
export function adamWUpdate(
  variable: Variable,
  state: AdamWState,
  gradient: Tensor,
  { learningRate, beta1, beta2, epsilon, weightDecay, step }: AdamWOptions,
): void {
  const stepSize = learningRate / (1 - beta1 ** step);
  const correction = Math.sqrt(1 - beta2 ** step);
  const { weights, average, averageSquare, largest } = tf.tidy(() => {
    const average = tf.add(state.average, tf.mul(tf.sub(gradient, state.average), 1 - beta1));
    const averageSquare = tf.add(
      tf.mul(state.averageSquare, beta2),
      tf.mul(tf.square<Tensor>(gradient), 1 - beta2),
    );
    // Without AMSGrad v's own array: disposing of it twice below is harmless.
    const largest = state.largest === null ? averageSquare : tf.maximum(state.largest, averageSquare);
    const spread = tf.add(tf.div(tf.sqrt<Tensor>(largest), correction), epsilon);
    const decayed = weightDecay === 0 ? variable : tf.mul(variable, 1 - learningRate * weightDecay);
    const weights = tf.sub(decayed, tf.mul(tf.div(average, spread), stepSize));
    return { weights, average, averageSquare, largest };
  });
  variable.assign(weights);
  state.average.assign(average);
  state.averageSquare.assign(averageSquare);
  state.largest?.assign(largest);
  tf.dispose([weights, average, averageSquare, largest]);
}
