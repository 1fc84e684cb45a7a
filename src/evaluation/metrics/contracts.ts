import type { Static, TObject } from "typebox";
import { defineRecord, type Definition, type RecordBase } from "../../registry/record.ts";
import type { ReadonlyScope } from "../../registry/scope.ts";

/** What the scores of one class are made from. Whole numbers of pixels. */
export interface ClassCounts {
  /** Pixels with this label and this prediction. */
  readonly intersection: number;
  /** Pixels with this prediction whose label counts. */
  readonly prediction: number;
  /** Pixels with this label. */
  readonly label: number;
}

/** All that an evaluation has counted. Frozen: every metric is given the same. */
export interface EvaluationCounts {
  /** The data set's classes; every list below has their order. */
  readonly classes: readonly string[];
  /** Pixels by [label][prediction]; pixels with the ignore index are not in it. */
  readonly confusion: readonly (readonly number[])[];
  /** The same by class. */
  readonly counts: readonly ClassCounts[];
  /** By class, of pixels near the masks' boundaries alone; null unless a metric's record says `needsBoundary`. */
  readonly boundary: readonly ClassCounts[] | null;
}

/** What a metric is made with, before anything is counted. */
export interface MetricInputs {
  /** The data set's classes. */
  readonly classes: readonly string[];
  /**
   * Gives by a token of `runTokens` what else the run shares. A run that trains makes its metrics twice: on trial, before
   * there are an engine and weights, and for its evaluations.
   */
  readonly scope: ReadonlyScope;
}

/** A score of a whole evaluation, computed from what it has counted. */
export interface Metric {
  /** A fraction, which tables show in per cent; NaN where it is not defined. */
  compute(counts: EvaluationCounts): number;
  /** The same of each class alone, for a column of tables by class; NaN where it is not defined. */
  perClass?(counts: EvaluationCounts): readonly number[];
}

/** Whether a score gets better as it grows or as it falls. */
export type Better = "higher" | "lower";

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

export const defineMetric = <S extends TObject>(d: Definition<MetricRecord<S>>): MetricRecord =>
  defineRecord("metric", d);
