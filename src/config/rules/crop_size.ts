import { contextSlot } from "../../models/build.ts";
import { optionsOf } from "../../registry/make.ts";
import type { Rule } from "./rule.ts";

/** A crop must leave the deepest level as many cells a side as the context needs, and one at least. */
export const cropSize: Rule = {
  code: "SEGFUSE_CROP_SIZE",
  *check({ model, data }, registry) {
    const backbone = registry.get("backbone", model.backbone.type);
    const stride = backbone.lastStride?.(optionsOf(backbone, model.backbone));
    if (stride === undefined) return;
    const slot = contextSlot(model.head, registry);
    const context = slot === null ? null : registry.get("context", slot.type);
    const cells = context?.leastCells?.(optionsOf(context, slot!)) ?? 1;
    const least = cells * stride;
    if (Math.min(...data.crop_size) >= least) return;
    yield {
      path: ["data", "crop_size"],
      message: "the crop is too small for the network",
      expected: `at least ${least} a side: ${cells} cells of the deepest level at an output stride of ${stride}`,
      found: JSON.stringify(data.crop_size),
    };
  },
};
