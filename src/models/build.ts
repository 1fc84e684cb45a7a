import type { Static, TObject } from "typebox";
import type { Loss, LossInputs } from "../losses/contracts.ts";
import { NetworkContext } from "../nn/index.ts";
import type { Kind, RecordsByKind } from "../kinds.ts";
import type { ComponentConfig } from "../registry/component_ref.ts";
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

/** Where components come from: a `Registry`, or anything that finds a record by its kind and type. */
export interface Components {
  get<K extends Kind>(kind: K, type: string): RecordsByKind[K];
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
  components: Components,
): Segmentor {
  const { numClasses } = data;
  const context = new NetworkContext({ alignCorners: model.align_corners });
  const record = <K extends Kind>(kind: K, config: ComponentConfig) => components.get(kind, config.type);

  const backbone = record("backbone", model.backbone).create(
    options(model.backbone),
    { inChannels: model.in_channels },
    context,
  );
  const { levels } = backbone;
  const headRecord = record("head", model.head);
  const contextModule = headRecord.context(options(model.head), levels, context);
  const neck = record("neck", model.neck).create(
    options(model.neck),
    { levels, context: contextModule?.output ?? null },
    context,
  );
  const head = headRecord.create(
    options(model.head),
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
    record("auxiliary_head", config).create(options(config), { levels, numClasses }, context);
  const makeLosses = (config: HeadConfig) => config.losses.map((loss) => makeLoss(loss, data, components));
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

/** The composed schema has checked them against the record's own by now. */
function options(config: ComponentConfig): Static<TObject> {
  return config as unknown as Static<TObject>;
}

function makeLoss(config: ComponentConfig, data: LossInputs, components: Components): Loss {
  return components.get("loss", config.type).create(options(config), data);
}

function isList(value: HeadConfig | readonly HeadConfig[] | null): value is readonly HeadConfig[] {
  return Array.isArray(value);
}
