import * as tf from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import { Type, type Static } from "typebox";
import type { LevelInfo } from "../models/backbones/contracts.ts";
import { defineNeck, Neck, type NeckInputs, type NeckTensors } from "./contracts.ts";
import { type Conv2d, type ConvBnRelu, type NetworkContext, resizeLike } from "../nn/index.ts";
import {
  fusionOptions,
  gateOptions,
  gateRule,
  inTurn,
  makeGates,
  makeReductions,
  makeRefinement,
  openGates,
  reduceAll,
  requireContext,
} from "./parts.ts";

const Options = Type.Object({ ...fusionOptions, ...gateOptions });

/** A feature pyramid whose steps are gated as in gated fully fusion: Eq. 4 with the gates of Eq. 5 (paper, Table 1). */
export default defineNeck({
  type: "gated_fpn",
  paper: "Table 1; Eq. 4 with the gates of Eq. 5",
  isPyramid: true,
  description: "feature pyramid with a gate on what each level sends down and receives",
  schema: Options,
  rules: [gateRule],
  create: (options, inputs, context) => new GatedFeaturePyramid(options, inputs, context),
});

class GatedFeaturePyramid extends Neck {
  readonly outputs: readonly LevelInfo[];
  readonly usesContext = true;
  readonly isPyramid = true;
  /** X_1 … X_L and the context, the last one. */
  readonly reduce: ConvBnRelu[];
  readonly gates: Conv2d[];
  readonly refine: ConvBnRelu[][];
  private readonly gateInput: "reduced" | "raw";

  constructor(
    options: Static<typeof Options>,
    inputs: NeckInputs,
    private readonly context: NetworkContext,
  ) {
    super();
    const maps = [...inputs.levels, requireContext("gated_fpn", inputs)];
    this.reduce = makeReductions(maps, options.channels, context);
    this.gates = makeGates(options, maps);
    this.gateInput = options.gate_input;
    this.refine = maps.map(() => makeRefinement(options, options.channels, context));
    this.outputs = maps.map(({ stride }) => ({ channels: options.channels, stride }));
  }

  /**
   * P_L = R_L; P_l = (1 + G_l)·R_l + (1 − G_l)·up(G_{l+1}·P_{l+1}); each is refined at the end, what comes
   * down is not.
   */
  forward(tensors: NeckTensors): Tensor4D[] {
    const { pyramid, gates } = this.reducedAndGates(tensors);
    for (let l = pyramid.length - 2; l >= 0; l--) {
      const sent = tf.mul<Tensor4D>(gates[l + 1]!, pyramid[l + 1]!);
      const received = resizeLike(sent, pyramid[l]!, this.context);
      pyramid[l] = tf.add(tf.mul(tf.add(1, gates[l]!), pyramid[l]!), tf.mul(tf.sub(1, gates[l]!), received));
    }
    return pyramid.map((fused, l) => inTurn(this.refine[l]!, fused));
  }

  override gateMaps(tensors: NeckTensors): Tensor4D[] {
    return this.reducedAndGates(tensors).gates;
  }

  private reducedAndGates({ levels, context, closedGates }: NeckTensors) {
    const maps = [...levels, context!];
    const pyramid = reduceAll(this.reduce, maps);
    const gates = openGates(this.gates, this.gateInput === "raw" ? maps : pyramid, closedGates);
    return { pyramid, gates };
  }
}
