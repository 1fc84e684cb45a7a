import type { Fixture, StoredTensor } from "../helpers/fixtures.ts";
import { recipe } from "../helpers/fixtures.ts";
import type { Segmentor } from "../../src/models/segmentor.ts";
import type { ComponentConfig } from "../../src/registry/component_ref.ts";

/**
 * What is computed on both sides: `job` in the metadata of a fixture and the input of `reference.py`.
 * Images and labels come from the recipe; weights from the recipe or a file.
 */
export interface Job {
  /** As a config's `model` section; an auxiliary head's type is left out, for there is one. */
  readonly model: {
    readonly norm?: "batch" | "group" | "layer";
    readonly backbone: ComponentConfig;
    readonly neck: ComponentConfig;
    readonly head: ComponentConfig;
    readonly auxiliary_head: Readonly<Record<string, unknown>> | null;
    readonly align_corners: boolean;
  };
  readonly classes: number;
  /** [batch, height, width] */
  readonly eval: readonly [number, number, number];
  /** [batch, height, width] */
  readonly train: readonly [number, number, number];
  /** Each image and channel of the noise gets an offset of its own. */
  readonly offsets?: boolean;
  /** Ends the recipes' names of images and labels: which of several draws this is. */
  readonly draw: string;
  readonly seed: number;
  readonly sgd: {
    readonly lr: number;
    readonly momentum: number;
    readonly weight_decay: number;
    /** Of the poly schedule over `iterations`, of which `steps` are made. */
    readonly power: number;
    readonly iterations: number;
    readonly steps: number;
    /** During the updates the backbone normalises by its running statistics. */
    readonly norm_eval: boolean;
  };
}

export const quantities = [
  "eval.logits",
  "train.logits",
  "train.auxiliary",
  "losses",
  "gradients",
  "running",
  "updates.losses",
  "updates.changes",
  "updates.running",
] as const;

/**
 * - `eval.logits`, `train.logits`, `train.auxiliary`: logits at the image's size, [batch, classes, height, width]
 * - `losses`: the parts of the loss and their `total`, with ignored pixels
 * - `gradients`: by parameter
 * - `running`: running statistics after one forward pass in training mode
 * - `updates.losses`: `STEP.PART` of every update
 * - `updates.changes`: what all updates together changed, by parameter
 * - `updates.running`: running statistics after the last update
 */
export type Quantity = (typeof quantities)[number];

/** Quantity → tensor's name → values in PyTorch's order. */
export type Measurements = ReadonlyMap<Quantity, ReadonlyMap<string, Float32Array>>;

/** One tensor of a reference: a sample of its float64 values, its size and PyTorch's own float32 error. */
export interface ReferenceTensor {
  readonly name: string;
  /** Elements at `samplePositions`. */
  readonly values: Float32Array;
  /** Largest absolute value, or root mean square, of the whole tensor. */
  readonly scale: number;
  /** Of PyTorch's float32, in the scale's measure. */
  readonly float32Error: number;
}

export interface Reference {
  readonly job: Job;
  /** Elements kept of a tensor. */
  readonly cap: Readonly<Record<Quantity, number>>;
  readonly tensors: ReadonlyMap<Quantity, readonly ReferenceTensor[]>;
}

/** Elements of the tensors that a network has, by quantity and name. */
export type Sizes = (quantity: Quantity, name: string) => number;

/** A parameter's own elements, a loss's one, and of logits what the fixture's shapes say. */
export function sizesOf(segmentor: Segmentor, fixture: Fixture): Sizes {
  const parameters = new Map(segmentor.namedParameters());
  const shapes = JSON.parse(fixture.metadata.shapes!) as Record<string, number[][]>;
  return (quantity, name) => {
    if (quantity.endsWith("losses")) return 1;
    const shape = shapes[quantity]?.[name === "logits" ? 0 : Number(name)];
    return shape?.reduce((product, n) => product * n, 1) ?? parameters.get(name)!.size;
  };
}

/** Reads what `quantities.py` wrote. `sizeOf` gives the number of elements of each tensor. */
export function readReference({ tensors, metadata }: Fixture, sizeOf: Sizes): Reference {
  const cap = JSON.parse(metadata.cap!) as Reference["cap"];
  const names = JSON.parse(metadata.names!) as Partial<Record<Quantity, string[]>>;
  const list = new Map<Quantity, ReferenceTensor[]>();
  for (const quantity of quantities) {
    if (names[quantity] === undefined) continue;
    const { values } = tensors.get(quantity) as StoredTensor;
    const scales = tensors.get(`${quantity}.scale`)!.values;
    const errors = tensors.get(`${quantity}.float32_error`)!.values;
    let at = 0;
    const found = names[quantity].map((name, i) => {
      const count = Math.min(cap[quantity], sizeOf(quantity, name));
      const kept = values.subarray(at, (at += count));
      return { name, values: kept, scale: scales[i]!, float32Error: errors[i]! };
    });
    if (at !== values.length)
      throw new Error(`${quantity}: ${values.length} values where ${at} are expected`);
    list.set(quantity, found);
  }
  return { job: JSON.parse(metadata.job!) as Job, cap, tensors: list };
}

/** The places of a tensor that a reference keeps: all, or one of each of `cap` equal stretches. */
export function samplePositions(name: string, size: number, cap: number): number[] {
  if (size <= cap) return Array.from({ length: size }, (_, i) => i);
  const drawn = recipe(`sample/${name}`, cap, 0, 1);
  return Array.from(drawn, (u, i) => Math.min(Math.floor((i + u) * (size / cap)), size - 1));
}
