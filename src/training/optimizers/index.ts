import adamw from "./adamw.ts";
import sgd from "./sgd.ts";
import type { OptimizerRecord } from "./contracts.ts";

/** The optimisers that come with segfuse. */
export const optimizers: readonly OptimizerRecord[] = [sgd, adamw];
