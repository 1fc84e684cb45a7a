import type { DatasetRecord } from "./contracts.ts";
import camvid from "./camvid.ts";
import cityscapes from "./cityscapes.ts";
import folder from "./folder.ts";
import syntheticStreets from "./synthetic_streets.ts";

/** The data sets that come with segfuse. */
export const datasets: readonly DatasetRecord[] = [cityscapes, camvid, folder, syntheticStreets];
