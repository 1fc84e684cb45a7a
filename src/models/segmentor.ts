import * as tf from "@tensorflow/tfjs";
import type { Scalar, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import { within } from "../engine/within.ts";
import type { Loss } from "../losses/contracts.ts";
import { Inspection } from "../registry/guard/inspection.ts";
import { Module, type NetworkContext, resizeLike } from "../nn/index.ts";
import type { AuxiliaryHead, Head } from "../heads/contracts.ts";
import type { Backbone } from "./backbones/contracts.ts";
import type { Neck, NeckTensors } from "../necks/contracts.ts";

export interface SegmentorParts {
  backbone: Backbone;
  neck: Neck;
  head: Head;
  /** One head is named `auxiliary_head` in checkpoints, several `auxiliary_head.0`, `.1`, …; null: none. */
  auxiliaryHead: AuxiliaryHead | AuxiliaryHead[] | null;
  losses: readonly Loss[];
  /** Of each auxiliary head, in their order. */
  auxiliaryLosses: readonly (readonly Loss[])[];
}

export interface LossResult {
  /** The sum of all parts: what is minimised. */
  total: Scalar;
  /** `decode.loss_ce`, `aux.loss_ce` (several auxiliary heads: `aux_0.loss_ce`, …), weights included. */
  parts: Record<string, Scalar>;
}

/**
 * A whole network: backbone → context → neck → head, and auxiliary heads for training.
 *
 * Images are [batch, height, width, channels], normalised; logits [batch, height, width, classes] at the
 * image's size; labels [batch, height, width], int32. Call inside `tf.tidy` or a gradient function.
 */
export class Segmentor extends Module {
  readonly backbone: Backbone;
  readonly neck: Neck;
  readonly head: Head;
  readonly auxiliary_head: AuxiliaryHead | AuxiliaryHead[] | null;
  private readonly inspection = new Inspection();
  private readonly lossesOf: { name: string; where: string; losses: readonly Loss[] }[];

  constructor(
    parts: SegmentorParts,
    readonly numClasses: number,
    /** Mode and random streams of this network; no parameter's name has a part of it. */
    readonly context: NetworkContext,
  ) {
    super();
    this.backbone = parts.backbone;
    this.neck = parts.neck;
    this.head = parts.head;
    this.auxiliary_head = parts.auxiliaryHead;
    const several = parts.auxiliaryLosses.length > 1;
    this.lossesOf = [
      { name: "decode", where: "model.head.losses", losses: parts.losses },
      ...parts.auxiliaryLosses.map((losses, i) => ({
        name: several ? `aux_${i}` : "aux",
        where: `${this.auxiliaryPath(i)}.losses`,
        losses,
      })),
    ];
  }

  private get auxiliaryHeads(): readonly AuxiliaryHead[] {
    const heads = this.auxiliary_head;
    return heads === null ? [] : Array.isArray(heads) ? heads : [heads];
  }

  /**
   * Logits, without the auxiliary heads.
   *
   * @param options.closedGates levels (from 0, finest first) whose gate is replaced by 0 (paper, Figure 8 b)
   */
  forward(images: Tensor4D, options: { closedGates?: readonly number[] } = {}): Tensor4D {
    return tf.tidy(() => this.decode(images, this.features(images), options.closedGates));
  }

  /**
   * Logits at the head's own resolution [batch, h, w, classes], without the auxiliary heads: evaluation
   * resizes them once, straight to the label's size.
   */
  logits(images: Tensor4D): Tensor4D {
    return tf.tidy(() => this.headLogits(this.features(images)));
  }

  /** Logits of the head and of every auxiliary head, all at the image's size. */
  forwardTraining(images: Tensor4D): { logits: Tensor4D; auxiliary: Tensor4D[] } {
    const features = this.features(images);
    const logits = this.decode(images, features);
    const auxiliary = this.auxiliaryHeads.map((head, i) =>
      within(this.auxiliaryPath(i), () =>
        tf.tidy(() => resizeLike(this.inspection.of(head).forward(features.levels), images, this.context)),
      ),
    );
    return { logits, auxiliary };
  }

  /** A training step's losses. */
  loss(images: Tensor4D, labels: Tensor3D): LossResult {
    const { logits, auxiliary } = this.forwardTraining(images);
    const parts: Record<string, Scalar> = {};
    for (const [i, { name, where, losses }] of this.lossesOf.entries()) {
      const of = i === 0 ? logits : auxiliary[i - 1]!;
      for (const loss of losses) {
        const key = `${name}.${loss.name}`;
        const value = within(where, () => this.inspection.of(loss).forward(of, labels));
        parts[key] = parts[key] === undefined ? value : tf.add(parts[key], value);
      }
    }
    return { total: tf.addN(Object.values(parts)), parts };
  }

  /** The head's own losses of given logits, weights included, summed; of auxiliary heads nothing. */
  headLoss(logits: Tensor4D, labels: Tensor3D): Scalar {
    const { where, losses } = this.lossesOf[0]!;
    return within(where, () => tf.tidy(() => tf.addN(losses.map((loss) => loss.forward(logits, labels)))));
  }

  /** The neck's gate maps [batch, h, w, channels], finest first; none where it has no gates. */
  gateMaps(images: Tensor4D): Tensor4D[] {
    return tf.tidy(() => {
      const features = this.features(images);
      return within("model.neck", () => this.neck.gateMaps(features));
    });
  }

  /** Where an auxiliary head stands in the config. */
  private auxiliaryPath(i: number): string {
    return Array.isArray(this.auxiliary_head) ? `model.auxiliary_head.${i}` : "model.auxiliary_head";
  }

  // Each part has a tidy of its own, which frees what is not on the tape as soon as the part is done: at
  // inference a whole image's activations need not lie in memory side by side.

  private features(images: Tensor4D): NeckTensors & { levels: Tensor4D[] } {
    this.inspection.begin(`${tf.getBackend()} ${this.context.training} ${images.shape.join(" ")}`);
    const levels = within("model.backbone", () =>
      tf.tidy(() => this.inspection.of(this.backbone).forward(images)),
    );
    const { context } = this.head;
    if (context === null) return { levels, context };
    return {
      levels,
      context: within("model.head", () => tf.tidy(() => this.inspection.of(context).forward(levels))),
    };
  }

  private decode(images: Tensor4D, features: NeckTensors, closedGates?: readonly number[]): Tensor4D {
    return tf.tidy(() => resizeLike(this.headLogits(features, closedGates), images, this.context));
  }

  private headLogits(features: NeckTensors, closedGates?: readonly number[]): Tensor4D {
    const tensors = closedGates === undefined ? features : { ...features, closedGates };
    const fused = within("model.neck", () => tf.tidy(() => this.inspection.of(this.neck).forward(tensors)));
    return within("model.head", () =>
      tf.tidy(() => this.inspection.of(this.head).forward(fused, features.context)),
    );
  }
}
