import * as tf from "@tensorflow/tfjs";
import { zeros } from "../../nn/initialisers.ts";
import { Parameter } from "../../nn/parameter.ts";

/** A state tensor of zeros as large as a parameter, stored in the same layout. The caller disposes of it. */
export function zerosLike({ shape, layout, role }: Parameter): Parameter {
  return zeroState({ shape, layout, role });
}

/** A single number of a parameter's state, 0 at first. */
export function zeroScalar({ role }: Parameter): Parameter {
  return zeroState({ shape: [], layout: "plain", role });
}

function zeroState(options: Pick<Parameter, "shape" | "layout" | "role">): Parameter {
  const state = new Parameter({ ...options, initialiser: zeros, trainable: false });
  state.materialise(tf.tidy(() => tf.variable(tf.zeros([...options.shape]), false)));
  return state;
}
