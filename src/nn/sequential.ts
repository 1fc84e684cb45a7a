import type { Tensor4D } from "@tensorflow/tfjs";
import { ActivationLayer } from "./activation.ts";
import type { Module } from "./module.ts";
import { Norm } from "./norm.ts";

/** A module that maps one feature map to another. */
export interface Layer extends Module {
  forward(x: Tensor4D): Tensor4D;
}

/**
 * Runs layers one after the other, as PyTorch's Sequential; a plain list keeps their names (`NAME.0`, `NAME.1`).
 * An activation right after a normalisation is computed with it.
 */
export function sequential(layers: readonly Layer[], x: Tensor4D): Tensor4D {
  for (const [i, layer] of layers.entries()) {
    if (layer instanceof Norm) {
      const next = layers[i + 1];
      x = layer.forward(x, next instanceof ActivationLayer ? next.fused : "none");
    } else if (!(layer instanceof ActivationLayer && layers[i - 1] instanceof Norm)) {
      x = layer.forward(x);
    }
  }
  return x;
}
