import type { Tensor4D } from "@tensorflow/tfjs";
import { Type } from "typebox";
import { defineNeck, Neck } from "./contracts.ts";

/** No fusion: the head sees the context map alone, which with a `ppm` head is PSPNet, the paper's baseline. */
export default defineNeck({
  type: "none",
  isPyramid: false,
  description: "no fusion; the head sees the context map alone (PSPNet)",
  schema: Type.Object({}),
  create: () => new NoFusion(),
});

class NoFusion extends Neck {
  readonly outputs = [];
  readonly usesContext = false;
  readonly isPyramid = false;

  forward(): Tensor4D[] {
    return [];
  }
}
