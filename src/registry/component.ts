import type { Static, TObject } from "typebox";
import type { Dataset, DatasetInfo, Transform, TransformInputs } from "../datasets/contracts.ts";
import type { ErrorCode } from "../errors.ts";
import type { Better, Metric, MetricInputs } from "../evaluation/metrics/contracts.ts";
import type { Loss, LossInputs } from "../losses/contracts.ts";
import type {
  AuxiliaryHead,
  Backbone,
  ContextModule,
  Head,
  HeadInputs,
  LevelInfo,
  Neck,
  NeckInputs,
} from "../models/contracts.ts";
import type { NetworkContext } from "../nn/context.ts";
import type {
  Hook,
  HookContext,
  HookStage,
  Optimizer,
  OptimizerInputs,
  Schedule,
} from "../runners/contracts.ts";
import type { NameMap } from "../weights/maps/contracts.ts";

/** What a rule says: the option that is at fault, and in words what would be right and what is there. */
export interface RuleFinding {
  /** From the component's own options on: `["range", 0]`. */
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly expected?: string;
  readonly found?: string;
  readonly advice?: string;
}

/**
 * A check of a component's options that no schema can make, because it needs more than one of them. It runs when a
 * config is loaded, so that a mistake is told at its line and before anything is built.
 */
export interface ComponentRule<Options> {
  /** Default: `SEGFUSE_COMPONENT_OPTIONS`. */
  readonly code?: ErrorCode;
  /** @param options valid by the schema, defaults filled in */
  check(options: Options): Iterable<RuleFinding>;
}

/** What every component is: a type name, a schema that documents its options, and a way to make it. */
interface RecordBase<Kind extends string, Schema extends TObject> {
  readonly kind: Kind;
  /** The name that a config writes as `type:`. */
  readonly type: string;
  /** One sentence for `segfuse list`. */
  readonly description: string;
  /** Where the GFF paper (https://arxiv.org/abs/1904.01803) describes it: `3.2, Eq. 5`; for `segfuse list`. */
  readonly paper?: string;
  /** Options without `type`; every option has a default or is required, and has a description. */
  readonly schema: Schema;
  /** Checks of options against each other. */
  readonly rules?: readonly ComponentRule<Static<Schema>>[];
}

export interface BackboneRecord<S extends TObject = TObject> extends RecordBase<"backbone", S> {
  /** How many levels its backbones have, so that a config can be checked before a network is built; undefined: known then only. */
  readonly levelCount?: number;
  create(options: Static<S>, inputs: { inChannels: number }, context: NetworkContext): Backbone;
}
export interface NeckRecord<S extends TObject = TObject> extends RecordBase<"neck", S> {
  /** As its necks' `isPyramid`, so that a config can be checked before a network is built; undefined: known then only. */
  readonly isPyramid?: boolean;
  create(options: Static<S>, inputs: NeckInputs, context: NetworkContext): Neck;
}
export interface HeadRecord<S extends TObject = TObject> extends RecordBase<"head", S> {
  /** True where its heads work only on necks with `isPyramid`. */
  readonly needsPyramid?: boolean;
  /** The context module, made before the neck because a neck may use its output. */
  context(options: Static<S>, levels: readonly LevelInfo[], context: NetworkContext): ContextModule | null;
  create(options: Static<S>, inputs: HeadInputs, context: NetworkContext): Head;
}
export interface AuxiliaryHeadRecord<S extends TObject = TObject> extends RecordBase<"auxiliary_head", S> {
  create(
    options: Static<S>,
    inputs: { levels: readonly LevelInfo[]; numClasses: number },
    context: NetworkContext,
  ): AuxiliaryHead;
}
export interface LossRecord<S extends TObject = TObject> extends RecordBase<"loss", S> {
  create(options: Static<S>, inputs: LossInputs): Loss;
}
export interface DatasetRecord<S extends TObject = TObject> extends RecordBase<"dataset", S> {
  /** What the options alone say of the data set, for commands that need no files; undefined: the files must be there. */
  readonly info?: (options: Static<S>) => DatasetInfo;
  /** Lists the split and checks that its files exist; decodes nothing. Called in the main thread and in each worker. */
  create(options: Static<S>, inputs: { split: string }): Promise<Dataset>;
}
export interface TransformRecord<S extends TObject = TObject> extends RecordBase<"transform", S> {
  create(options: Static<S>, inputs: TransformInputs): Transform;
}
export interface OptimizerRecord<S extends TObject = TObject> extends RecordBase<"optimizer", S> {
  create(options: Static<S>, inputs: OptimizerInputs): Optimizer;
}
export interface ScheduleRecord<S extends TObject = TObject> extends RecordBase<"schedule", S> {
  create(options: Static<S>): Schedule;
}
export interface HookRecord<S extends TObject = TObject> extends RecordBase<"hook", S> {
  /** When its turn comes among a run's hooks; default `user`. */
  readonly stage?: HookStage;
  /** True where a config may list it several times. */
  readonly isRepeatable?: boolean;
  create(options: Static<S>, context: HookContext): Hook;
}
export interface MetricRecord<S extends TObject = TObject> extends RecordBase<"metric", S> {
  /** What reports call it; default: its type. */
  readonly title?: string;
  /** The head of its column in tables by class; default: the title. */
  readonly column?: string;
  /** Default `higher`. */
  readonly better?: Better;
  /** True where it is computed from the masks' boundaries, which are counted only for such metrics. */
  readonly needsBoundary?: boolean;
  /** Called before a run's first update, and tried on made-up counts; throws where options do not fit the classes. */
  create(options: Static<S>, inputs: MetricInputs): Metric;
}
export interface NameMapRecord<S extends TObject = TObject> extends RecordBase<"name_map", S> {
  create(options: Static<S>): NameMap;
}

