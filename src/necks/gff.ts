import * as tf from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import { Type, type Static } from "typebox";
import type { LevelInfo } from "../models/backbones/contracts.ts";
import { defineNeck, Neck, type NeckInputs, type NeckTensors } from "./contracts.ts";
import { type Conv2d, type ConvBnRelu, type NetworkContext, sumOfOthers } from "../nn/index.ts";
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
} from "./parts.ts";

const Options = Type.Object({ ...fusionOptions, ...gateOptions });

/** Gated fully fusion: every level sends where its gate is open and receives where it is shut (paper 3.2, Eq. 5). */
export default defineNeck({
  type: "gff",
  paper: "3.2, Eq. 5",
  isPyramid: true,
  description: "gated fully fusion: every level sends and receives through its gate (Eq. 5)",
  schema: Options,
  rules: [gateRule],
  create: (options, inputs, context) => new GatedFullyFusion(options, inputs, context),
});

class GatedFullyFusion extends Neck {
  readonly outputs: readonly LevelInfo[];
  readonly usesContext = false;
  readonly isPyramid = true;
  readonly reduce: ConvBnRelu[];
  readonly gates: Conv2d[];
  readonly refine: ConvBnRelu[][];
  private readonly gateInput: "reduced" | "raw";

  constructor(
    options: Static<typeof Options>,
    { levels }: NeckInputs,
    private readonly context: NetworkContext,
  ) {
    super();
    this.reduce = makeReductions(levels, options.channels, context);
    this.gates = makeGates(options, levels);
    this.gateInput = options.gate_input;
    this.refine = levels.map(() => makeRefinement(options, options.channels, context));
    this.outputs = levels.map(({ stride }) => ({ channels: options.channels, stride }));
  }

  /**
   * Eq. 5: X̃_l = (1 + G_l)·X_l + (1 − G_l)·Σ_{i≠l} G_i·X_i, every X̃_l from the unfused maps, then refined.
   *
   * The product G_i·X_i is taken at level i's size and then resized; (1 + G_l)·X_l is X_l + G_l·X_l, which is
   * there already.
   */
  forward(tensors: NeckTensors): Tensor4D[] {
    const { reduced, gates } = this.reducedAndGates(tensors);
    const sent = reduced.map((x, l) => tf.mul<Tensor4D>(gates[l]!, x));
    const received = sumOfOthers(sent, this.context);
    return reduced.map((x, l) => {
      const fused = tf.addN([x, sent[l]!, tf.mul<Tensor4D>(tf.sub(1, gates[l]!), received[l]!)]);
      return inTurn(this.refine[l]!, fused);
    });
  }

  override gateMaps(tensors: NeckTensors): Tensor4D[] {
    return this.reducedAndGates(tensors).gates;
  }

  private reducedAndGates({ levels, closedGates }: NeckTensors) {
    const reduced = reduceAll(this.reduce, levels);
    const gates = openGates(this.gates, this.gateInput === "raw" ? levels : reduced, closedGates);
    return { reduced, gates };
  }
}
