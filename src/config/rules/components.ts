import { errorCodes, SegfuseError, type ErrorCode } from "../../errors.ts";
import type { AnyRecord, Registry } from "../../kinds.ts";
import type { ComponentRule, RuleFinding, Surroundings } from "../../registry/record.ts";
import type { ComponentConfig } from "../../registry/component_ref.ts";
import type { Complaint } from "../complaint.ts";
import type { Config } from "../sections.ts";
import type { ComponentPlace } from "../validate.ts";
import { networkClasses } from "./num_classes.ts";
import type { Finding } from "./rule.ts";

/** What the components' own rules say, plug-ins' included. */
export function* componentFindings(
  config: Config,
  components: readonly ComponentPlace[],
  registry: Registry,
): Generator<Finding & Pick<Complaint, "code">> {
  const around = surroundings(config, registry);
  for (const { kind, path } of components) {
    const { type, ...options } = valueAt(config, path) as ComponentConfig;
    const { rules = [] }: { rules?: AnyRecord["rules"] } = registry.get(kind, type);
    for (const rule of rules as readonly ComponentRule<object>[]) {
      for (const finding of findingsOf(rule, options, around, `${kind} '${type}'`)) {
        yield {
          // A plug-in in plain JavaScript may name any code.
          code: rule.code !== undefined && rule.code in errorCodes ? rule.code : "SEGFUSE_COMPONENT_OPTIONS",
          ...finding,
          path: [...path, ...finding.path],
        };
      }
    }
  }
}

function surroundings(config: Config, registry: Registry): Surroundings {
  const { model, optimizer, schedule } = config;
  const { levelCount } = registry.get("backbone", model.backbone.type);
  return {
    iterations: schedule.iterations,
    baseLr: optimizer.lr,
    levels: levelCount === undefined ? null : { count: levelCount, backbone: model.backbone.type },
    classes: networkClasses(config, registry),
  };
}

/** A plug-in's rule that fails is a complaint of its own, beside all others. */
function findingsOf(
  rule: ComponentRule<object>,
  options: object,
  around: Surroundings,
  name: string,
): readonly (RuleFinding & { code?: ErrorCode })[] {
  try {
    return [...rule.check(options, around)];
  } catch (error) {
    if (!(error instanceof SegfuseError)) throw error;
    const { where, found } = error.details;
    return [
      { code: error.code, path: [], message: `a rule of the ${name} failed`, found: `${where}: ${found}` },
    ];
  }
}

function valueAt(config: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce((value, key) => (value as Record<string | number, unknown>)[key], config);
}
