import type { NamedTensorMap } from "@tensorflow/tfjs";
import type { Parameter } from "../nn/parameter.ts";

export interface OptimizerInputs {
  /** Trainable parameters by name. */
  readonly parameters: ReadonlyMap<string, Parameter>;
}

/** Updates parameters from gradients; its state has names, so that it can be stored and read again. */
export interface Optimizer {
  /** `gradients` by parameter name, each in the parameter's memory order; `lr` from the schedule. */
  apply(gradients: NamedTensorMap, lr: number): void;
  /** State tensors (memory order) by `PARAM.momentum_buffer` and the like, with the parameter's layout. */
  state(): ReadonlyMap<string, Parameter>;
  dispose(): void;
}

/** Learning rate as a factor of the base: iteration 0..iterations-1 → rate. */
export interface Schedule {
  readonly iterations: number;
  rate(iteration: number, baseLr: number): number;
}
