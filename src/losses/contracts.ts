import type { Scalar, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import type { Static, TObject } from "typebox";
import { defineRecord, type Definition, type RecordBase } from "../registry/record.ts";

export interface LossInputs {
  readonly numClasses: number;
  readonly ignoreIndex: number;
}

/** Logits [batch, h, w, numClasses] and labels [batch, h, w] (int32) → a scalar, already weighted. */
export interface Loss {
  /** What logs call it beside its head's name, such as `loss_ce`; losses of one head with one name are summed. */
  readonly name: string;
  forward(logits: Tensor4D, labels: Tensor3D): Scalar;
}

export interface LossRecord<S extends TObject = TObject> extends RecordBase<"loss", S> {
  create(options: Static<S>, inputs: LossInputs): Loss;
}

export const defineLoss = <S extends TObject>(d: Definition<LossRecord<S>>): LossRecord =>
  defineRecord("loss", d);
