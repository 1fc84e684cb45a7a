import type { Rule } from "./rule.ts";

/** A crop must leave the deepest level at least as many cells a side as the finest pyramid bin. */
export const cropSize: Rule = {
  code: "SEGFUSE_CROP_SIZE",
  *check({ model, data }) {
    const stride = model.backbone["output_stride"];
    if (typeof stride !== "number") return;
    const bins = Array.isArray(model.head["bins"]) ? (model.head["bins"] as number[]) : [];
    const cells = Math.max(1, ...bins);
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
