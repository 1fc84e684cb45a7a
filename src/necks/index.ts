import type { NeckRecord } from "./contracts.ts";
import addition from "./addition.ts";
import concat from "./concat.ts";
import fpn from "./fpn.ts";
import gatedFpn from "./gated_fpn.ts";
import gff from "./gff.ts";
import none from "./none.ts";

/** The built-in fusion methods, in the order of the paper's Table 1. */
export const necks: readonly NeckRecord[] = [none, concat, addition, fpn, gatedFpn, gff];
