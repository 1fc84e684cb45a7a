import * as tf from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import { Type } from "typebox";
import { SegfuseError } from "../errors.ts";
import type { LevelInfo } from "../models/backbones/contracts.ts";
import type { NeckInputs } from "./contracts.ts";
import type { ComponentRule } from "../registry/record.ts";
import { Conv2d, ConvBnRelu, type NetworkContext, normal } from "../nn/index.ts";

// What several necks are made of.

/** Options of every neck that reduces its levels and refines what it fused. */
export const fusionOptions = {
  channels: Type.Integer({
    minimum: 1,
    maximum: 65_536,
    default: 256,
    description: "channels that every level is reduced to",
  }),
  refine_convs: Type.Integer({
    minimum: 0,
    maximum: 64,
    default: 2,
    description: "3×3 convolutions on each fused map",
  }),
};

/** Options of the gates. */
export const gateOptions = {
  gate_channels: Type.Integer({
    minimum: 1,
    maximum: 65_536,
    default: 1,
    description: "channels of a gate map: 1 (one gate per position), or as many as `channels`",
  }),
  gate_input: Type.Enum(["reduced", "raw"], {
    default: "reduced",
    description: "what a gate looks at: its level after the reduction, or as it came from the backbone",
  }),
};

export interface GateOptions {
  channels: number;
  gate_channels: number;
  gate_input: "reduced" | "raw";
}

/** 1×1 convolutions X_l → R_l; every map that takes part in the fusion gets the same number of channels. */
export function makeReductions(
  maps: readonly LevelInfo[],
  channels: number,
  context: NetworkContext,
): ConvBnRelu[] {
  return maps.map((map) => new ConvBnRelu(context, { kernel: 1, in: map.channels, out: channels }));
}

/** 3×3 convolutions, one after the other, on one fused map. */
export function makeRefinement(
  options: { channels: number; refine_convs: number },
  inChannels: number,
  context: NetworkContext,
): ConvBnRelu[] {
  return Array.from(
    { length: options.refine_convs },
    (_, i) =>
      new ConvBnRelu(context, {
        kernel: 3,
        in: i === 0 ? inChannels : options.channels,
        out: options.channels,
      }),
  );
}

/** Applies modules one after the other. */
export function inTurn(modules: readonly ConvBnRelu[], x: Tensor4D): Tensor4D {
  return modules.reduce((y, module) => module.forward(y), x);
}

/** R_l of every map. */
export function reduceAll(reductions: readonly ConvBnRelu[], maps: readonly Tensor4D[]): Tensor4D[] {
  return reductions.map((reduction, l) => reduction.forward(maps[l]!));
}

/** A gate has one channel, or one for each channel of its map: else it does not broadcast. */
export const gateRule: ComponentRule<GateOptions> = {
  code: "SEGFUSE_GATE_CHANNELS",
  *check({ channels, gate_channels }) {
    if (gate_channels === 1 || gate_channels === channels) return;
    yield {
      path: ["gate_channels"],
      message: "gates do not fit the maps they are for",
      expected: `1 or ${channels} (the neck's channels)`,
      found: String(gate_channels),
    };
  },
};

/**
 * The gates' 1×1 convolutions, with bias and without normalisation. Their weights start near zero, so that
 * every gate starts half open.
 *
 * @throws SegfuseError `SEGFUSE_GATE_CHANNELS` where a gate would not broadcast over its map
 */
export function makeGates(options: GateOptions, maps: readonly LevelInfo[]): Conv2d[] {
  const { channels, gate_channels, gate_input } = options;
  if (gate_channels !== 1 && gate_channels !== channels) {
    throw new SegfuseError("SEGFUSE_GATE_CHANNELS", "gates do not fit the maps they are for", {
      where: "model.neck.gate_channels",
      expected: `1 or ${channels} (the neck's channels)`,
      found: String(gate_channels),
    });
  }
  return maps.map(
    (map) =>
      new Conv2d({
        kernel: 1,
        in: gate_input === "raw" ? map.channels : channels,
        out: gate_channels,
        initialiser: normal(0.01),
      }),
  );
}

/** G_l = sigmoid(w_l · X_l) of every map (paper 3.2), 0 for those in `closed`. */
export function openGates(
  gates: readonly Conv2d[],
  inputs: readonly Tensor4D[],
  closed: readonly number[] = [],
): Tensor4D[] {
  return gates.map((gate, l) => {
    const map = tf.sigmoid(gate.forward(inputs[l]!));
    return closed.includes(l) ? tf.zerosLike(map) : map;
  });
}

/**
 * The context map's channels and stride, for a neck that fuses it as its coarsest level.
 *
 * @throws SegfuseError `SEGFUSE_NECK_NEEDS_CONTEXT`
 */
export function requireContext(type: string, inputs: NeckInputs): LevelInfo {
  if (inputs.context !== null) return inputs.context;
  throw new SegfuseError("SEGFUSE_NECK_NEEDS_CONTEXT", `the neck '${type}' starts from a context map`, {
    where: "model.neck",
    expected: "a context map: model.head.context of another type than none, such as ppm",
    found: "none",
  });
}
