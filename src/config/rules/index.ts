import { cropSize } from "./crop_size.ts";
import { densePyramid } from "./dense_pyramid.ts";
import { metricOptions, repeatedMetrics } from "./metrics.ts";
import { numClasses } from "./num_classes.ts";
import { preprocess } from "./preprocess.ts";
import { repeatedHooks } from "./repeated_hooks.ts";
import type { Rule } from "./rule.ts";
import { warmup } from "./warmup.ts";
import { slidingWindow } from "./window.ts";

/** All checks across sections. What concerns a component's own options stands with the component. */
export const rules: readonly Rule[] = [
  densePyramid,
  cropSize,
  numClasses,
  preprocess,
  repeatedHooks,
  repeatedMetrics,
  metricOptions,
  slidingWindow,
  warmup,
];