export interface RecordsByKind {
  backbone: BackboneRecord;
  neck: NeckRecord;
  head: HeadRecord;
  auxiliary_head: AuxiliaryHeadRecord;
  loss: LossRecord;
  dataset: DatasetRecord;
  transform: TransformRecord;
  optimizer: OptimizerRecord;
  schedule: ScheduleRecord;
  hook: HookRecord;
  metric: MetricRecord;
  name_map: NameMapRecord;
}
export type Kind = keyof RecordsByKind;
export type AnyRecord = RecordsByKind[Kind];

/** The kinds, in the order in which `segfuse list` prints them. */
export const kinds = [
  "backbone",
  "neck",
  "head",
  "auxiliary_head",
  "loss",
  "dataset",
  "transform",
  "optimizer",
  "schedule",
  "hook",
  "metric",
  "name_map",
] as const satisfies readonly Kind[];

type Definition<R> = Omit<R, "kind">;

/**
 * Each `define…` adds the kind and keeps the options' static type, so that `create` sees what the schema says.
 * The stored record forgets it again: only validated options reach `create`.
 */
export const defineBackbone = <S extends TObject>(d: Definition<BackboneRecord<S>>): BackboneRecord =>
  ({ kind: "backbone", ...d }) as unknown as BackboneRecord;
export const defineNeck = <S extends TObject>(d: Definition<NeckRecord<S>>): NeckRecord =>
  ({ kind: "neck", ...d }) as unknown as NeckRecord;
export const defineHead = <S extends TObject>(d: Definition<HeadRecord<S>>): HeadRecord =>
  ({ kind: "head", ...d }) as unknown as HeadRecord;
export const defineAuxiliaryHead = <S extends TObject>(
  d: Definition<AuxiliaryHeadRecord<S>>,
): AuxiliaryHeadRecord => ({ kind: "auxiliary_head", ...d }) as unknown as AuxiliaryHeadRecord;
export const defineLoss = <S extends TObject>(d: Definition<LossRecord<S>>): LossRecord =>
  ({ kind: "loss", ...d }) as unknown as LossRecord;
export const defineDataset = <S extends TObject>(d: Definition<DatasetRecord<S>>): DatasetRecord =>
  ({ kind: "dataset", ...d }) as unknown as DatasetRecord;
export const defineTransform = <S extends TObject>(d: Definition<TransformRecord<S>>): TransformRecord =>
  ({ kind: "transform", ...d }) as unknown as TransformRecord;
export const defineOptimizer = <S extends TObject>(d: Definition<OptimizerRecord<S>>): OptimizerRecord =>
  ({ kind: "optimizer", ...d }) as unknown as OptimizerRecord;
export const defineSchedule = <S extends TObject>(d: Definition<ScheduleRecord<S>>): ScheduleRecord =>
  ({ kind: "schedule", ...d }) as unknown as ScheduleRecord;
export const defineHook = <S extends TObject>(d: Definition<HookRecord<S>>): HookRecord =>
  ({ kind: "hook", ...d }) as unknown as HookRecord;
export const defineMetric = <S extends TObject>(d: Definition<MetricRecord<S>>): MetricRecord =>
  ({ kind: "metric", ...d }) as unknown as MetricRecord;
export const defineNameMap = <S extends TObject>(d: Definition<NameMapRecord<S>>): NameMapRecord =>
  ({ kind: "name_map", ...d }) as unknown as NameMapRecord;
