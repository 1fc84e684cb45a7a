import type { DatasetRecord } from "../registry/component.ts";

/** The data sets that come with segfuse. */
export const datasets: readonly DatasetRecord[] = [];
