import type { LossRecord } from "./contracts.ts";
import crossEntropy from "./cross_entropy.ts";
import dice from "./dice.ts";
import focal from "./focal.ts";
import lovaszSoftmax from "./lovasz_softmax.ts";
import ohemCrossEntropy from "./ohem_cross_entropy.ts";

/** The built-in losses. */
export const losses: readonly LossRecord[] = [crossEntropy, ohemCrossEntropy, dice, focal, lovaszSoftmax];
