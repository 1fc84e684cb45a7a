import type { ContextRecord } from "../contexts/contracts.ts";
import type { AuxiliaryHeadRecord, Head, HeadRecord } from "../heads/contracts.ts";
import type { LossRecord } from "../losses/contracts.ts";
import type { NeckRecord } from "../necks/contracts.ts";
import { NetworkContext, type NormOptions } from "../nn/index.ts";
import { slotKind, type ComponentConfig } from "../registry/component_ref.ts";
import { makeComponent, optionsOf, type Lookup } from "../registry/make.ts";
import type { BackboneRecord } from "./backbones/contracts.ts";
import { headMaps } from "./head_maps.ts";
import { Segmentor } from "./segmentor.ts";
import { makeLosses, Supervision } from "./supervision.ts";

type HeadConfig = ComponentConfig & { losses: readonly ComponentConfig[] };

/** A resolved config's `model` section, as far as the network depends on it. */
export interface ModelConfig {
  in_channels: number;
  align_corners: boolean;
  norm: NormOptions["type"];
  norm_groups: number;
  backbone: ComponentConfig;
  neck: ComponentConfig;
  head: HeadConfig;
  auxiliary_head: HeadConfig | readonly HeadConfig[] | null;
}

/** The kinds that a network is made of. */
export interface NetworkRecords {
  backbone: BackboneRecord;
  context: ContextRecord;
  neck: NeckRecord;
  head: HeadRecord;
  auxiliary_head: AuxiliaryHeadRecord;
  loss: LossRecord;
}

/**
 * Makes the network that a resolved config names. Its parameters have no values yet: `materialise` gives
 * them fresh ones.
 *
 * @param data classes, background included, and the label of pixels that have none
 * @throws SegfuseError of the components where parts do not fit each other, `SEGFUSE_UNKNOWN_COMPONENT`
 */
export function buildSegmentor(
  model: ModelConfig,
  data: { numClasses: number; ignoreIndex: number },
  components: Lookup<NetworkRecords>,
): Segmentor {
  const { numClasses } = data;
  const network = new NetworkContext({
    alignCorners: model.align_corners,
    norm: { type: model.norm, groups: model.norm_groups },
  });
  const { in_channels: inChannels } = model;
  const backbone = makeComponent(components, "backbone", model.backbone, { inChannels }, network);
  const { levels } = backbone;
  const slot = contextSlot(model.head, components);
  const context = slot === null ? null : makeComponent(components, "context", slot, { levels }, network);
  const seen = { levels, context: context?.output ?? null };
  const neck = makeComponent(components, "neck", model.neck, seen, network);
  const shown = headMaps(neck, neck.outputs, seen.context);
  const head = makeComponent(components, "head", model.head, { levels, ...shown, numClasses }, network);
  head.context = context;

  const auxiliary: readonly HeadConfig[] = model.auxiliary_head === null ? [] : [model.auxiliary_head].flat();
  const auxiliaryHeads = auxiliary.map((config) =>
    makeComponent(components, "auxiliary_head", config, { levels, numClasses }, network),
  );
  const isList = Array.isArray(model.auxiliary_head);
  const supervise = (name: string, where: string, { losses }: HeadConfig) => {
    const output = { name, kind: "map" } as const;
    return new Supervision(name, `${where}.losses`, makeLosses(losses, output, data, components));
  };
  return new Segmentor(
    {
      backbone,
      neck,
      head,
      auxiliaryHead: isList ? auxiliaryHeads : (auxiliaryHeads[0] ?? null),
      supervision: {
        logits: supervise("decode", "model.head", model.head),
        head: ofHead(head, data, components),
        auxiliary: auxiliary.map((config, i) =>
          supervise(
            auxiliary.length > 1 ? `aux_${i}` : "aux",
            isList ? `model.auxiliary_head.${i}` : "model.auxiliary_head",
            config,
          ),
        ),
      },
    },
    numClasses,
    network,
  );
}

/** What a head's option `context` names; null where it has none. */
export function contextSlot(
  config: ComponentConfig,
  components: Lookup<{ head: HeadRecord }>,
): ComponentConfig | null {
  const record = components.get("head", config.type);
  if (slotKind(record.schema.properties["context"]) !== "context") return null;
  return optionsOf(record, config)["context"] as ComponentConfig;
}

/** The losses of the outputs that a head has beside its logits. */
function ofHead(
  { supervised }: Head,
  data: { numClasses: number; ignoreIndex: number },
  components: Lookup<NetworkRecords>,
): Map<string, Supervision> {
  return new Map(
    supervised.map((output) => [
      output.name,
      new Supervision(
        `decode.${output.name}`,
        "model.head",
        makeLosses(output.losses, output, data, components),
      ),
    ]),
  );
}
