import type { AuxiliaryHeadRecord, HeadRecord } from "../heads/contracts.ts";
import type { LossRecord } from "../losses/contracts.ts";
import type { NeckRecord } from "../necks/contracts.ts";
import { NetworkContext } from "../nn/index.ts";
import type { ComponentConfig } from "../registry/component_ref.ts";
import { makeComponent, optionsOf, type Lookup } from "../registry/make.ts";
import type { BackboneRecord } from "./backbones/contracts.ts";
import { Segmentor } from "./segmentor.ts";

type HeadConfig = ComponentConfig & { losses: readonly ComponentConfig[] };

/** A resolved config's `model` section, as far as the network depends on it. */
export interface ModelConfig {
  in_channels: number;
  align_corners: boolean;
  backbone: ComponentConfig;
  neck: ComponentConfig;
  head: HeadConfig;
  auxiliary_head: HeadConfig | readonly HeadConfig[] | null;
}

/** The kinds that a network is made of. */
export interface NetworkRecords {
  backbone: BackboneRecord;
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
  const context = new NetworkContext({ alignCorners: model.align_corners });
  const { in_channels: inChannels } = model;
  const backbone = makeComponent(components, "backbone", model.backbone, { inChannels }, context);
  const { levels } = backbone;
  const headRecord = components.get("head", model.head.type);
  const contextModule = headRecord.context(optionsOf(headRecord, model.head), levels, context);
  const seen = { levels, context: contextModule?.output ?? null };
  const neck = makeComponent(components, "neck", model.neck, seen, context);
  const head = makeComponent(
    components,
    "head",
    model.head,
    {
      levels,
      context: contextModule,
      fused: neck.outputs,
      neckUsesContext: neck.usesContext,
      neckIsPyramid: neck.isPyramid,
      numClasses,
    },
    context,
  );

  const auxiliary = model.auxiliary_head;
  const makeAuxiliary = (config: HeadConfig) =>
    makeComponent(components, "auxiliary_head", config, { levels, numClasses }, context);
  const makeLosses = (config: HeadConfig) =>
    config.losses.map((loss) => makeComponent(components, "loss", loss, data));
  const auxiliaryConfigs: readonly HeadConfig[] = auxiliary === null ? [] : [auxiliary].flat();

  return new Segmentor(
    {
      backbone,
      neck,
      head,
      auxiliaryHead: isList(auxiliary) ? auxiliary.map(makeAuxiliary) : auxiliary && makeAuxiliary(auxiliary),
      losses: makeLosses(model.head),
      auxiliaryLosses: auxiliaryConfigs.map(makeLosses),
    },
    numClasses,
    context,
  );
}

function isList(value: HeadConfig | readonly HeadConfig[] | null): value is readonly HeadConfig[] {
  return Array.isArray(value);
}
