import type { Tensor4D } from "@tensorflow/tfjs";
import type { Module } from "../nn/module.ts";
import type { LevelInfo } from "../models/backbones/contracts.ts";
import { Neck, type NeckTensors } from "./contracts.ts";

/** What a neck of {@link composeNeck} is made of. */
export interface NeckParts {
  /** Layers by name: `{ reduce: [a, b] }` has its weights under `neck.reduce.0`, `neck.reduce.1` in checkpoints. */
  readonly modules: Readonly<Record<string, Module | readonly Module[]>>;
  /** Channels and stride of each fused map, finest first. */
  readonly outputs: readonly LevelInfo[];
  /** True where one of the fused maps is made from the context map. Default false. */
  readonly usesContext?: boolean;
  /** True where there is one fused map for every backbone level. Default false. */
  readonly isPyramid?: boolean;
  /** Levels [batch, height/stride, width/stride, channels] → fused maps of `outputs`' channels. */
  forward(tensors: NeckTensors): Tensor4D[];
}

/**
 * A neck from its layers and a function: the short form of a class that extends {@link Neck} (which a neck with gate
 * maps needs).
 */
export function composeNeck(parts: NeckParts): Neck {
  const neck = new ComposedNeck(parts);
  for (const name of Object.keys(parts.modules)) {
    if (name in neck)
      throw new TypeError(`a neck's layers cannot be called '${name}': necks have that already`);
  }
  return Object.assign(neck, parts.modules);
}

class ComposedNeck extends Neck {
  readonly outputs: readonly LevelInfo[];
  readonly usesContext: boolean;
  readonly isPyramid: boolean;
  readonly #forward: NeckParts["forward"];

  constructor(parts: NeckParts) {
    super();
    this.outputs = parts.outputs;
    this.usesContext = parts.usesContext ?? false;
    this.isPyramid = parts.isPyramid ?? false;
    this.#forward = (tensors) => parts.forward(tensors);
  }

  forward(tensors: NeckTensors): Tensor4D[] {
    return this.#forward(tensors);
  }
}
