import { arrays } from "./arrays.ts";
import { elementwise } from "./elementwise.ts";
import { images } from "./images.ts";
import { linear } from "./linear.ts";
import { reductions } from "./reductions.ts";
import type { ShapeFunctions } from "./types.ts";
import { windows } from "./windows.ts";

/** Every kernel of TF.js that the trace knows: those that a network's forward pass or its gradients may use. */
export const shapeFunctions: ShapeFunctions = {
  ...elementwise,
  ...reductions,
  ...arrays,
  ...windows,
  ...linear,
  ...images,
};
