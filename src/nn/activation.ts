import type { Tensor4D } from "@tensorflow/tfjs";
import { relu } from "../engine/ops/index.ts";
import { Module } from "./module.ts";

/**
 * max(x, 0). A module without parameters, so that lists of modules can have PyTorch's indices
 * (`stem.0` a convolution, `stem.1` its normalisation, `stem.2` this, `stem.3` the next convolution).
 */
export class Relu extends Module {
  forward(x: Tensor4D): Tensor4D {
    return relu(x);
  }
}
