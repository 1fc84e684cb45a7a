import type { Tensor, Tensor4D } from "@tensorflow/tfjs";
import { gelu, relu, relu6 } from "../engine/ops/index.ts";
import { Module } from "./module.ts";

/**
 * Activations have no parameters; as modules they give lists of layers PyTorch's indices (`stem.0` a
 * convolution, `stem.1` its normalisation, `stem.2` the activation, `stem.3` the next convolution).
 */
export abstract class ActivationLayer extends Module {
  /** The name under which a normalisation computes it along with its own work. */
  abstract readonly fused: "relu" | "relu6";
  abstract forward(x: Tensor4D): Tensor4D;
}

/** max(x, 0). */
export class Relu extends ActivationLayer {
  readonly fused = "relu";

  forward(x: Tensor4D): Tensor4D {
    return relu(x);
  }
}

/** min(max(x, 0), 6). */
export class Relu6 extends ActivationLayer {
  readonly fused = "relu6";

  forward(x: Tensor4D): Tensor4D {
    return relu6(x);
  }
}

/** x·Φ(x) (Hendrycks and Gimpel 2016), of any shape. */
export class Gelu extends Module {
  forward<T extends Tensor>(x: T): T {
    return gelu(x);
  }
}
