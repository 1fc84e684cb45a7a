import type { LossRecord } from "../registry/component.ts";
import crossEntropy from "./cross_entropy.ts";

/** The built-in losses. */
export const losses: readonly LossRecord[] = [crossEntropy];
