import type { OptimizerRecord } from "../../registry/component.ts";
import sgd from "./sgd.ts";

/** The optimisers that come with segfuse. */
export const optimizers: readonly OptimizerRecord[] = [sgd];
