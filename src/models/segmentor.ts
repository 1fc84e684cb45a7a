import * as tf from "@tensorflow/tfjs";
import type { Scalar, Tensor, Tensor2D, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import { within } from "../engine/within.ts";
import { Inspection } from "../registry/guard/inspection.ts";
import { Module, type NetworkContext, resizeLike } from "../nn/index.ts";
import type { AuxiliaryHead, Head, HeadTensors } from "../heads/contracts.ts";
import type { Backbone } from "./backbones/contracts.ts";
import type { Neck, NeckTensors } from "../necks/contracts.ts";
import { headMaps } from "./head_maps.ts";
import type { Supervision } from "./supervision.ts";

export interface SegmentorParts {
  backbone: Backbone;
  neck: Neck;
  head: Head;
  /** One head is named `auxiliary_head` in checkpoints, several `auxiliary_head.0`, `.1`, …; null: none. */
  auxiliaryHead: AuxiliaryHead | AuxiliaryHead[] | null;
  supervision: {
    /** Of the logits. */
    readonly logits: Supervision;
    /** Of the head's further outputs, by name. */
    readonly head: ReadonlyMap<string, Supervision>;
    /** Of each auxiliary head, in their order. */
    readonly auxiliary: readonly Supervision[];
  };
}

/** What a network puts out in training, maps at the image's size. */
export interface TrainingOutputs {
  readonly logits: Tensor4D;
  /** Of the head's `supervised`, by name. */
  readonly supervised: Readonly<Record<string, Tensor4D | Tensor2D>>;
  /** Of each auxiliary head, in their order. */
  readonly auxiliary: readonly Tensor4D[];
}

export interface LossResult {
  /** The sum of all parts: what is minimised. */
  total: Scalar;
  /** `decode.loss_ce`, `decode.OUTPUT.loss_ce`, `aux.loss_ce` (several auxiliary heads: `aux_0.loss_ce`, …), weights included. */
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
  private readonly supervision: SegmentorParts["supervision"];

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
    this.supervision = parts.supervision;
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

  /** The head's outputs and those of every auxiliary head, maps at the image's size. */
  forwardTraining(images: Tensor4D): TrainingOutputs {
    const features = this.features(images);
    const atImage = (map: Tensor4D) => resizeLike(map, images, this.context);
    const { logits, supervised } = tf.tidy(() => {
      const maps = this.headMaps(features);
      return within("model.head", () =>
        tf.tidy(() => {
          const outputs = this.head.forwardTraining(maps);
          const further = Object.entries(outputs.supervised);
          return {
            logits: atImage(outputs.logits),
            supervised: Object.fromEntries(
              further.map(([name, output]) => [name, isMap(output) ? atImage(output) : output]),
            ),
          };
        }),
      );
    });
    const auxiliary = this.auxiliaryHeads.map((head, i) =>
      within(this.auxiliaryPath(i), () =>
        tf.tidy(() => atImage(this.inspection.of(head).forward(features.levels))),
      ),
    );
    return { logits, supervised, auxiliary };
  }

  /** A training step's losses. */
  loss(images: Tensor4D, labels: Tensor3D): LossResult {
    const { logits, supervised, auxiliary } = this.forwardTraining(images);
    const { supervision } = this;
    const parts: Record<string, Scalar> = {};
    supervision.logits.addTo(parts, logits, labels);
    for (const [name, output] of supervision.head) output.addTo(parts, supervised[name]!, labels);
    for (const [i, output] of supervision.auxiliary.entries()) output.addTo(parts, auxiliary[i]!, labels);
    return { total: tf.addN(Object.values(parts)), parts };
  }

  /** The losses of given logits, weights included, summed; of further outputs and auxiliary heads nothing. */
  headLoss(logits: Tensor4D, labels: Tensor3D): Scalar {
    return this.supervision.logits.total(logits, labels);
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
    const maps = this.headMaps(features, closedGates);
    return within("model.head", () => tf.tidy(() => this.inspection.of(this.head).forward(maps)));
  }

  /** What the head is given: backbone levels, fused maps, and the context where the neck left or made one. */
  private headMaps(features: NeckTensors, closedGates?: readonly number[]): HeadTensors {
    const tensors = closedGates === undefined ? features : { ...features, closedGates };
    const outputs = within("model.neck", () => tf.tidy(() => this.inspection.of(this.neck).forward(tensors)));
    return { levels: features.levels, ...headMaps(this.neck, outputs, features.context) };
  }
}

function isMap(output: Tensor): output is Tensor4D {
  return output.rank === 4;
}
