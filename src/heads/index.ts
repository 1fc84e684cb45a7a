import type { AuxiliaryHeadRecord, HeadRecord } from "../registry/component.ts";

export const heads: readonly HeadRecord[] = [];
export const auxiliaryHeads: readonly AuxiliaryHeadRecord[] = [];
