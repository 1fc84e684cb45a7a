import type { AnyRecord, ComponentRule } from "../../registry/component.ts";
import type { ComponentConfig } from "../../registry/component_ref.ts";
import type { Registry } from "../../registry/registry.ts";
import type { Complaint } from "../complaint.ts";
import type { Config } from "../sections.ts";
import type { ComponentPlace } from "../validate.ts";
import type { Finding } from "./rule.ts";

/** What the components' own rules say, plug-ins' included. */
export function* componentFindings(
  config: Config,
  components: readonly ComponentPlace[],
  registry: Registry,
): Generator<Finding & Pick<Complaint, "code">> {
  for (const { kind, path } of components) {
    const { type, ...options } = valueAt(config, path) as ComponentConfig;
    const { rules = [] }: { rules?: AnyRecord["rules"] } = registry.get(kind, type);
    for (const rule of rules as readonly ComponentRule<object>[]) {
      for (const finding of rule.check(options)) {
        yield {
          code: rule.code ?? "SEGFUSE_COMPONENT_OPTIONS",
          ...finding,
          path: [...path, ...finding.path],
        };
      }
    }
  }
}

function valueAt(config: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce((value, key) => (value as Record<string | number, unknown>)[key], config);
}
