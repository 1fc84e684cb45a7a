import type { LoadedStudy } from "../config/study.ts";
import { openDataset } from "../datasets/loader.ts";

/**
 * Opens the split that each row will be scored on before anything is trained: afterwards it would be told that it has
 * no masks, when hours may have gone by.
 *
 * @throws SegfuseError SEGFUSE_DATA_…
 */
export async function checkTestData({ rows }: LoadedStudy): Promise<void> {
  const seen = new Set<string>();
  for (const { config } of rows.map((row) => row.loaded)) {
    const { dataset, test } = config.data;
    const key = JSON.stringify([dataset, test.split, config.plugins]);
    if (seen.has(key)) continue;
    seen.add(key);
    await openDataset(config, "test");
  }
}
