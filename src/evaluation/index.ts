/** Evaluation: inference on whole images, counts and scores. */
export type * from "./contracts.ts";
export { Confusion } from "./confusion.ts";
export { evaluate } from "./evaluate.ts";
export type { EvaluateInputs } from "./evaluate.ts";
export { inferenceSettings, predictClasses } from "./inference.ts";
export type { InferenceSettings } from "./inference.ts";
export { metricName, type MetricEntry } from "./metric_entry.ts";
export { createMetrics, MetricList } from "./metric_list.ts";
export { predictImages, stackImages } from "./predict_images.ts";
export type { NormalisedImage } from "./predict_images.ts";
