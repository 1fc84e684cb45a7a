import type { Tensor4D } from "@tensorflow/tfjs";
import type { Size } from "../util/size.ts";
import { resizeBilinear } from "../engine/ops/index.ts";
import type { NetworkContext } from "./context.ts";

/**
 * up(x, y) of the papers' equations: x resized bilinearly to y's height and width, with the network's
 * `align_corners`; x itself where the sizes agree.
 */
export function resizeLike(x: Tensor4D, y: Tensor4D, context: NetworkContext): Tensor4D {
  return resizeTo(x, [y.shape[1], y.shape[2]], context);
}

/** The same to a given [height, width]. */
export function resizeTo(x: Tensor4D, size: Size, context: NetworkContext): Tensor4D {
  return resizeBilinear(x, size, context.alignCorners);
}
