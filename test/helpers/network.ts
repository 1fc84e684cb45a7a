import { Value } from "typebox/value";
import { contexts } from "../../src/contexts/index.ts";
import { auxiliaryHeads, heads } from "../../src/heads/index.ts";
import { losses } from "../../src/losses/index.ts";
import { backbones } from "../../src/models/backbones/index.ts";
import type { ModelConfig } from "../../src/models/build.ts";
import { necks } from "../../src/necks/index.ts";
import type { AnyRecord, Kind, RecordsByKind } from "../../src/kinds.ts";
import type { ComponentConfig } from "../../src/registry/component_ref.ts";
import type { Lookup } from "../../src/registry/make.ts";

type Components = Lookup<RecordsByKind>;

/** The built-in parts of networks and the given ones. */
export function componentsWith(...extra: readonly AnyRecord[]): Components {
  const records: AnyRecord[] = [
    ...backbones,
    ...contexts,
    ...necks,
    ...heads,
    ...auxiliaryHeads,
    ...losses,
    ...extra,
  ];
  return {
    get<K extends Kind>(kind: K, type: string): RecordsByKind[K] {
      const record = records.find((candidate) => candidate.kind === kind && candidate.type === type);
      if (record === undefined) throw new Error(`no ${kind} ${type}`);
      return record as RecordsByKind[K];
    },
  };
}

/** Options as the config's loader hands them on: with their defaults, checked against the record's schema. */
export function resolved(components: Components, kind: Kind, config: ComponentConfig): ComponentConfig {
  const { type, ...options } = config;
  const { schema } = components.get(kind, type) as { schema: AnyRecord["schema"] };
  const full = Value.Default(schema, structuredClone(options));
  if (!Value.Check(schema, full))
    throw new Error(`${kind} ${type}: ${JSON.stringify(Value.Errors(schema, full))}`);
  const made = { type, ...(full as object) } as ComponentConfig;
  // A slot's own default is its type alone.
  if (kind === "head" && made["context"] !== undefined)
    made["context"] = resolved(components, "context", made["context"] as ComponentConfig);
  return made;
}

/** A head as fixtures have it that were made before its pyramid pooling was a component. */
export function withContext({ channels, bins, ...head }: ComponentConfig): ComponentConfig {
  const given = Object.entries({ channels, bins }).filter(([, value]) => value !== undefined);
  return given.length === 0 ? head : { ...head, context: { type: "ppm", ...Object.fromEntries(given) } };
}

interface HeadOptions extends ComponentConfig {
  losses?: ComponentConfig[];
}

/** A model section with every default in its place. */
export function resolvedModel(
  components: Components,
  model: {
    backbone: ComponentConfig;
    neck: ComponentConfig;
    head: HeadOptions;
    auxiliary_head?: HeadOptions | HeadOptions[] | null;
    align_corners?: boolean;
    norm?: ModelConfig["norm"];
  },
): ModelConfig {
  const head = (kind: "head" | "auxiliary_head", config: HeadOptions) => {
    const { losses: given, ...options } = kind === "head" ? withContext(config) : config;
    const full = resolved(components, kind, given === undefined ? options : { ...options, losses: given });
    const list = (full.losses ?? given ?? [{ type: "cross_entropy" }]) as ComponentConfig[];
    return { ...full, losses: list.map((loss) => resolved(components, "loss", loss)) };
  };
  const auxiliary = model.auxiliary_head ?? null;
  return {
    in_channels: 3,
    norm: model.norm ?? "batch",
    norm_groups: 2,
    align_corners: model.align_corners ?? false,
    backbone: resolved(components, "backbone", model.backbone),
    neck: resolved(components, "neck", model.neck),
    head: head("head", model.head),
    auxiliary_head: Array.isArray(auxiliary)
      ? auxiliary.map((config) => head("auxiliary_head", config))
      : auxiliary && head("auxiliary_head", auxiliary),
  };
}
