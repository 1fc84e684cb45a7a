import { Value } from "typebox/value";
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
  const records: AnyRecord[] = [...backbones, ...necks, ...heads, ...auxiliaryHeads, ...losses, ...extra];
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
  return { type, ...(full as object) };
}

type HeadOptions = ComponentConfig & { losses?: ComponentConfig[] };

/** A model section with every default in its place. */
export function resolvedModel(
  components: Components,
  model: {
    backbone: ComponentConfig;
    neck: ComponentConfig;
    head: HeadOptions;
    auxiliary_head?: HeadOptions | HeadOptions[] | null;
    align_corners?: boolean;
  },
): ModelConfig {
  const head = (kind: "head" | "auxiliary_head", config: HeadOptions) => {
    const { losses: given, ...options } = config;
    const full = resolved(components, kind, given === undefined ? options : { ...options, losses: given });
    const list = (full.losses ?? given ?? [{ type: "cross_entropy" }]) as ComponentConfig[];
    return { ...full, losses: list.map((loss) => resolved(components, "loss", loss)) };
  };
  const auxiliary = model.auxiliary_head ?? null;
  return {
    in_channels: 3,
    align_corners: model.align_corners ?? false,
    backbone: resolved(components, "backbone", model.backbone),
    neck: resolved(components, "neck", model.neck),
    head: head("head", model.head),
    auxiliary_head: Array.isArray(auxiliary)
      ? auxiliary.map((config) => head("auxiliary_head", config))
      : auxiliary && head("auxiliary_head", auxiliary),
  };
}
