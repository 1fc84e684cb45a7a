import type { Scalar, Tensor3D, Tensor4D } from "@tensorflow/tfjs";

export interface LossInputs {
  readonly numClasses: number;
  readonly ignoreIndex: number;
}

/** Logits [batch, h, w, numClasses] and labels [batch, h, w] (int32) → a scalar, already weighted. */
export interface Loss {
  forward(logits: Tensor4D, labels: Tensor3D): Scalar;
}
