import type { NamedTensorMap } from "@tensorflow/tfjs";
import type { Static, TObject } from "typebox";
import type { Parameter } from "../../nn/parameter.ts";
import { defineRecord, type Definition, type RecordBase } from "../../registry/record.ts";

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

export interface OptimizerRecord<S extends TObject = TObject> extends RecordBase<"optimizer", S> {
  create(options: Static<S>, inputs: OptimizerInputs): Optimizer;
}

export const defineOptimizer = <S extends TObject>(d: Definition<OptimizerRecord<S>>): OptimizerRecord =>
  defineRecord("optimizer", d);
