// Names alone: what each kind's record is, for all that look components up. Nothing here exists at run time.
import type { ContextRecord } from "./contexts/contracts.ts";
import type { DatasetRecord, TransformRecord } from "./datasets/contracts.ts";
import type { MetricRecord } from "./evaluation/metrics/contracts.ts";
import type { AuxiliaryHeadRecord, HeadRecord } from "./heads/contracts.ts";
import type { LossRecord } from "./losses/contracts.ts";
import type { BackboneRecord } from "./models/backbones/contracts.ts";
import type { NeckRecord } from "./necks/contracts.ts";
import type { ComponentRegistry } from "./registry/registry.ts";
import type { NameMapRecord } from "./weights/maps/contracts.ts";
import type { HookRecord } from "./training/hooks/contracts.ts";
import type { OptimizerRecord } from "./training/optimizers/contracts.ts";
import type { ScheduleRecord } from "./training/schedules/contracts.ts";

/** Every kind of component and its record. */
export interface RecordsByKind {
  backbone: BackboneRecord;
  context: ContextRecord;
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

/** The registry of segfuse's components. */
export type Registry = ComponentRegistry<RecordsByKind>;
