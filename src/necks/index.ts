import type { NeckRecord } from "../registry/component.ts";

export const necks: readonly NeckRecord[] = [];
