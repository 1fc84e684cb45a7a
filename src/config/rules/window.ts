import type { Rule } from "./rule.ts";

/** Windows that leave gaps between them would leave pixels without a prediction. */
export const slidingWindow: Rule = {
  code: "SEGFUSE_WINDOW_STRIDE",
  *check({ evaluation, data }) {
    if (evaluation.mode !== "slide") return;
    const window = evaluation.window ?? data.crop_size;
    const { stride } = evaluation;
    if (stride[0] <= window[0] && stride[1] <= window[1]) return;
    yield {
      path: ["evaluation", "stride"],
      message: "the stride is larger than the sliding window, which leaves gaps",
      expected: `at most ${JSON.stringify(window)} (${evaluation.window === null ? "data.crop_size" : "evaluation.window"})`,
      found: JSON.stringify(stride),
      advice: "evaluation.stride=null, which is two thirds of the window",
    };
  },
};
