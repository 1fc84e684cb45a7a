import { createHash } from "node:crypto";
import type { ComponentConfig } from "../registry/component_ref.ts";
import type { Config } from "./sections.ts";
import type { Path } from "./tree.ts";

/**
 * Defaults that came later, as JSON, and what stood there before: null where nothing did. With them a config has the
 * hash that it had, and runs from then go on.
 */
const laterDefaults: Readonly<Record<string, { readonly now: string; readonly then: string | null }>> = {
  "model.norm": { now: '"batch"', then: null },
  "model.norm_groups": { now: "32", then: null },
  init_key: { now: "null", then: null },
  "model.backbone.pretrained_key": { now: "null", then: null },
  "data.dataset.list": { now: "null", then: null },
  "data.dataset.oversample": { now: "false", then: null },
  "data.dataset.exif": { now: '"apply"', then: null },
  "data.dataset.label_map": { now: "{}", then: null },
  "data.dataset.palette_masks": { now: '"auto"', then: null },
  "data.dataset.mask_suffixes": { now: '[".png",".tif",".tiff",".bmp"]', then: '[".png"]' },
};

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
  return canonical(asBefore(config), "", ignored);
}

/** Pyramid pooling's options stood in the heads themselves before contexts were components. */
function asBefore(config: Config): unknown {
  const { context, ...head } = config.model.head;
  const { type, ...options } = (context ?? {}) as Partial<ComponentConfig>;
  if (type !== "ppm" || !["ppm", "dfp"].includes(head.type)) return config;
  return { ...config, model: { ...config.model, head: { ...head, ...options } } };
}

/** JSON with sorted keys and without the ignored places. */
function canonical(value: unknown, place: string, ignored: ReadonlySet<string>): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const inner = (key: string | number) => (place === "" ? String(key) : `${place}.${key}`);
  if (Array.isArray(value))
    return `[${value.map((item, i) => (ignored.has(inner(i)) ? "null" : canonical(item, inner(i), ignored))).join(",")}]`;
  const parts = Object.entries(value)
    .filter(([key]) => !ignored.has(inner(key)))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([key, item]) => {
      const later = laterDefaults[inner(key)];
      const text = canonical(item, inner(key), ignored);
      const stored = text === later?.now ? later.then : text;
      return stored === null ? [] : [`${JSON.stringify(key)}:${stored}`];
    });
  return `{${parts.join(",")}}`;
}
