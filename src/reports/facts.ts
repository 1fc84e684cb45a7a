import { largeIgnoredShare } from "../evaluation/ignored_share.ts";
import { formatDuration } from "../util/duration.ts";
import type { InferenceSettings } from "../evaluation/inference.ts";
import { someNames } from "../util/some_names.ts";
import { metricFacts } from "./extra_metrics.ts";
import { grouped, millions, percent } from "./numbers.ts";
import type { Report } from "./schema.ts";
import type { StudyReport } from "./study_schema.ts";

/** A line of the settings: its name and its text. */
export type Fact = readonly [name: string, text: string];

/** What an evaluation was made from and with, in words. */
export function reportFacts(report: Report): Fact[] {
  const { dataset, settings, checkpoint, config, engine, times } = report;
  return [
    [
      "Data",
      `${dataset.type} ${dataset.split}: ${grouped(dataset.images)} images, ${grouped(dataset.pixels)} pixels counted, ` +
        `${grouped(dataset.ignored_pixels)} ignored (fingerprint ${dataset.fingerprint})`,
    ],
    ["Inference", inferenceText(settings)],
    ...metricFacts(report),
    ["Config", `hash ${config.hash}, seed ${config.seed}${config.path === null ? "" : `, ${config.path}`}`],
    [
      "Checkpoint",
      checkpoint === null
        ? "none"
        : `${checkpoint.path}${checkpoint.iteration === null ? "" : `, iteration ${grouped(checkpoint.iteration)}`}, ` +
          `SHA-256 ${checkpoint.sha256.slice(0, 16)}…`,
    ],
    ...(report.parameters === null ? [] : [["Parameters", millions(report.parameters)] as const]),
    ["Engine", engineText(engine)],
    ["Versions", versionsText(report.versions)],
    [
      "Time",
      `${formatDuration(times.evaluation_seconds)} for the evaluation` +
        (times.seconds_per_image === null ? "" : `, ${times.seconds_per_image.toFixed(3)} s an image`),
    ],
  ];
}

/** What a study was made from and with. */
export function studyFacts(study: StudyReport): Fact[] {
  const { dataset, seeds } = study;
  return [
    [
      "Data",
      `${dataset.type} ${dataset.split}: ${grouped(dataset.images)} images, ${dataset.classes.length} classes ` +
        `(fingerprint ${dataset.fingerprint})`,
    ],
    [seeds.length === 1 ? "Seed" : "Seeds", seeds.join(", ")],
    ...metricFacts(study),
    ["Engine", engineText(study.engine)],
    ["Versions", versionsText(study.versions)],
    ["Time", `${formatDuration(study.seconds)} for the whole study`],
  ];
}

/** Remarks that a reader of the scores needs: what a constant guess scores, what is in no mean, what is ignored. */
export function reportRemarks(report: Report): string[] {
  const { constant_guess: guess, absent_classes: absent, per_class: classes } = report;
  const missing = classes.filter((c) => c.label_pixels === 0 && !absent.includes(c.name)).map((c) => c.name);
  return [
    ...(guess === null ? [] : [constantGuessText(guess)]),
    ...(absent.length === 0 ? [] : [absentClassesText(report)]),
    ...(missing.length === 0
      ? []
      : [`In predictions but in no label, so an IoU of 0 and no Acc: ${someNames(missing)}.`]),
    ...ignoredText(report),
  ];
}

/** The means' classes, and those that are in none. */
function absentClassesText({ absent_classes: absent, per_class: classes }: Report): string {
  return (
    `The means are over ${classes.length - absent.length} of ${classes.length} classes. ` +
    `In no label and no prediction, so in none of the means: ${someNames(absent)}.`
  );
}

/** Told where it is large, or may be what the missing classes are stored as. */
function ignoredText(report: Report): string[] {
  const { dataset, per_class: classes } = report;
  const pixels = dataset.pixels + dataset.ignored_pixels;
  const share = pixels === 0 ? 0 : dataset.ignored_pixels / pixels;
  const labelled = classes.filter((c) => c.label_pixels > 0).length;
  const isDoubtful = dataset.ignored_pixels > 0 && labelled <= 1 && classes.length > 1;
  if (share < largeIgnoredShare && !isDoubtful) return [];
  return [
    `${percent(share)} % of the pixels are ignored and count nowhere; ` +
      "where their stored value stands for a class, data.dataset.label_map says so.",
  ];
}

/**
 * Remarks on a study's scores where a run's means are over fewer classes than there are, or much is ignored: each once,
 * with the rows that it is true of where it is not true of all.
 *
 * @param rows each row's label and the reports of its runs
 */
export function studyRemarks(rows: readonly { label: string; reports: readonly Report[] }[]): string[] {
  const labels = new Map<string, Set<string>>();
  for (const { label, reports } of rows) {
    for (const report of reports) {
      const texts = [
        ...(report.absent_classes.length === 0 ? [] : [absentClassesText(report)]),
        ...ignoredText(report),
      ];
      for (const text of texts) labels.set(text, (labels.get(text) ?? new Set()).add(label));
    }
  }
  return [...labels].map(([text, of]) => (of.size === rows.length ? text : `${[...of].join(", ")}: ${text}`));
}

export function constantGuessText(guess: NonNullable<Report["constant_guess"]>): string {
  return `Always answering ${guess.class}, the commonest class of these labels, scores mIoU ${percent(guess.mIoU)}, aAcc ${percent(guess.aAcc)}.`;
}

/** {@link InferenceSettings}, or those of a report. */
type ShownSettings = Pick<InferenceSettings, "mode" | "scales" | "flip"> &
  Readonly<Record<"window" | "stride", readonly number[]>>;

/** How images became class maps, in words; windows are height × width. */
export function inferenceText({ mode, window, stride, scales, flip }: ShownSettings): string {
  const parts = [
    mode === "whole" ? "whole images" : `windows of ${window.join("×")}, stride ${stride.join("×")}`,
    scales.length === 1 ? `scale ${scales[0]}` : `scales ${scales.join(", ")}`,
    ...(flip ? ["mirrored as well"] : []),
  ];
  return parts.join(", ");
}

function engineText({ backend, version, threads, device }: Report["engine"]): string {
  return `${backend} ${version} on ${device}${threads === null ? "" : `, ${threads} threads`}`;
}

function versionsText(versions: Report["versions"]): string {
  return Object.entries(versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(", ");
}
