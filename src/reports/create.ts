import type { ClassMetrics, EvaluationResult } from "../evaluation/contracts.ts";
import { nanMean } from "../evaluation/metrics/parts.ts";
import { classKeys } from "../evaluation/metrics/class_keys.ts";
import { scoreIn } from "./metrics.ts";
import type { Report } from "./schema.ts";
import type { StudyReport, StudyRow, StudyRun } from "./study_schema.ts";

/** What a report says of a run that the evaluation itself does not know. */
export interface ReportInputs extends Pick<
  Report,
  "name" | "config" | "checkpoint" | "settings" | "parameters" | "engine" | "versions"
> {
  readonly dataset: Pick<
    Report["dataset"],
    "type" | "split" | "fingerprint" | "classes" | "palette" | "ignore_index"
  >;
  readonly result: EvaluationResult;
  /** Now, unless given. */
  readonly created?: Date;
}

/** The report of one evaluation. Scores that are not defined (NaN) become null. */
export function createReport(inputs: ReportInputs): Report {
  const { result, created = new Date(), dataset, ...rest } = inputs;
  const { constantGuess: guess } = result;
  return {
    format: "segfuse-report-1",
    ...rest,
    created: created.toISOString(),
    dataset: {
      ...dataset,
      images: result.images,
      pixels: result.pixels,
      ignored_pixels: result.ignoredPixels,
    },
    metrics: defined(result.metrics),
    ...(result.extraMetrics.length > 0 && {
      extra_metrics: result.extraMetrics.map((metric) => ({ ...metric })),
    }),
    per_class: result.perClass.map((c) => ({
      name: c.name,
      ...defined(knownScores(c)),
      ...(c.extra && { extra: defined(c.extra) }),
      label_pixels: c.labelPixels,
      predicted_pixels: c.predictedPixels,
      intersection_pixels: c.intersectionPixels,
    })),
    absent_classes: [...result.absentClasses],
    confusion: result.confusion.map((row) => [...row]),
    constant_guess:
      guess === null
        ? null
        : {
            class: dataset.classes[guess.class]!,
            ...defined({ mIoU: guess.mIoU, mAcc: guess.mAcc, aAcc: guess.aAcc }),
          },
    times: {
      evaluation_seconds: result.seconds,
      seconds_per_image: result.images === 0 ? null : result.seconds / result.images,
    },
  };
}

/** A class's scores that every reader knows, in the order of the file. */
function knownScores(scores: ClassMetrics): ClassMetrics {
  return Object.fromEntries(
    Object.values(classKeys).map((key) => [key, scores[key]]),
  ) as unknown as ClassMetrics;
}

/** A row of a study before its means and differences are known. */
export type StudyRowInputs = Omit<StudyRow, "metrics" | "delta" | "paper_delta">;

/** A study's report: means and sample standard deviations over seeds, differences to the baseline row. */
export function createStudyReport(
  inputs: Omit<StudyReport, "format" | "created" | "rows"> & { rows: StudyRowInputs[]; created?: Date },
): StudyReport {
  const { created = new Date(), rows: plain, ...rest } = inputs;
  const rows = plain.map((row) => ({ ...row, metrics: spreads(row.runs) }));
  const baseline = rows.find(({ name }) => name === inputs.baseline);
  const mean = (row: (typeof rows)[number] | undefined) => row?.metrics[inputs.metric]?.mean ?? null;
  const paper = (row: (typeof rows)[number] | undefined) => row?.paper[inputs.metric] ?? null;
  return {
    format: "segfuse-study-1",
    ...rest,
    created: created.toISOString(),
    rows: rows.map((row) => ({
      ...row,
      delta: row === baseline ? null : difference(mean(row), mean(baseline)),
      paper_delta: row === baseline ? null : difference(paper(row), paper(baseline)),
    })),
  };
}

/** A run of a study's row from the report of its evaluation. */
export function studyRun(report: Report, trainSeconds: number | null): StudyRun {
  return {
    seed: report.config.seed,
    metrics: report.metrics,
    class_iou: report.per_class.map(({ IoU }) => IoU),
    checkpoint_sha256: report.checkpoint?.sha256 ?? null,
    config_hash: report.config.hash,
    train_seconds: trainSeconds,
    evaluation_seconds: report.times.evaluation_seconds,
  };
}

function spreads(runs: readonly StudyRun[]): StudyRow["metrics"] {
  const names = Object.keys(runs[0]?.metrics ?? {});
  return Object.fromEntries(
    names.map((name) => [name, spread(runs.map((run) => scoreIn(run.metrics, name) ?? null))]),
  );
}

function spread(values: readonly (number | null)[]): { mean: number | null; sd: number | null } {
  const numbers = values.filter((value) => value !== null);
  const mean = nanMean(numbers);
  if (numbers.length < 2) return { mean: orNull(mean), sd: null };
  const squares = numbers.reduce((total, value) => total + (value - mean) ** 2, 0);
  return { mean, sd: Math.sqrt(squares / (numbers.length - 1)) };
}

function difference(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a - b;
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

/** Undefined scores as null; scores that were not asked for stay away. */
function defined<T extends object>(scores: T): Defined<T> {
  const entries = Object.entries(scores).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([name, value]) => [name, orNull(value as number)])) as Defined<T>;
}

type Defined<T> = { [K in keyof T]: number extends T[K] ? number | null : T[K] | null };
