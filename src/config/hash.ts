import { createHash } from "node:crypto";
import type { Config } from "./sections.ts";
import type { Path } from "./tree.ts";

/** Options that came later: null, they leave a config what it was before there were any. */
const absentWhereNull = new Set(["init_key", "model.backbone.pretrained_key"]);

/**
 * SHA-256 (hex) of what decides a run's result: the resolved config without paths of files, the name (which
 * follows from a path), workers, threads, logging and the least share of weights. Key order does not count.
 *
 * @param paths places of all values that are paths
 */
export function configHash(config: Config, paths: readonly Path[]): string {
  return createHash("sha256").update(decisiveText(config, paths)).digest("hex");
}

/** What {@link configHash} is the hash of, as plain data. */
export function decisiveConfig(config: Config, paths: readonly Path[]): unknown {
  return JSON.parse(decisiveText(config, paths));
}

function decisiveText(config: Config, paths: readonly Path[]): string {
  const ignored = new Set([
    "name",
    "plugins",
    "init_from",
    "min_loaded",
    "log",
    "engine.threads",
    "data.workers",
    ...paths.map((p) => p.join(".")),
  ]);
  return canonical(config, "", ignored);
}

/** JSON with sorted keys and without the ignored places. */
function canonical(value: unknown, place: string, ignored: ReadonlySet<string>): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const inner = (key: string | number) => (place === "" ? String(key) : `${place}.${key}`);
  if (Array.isArray(value))
    return `[${value.map((item, i) => (ignored.has(inner(i)) ? "null" : canonical(item, inner(i), ignored))).join(",")}]`;
  const parts = Object.entries(value)
    .filter(([key, item]) => !ignored.has(inner(key)) && !(item === null && absentWhereNull.has(inner(key))))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => `${JSON.stringify(key)}:${canonical(item, inner(key), ignored)}`);
  return `{${parts.join(",")}}`;
}
