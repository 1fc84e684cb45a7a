import type { OptimizerRecord } from "../../registry/component.ts";

export const optimizers: readonly OptimizerRecord[] = [];
