import type { AuxiliaryHeadRecord, HeadRecord } from "./contracts.ts";
import dfp from "./dfp.ts";
import fcn from "./fcn.ts";
import ppm from "./ppm.ts";

/** The built-in heads. */
export const heads: readonly HeadRecord[] = [ppm, dfp];

/** The built-in auxiliary heads. */
export const auxiliaryHeads: readonly AuxiliaryHeadRecord[] = [fcn];
