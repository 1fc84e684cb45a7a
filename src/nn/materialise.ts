import * as tf from "@tensorflow/tfjs";
import { Random } from "../util/random.ts";
import type { Module } from "./module.ts";

/**
 * Gives every parameter of `module` its variable on the current engine, filled by its initialiser from a
 * stream of its own, hash(seed, "init", name): a parameter's values depend on its name and the seed alone,
 * so that two networks with the same backbone start with the same backbone.
 *
 * Parameters that have a variable already keep it. The variables carry TensorFlow.js's own generated names
 * (its registry is global and takes a name once), so several networks can exist side by side.
 *
 * @param prefix the module's own name where it is a part of a larger network
 */
export function materialise(module: Module, seed: number, prefix = ""): void {
  for (const [name, parameter] of module.namedParameters(prefix)) {
    if (parameter.isMaterialised) continue;
    const values = parameter.initialiser(parameter.shape, new Random(seed, "init", name));
    parameter.materialise(
      tf.tidy(() => tf.variable(tf.tensor(values, [...parameter.shape]), parameter.trainable)),
    );
  }
}
