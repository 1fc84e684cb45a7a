import { createHash } from "node:crypto";

/** Identifies what was evaluated: a hash of the class names and of the samples' ids in order. */
export function datasetFingerprint(classes: readonly string[], ids: Iterable<string>): string {
  const hash = createHash("sha256").update(JSON.stringify(classes));
  for (const id of ids) hash.update(JSON.stringify(id));
  return hash.digest("hex").slice(0, 16);
}
