import type { Registry } from "../kinds.ts";
import { namedComponents, type NamedComponent } from "../registry/component_ref.ts";
import type { Config } from "./sections.ts";

/**
 * The scores that decide a run's course, and where the config says so: `checkpoint.best`, and what options of hooks name
 * by their schemas (`componentName("metric")`).
 */
export function scoresThatDecide({ checkpoint, hooks }: Config, registry: Registry): NamedComponent[] {
  const best = checkpoint.best === null ? [] : [{ name: checkpoint.best, path: ["checkpoint", "best"] }];
  const ofHooks = hooks.flatMap((options, i) =>
    namedComponents(registry.get("hook", options.type).schema, options, "metric", ["hooks", i]),
  );
  return [...best, ...ofHooks];
}
