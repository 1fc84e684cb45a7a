import { auxiliaryLevel } from "./auxiliary_level.ts";
import { classWeights } from "./class_weights.ts";
import { cropSize } from "./crop_size.ts";
import { densePyramid } from "./dense_pyramid.ts";
import { minLr } from "./min_lr.ts";
import { metricOptions, repeatedMetrics } from "./metrics.ts";
import { milestones } from "./milestones.ts";
import { nesterov } from "./nesterov.ts";
import { numClasses } from "./num_classes.ts";
import { preprocess } from "./preprocess.ts";
import { repeatedHooks } from "./repeated_hooks.ts";
import type { Rule } from "./rule.ts";
import { warmup } from "./warmup.ts";
import { slidingWindow } from "./window.ts";

/** All checks across sections. */
export const rules: readonly Rule[] = [
  densePyramid,
  auxiliaryLevel,
  cropSize,
  numClasses,
  classWeights,
  preprocess,
  repeatedHooks,
  repeatedMetrics,
  metricOptions,
  slidingWindow,
  warmup,
  milestones,
  minLr,
  nesterov,
];
