import type { TransformRecord } from "../../registry/component.ts";

/** The transforms that come with segfuse. */
export const transforms: readonly TransformRecord[] = [];
