import type { Scalar, Tensor2D, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import type { Static, TObject } from "typebox";
import { defineRecord, type Definition, type RecordBase } from "../registry/record.ts";

export interface LossInputs {
  /** Channels of what it sees: the classes, or what a head says of a further output. */
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
  /** What its losses see; `vector` of those that `defineVectorLoss` defines. Default `map`. */
  readonly input?: "map" | "vector";
  create(options: Static<S>, inputs: LossInputs): Loss;
}

export const defineLoss = <S extends TObject>(d: Definition<LossRecord<S>>): LossRecord =>
  defineRecord("loss", d);

/** A loss on an image's vector [batch, numClasses], of which classes are there for example (Zhang et al. 2018). */
export interface VectorLoss {
  readonly name: string;
  forward(vector: Tensor2D, labels: Tensor3D): Scalar;
}

export interface VectorLossRecord<S extends TObject = TObject> extends RecordBase<"loss", S> {
  create(options: Static<S>, inputs: LossInputs): VectorLoss;
}

/** A loss for those outputs of a head that are vectors (`SupervisedOutput.kind`). */
export const defineVectorLoss = <S extends TObject>(d: Definition<VectorLossRecord<S>>): LossRecord =>
  defineRecord("loss", { ...d, input: "vector" });
