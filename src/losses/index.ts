import type { LossRecord } from "../registry/component.ts";

export const losses: readonly LossRecord[] = [];
