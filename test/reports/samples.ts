import { Type } from "typebox";
import { Confusion } from "../../src/evaluation/confusion.ts";
import { summarise } from "../../src/evaluation/evaluate.ts";
import { metricName, type MetricEntry } from "../../src/evaluation/metric_entry.ts";
import { createMetrics } from "../../src/evaluation/metric_list.ts";
import { meanOfClasses } from "../../src/evaluation/metrics/parts.ts";
import { defineMetric } from "../../src/evaluation/metrics/contracts.ts";
import { createRegistry } from "../../src/builtin.ts";
import { createReport, createStudyReport, studyRun, type StudyRowInputs } from "../../src/reports/create.ts";
import type { Report } from "../../src/reports/schema.ts";
import type { StudyReport } from "../../src/reports/study_schema.ts";
import { Random } from "../../src/util/random.ts";

/** CamVid's classes and one that never occurs; a name that HTML and Markdown would read as markup. */
export const classes = [
  "sky",
  "building",
  "pole",
  "road",
  "pavement",
  "tree",
  "sign <b>|_symbol_",
  "fence",
  "car",
  "pedestrian",
  "bicyclist",
  "nowhere",
];
const palette: [number, number, number][] = [
  [128, 128, 128],
  [128, 0, 0],
  [192, 192, 128],
  [128, 64, 128],
  [60, 40, 222],
  [128, 128, 0],
  [192, 128, 128],
  [64, 64, 128],
  [64, 0, 128],
  [64, 64, 0],
  [0, 128, 192],
  [255, 0, 255],
];
const pixelsOf = [900, 1300, 40, 1700, 300, 600, 60, 70, 220, 50, 30, 0];
const engine = { backend: "tensorflow", version: "2.21.0", threads: 2, device: "CPU" };
const versions = { segfuse: "0.1.0", node: "20.20.2", tfjs: "4.22.0" };
const created = new Date("2026-01-02T03:04:05Z");

/** A plug-in's metric, which is the better the lower it is. */
const missed = defineMetric({
  type: "missed",
  title: "Missed <b>|_share_",
  column: "Missed",
  description: "share of the pixels that were not found",
  better: "lower",
  schema: Type.Object({ of: Type.Array(Type.String()) }),
  create: () => meanOfClasses(({ intersection, label }) => (label === 0 ? NaN : 1 - intersection / label)),
});
const registry = createRegistry();
registry.register(missed, "/plugins/missed.ts");

/**
 * A report from counts: of each class's pixels the share `quality` is right, the rest anywhere.
 *
 * @param entries what the config's `evaluation.metrics` has beside the default
 */
export function sampleReport(quality: number, seed = 0, entries: readonly MetricEntry[] = []): Report {
  const random = new Random("report", seed, Math.round(1000 * quality));
  const label: number[] = [];
  const prediction: number[] = [];
  for (const [c, count] of pixelsOf.entries()) {
    for (let i = 0; i < count; i++) {
      label.push(c);
      const share = quality * Math.min(1, 0.35 + count / 900);
      prediction.push(random.uniform() < share ? c : random.integer(11));
    }
  }
  label.push(255, 255, 255);
  prediction.push(0, 1, 2);
  const confusion = new Confusion(classes.length, 255);
  confusion.add(prediction, Uint8Array.from(label));
  const metrics = createMetrics(registry, entries, { classes });
  return createReport({
    name: "camvid_gff",
    config: { hash: "0123456789abcdef", path: "configs/camvid/gff.yaml", seed },
    checkpoint: { path: "work_dirs/gff/checkpoints/iter_300", sha256: "ab".repeat(32), iteration: 300 },
    dataset: {
      type: "camvid",
      split: "test",
      fingerprint: "feedfacefeedface",
      classes,
      palette,
      ignore_index: 255,
    },
    settings: {
      mode: "slide",
      window: [160, 160],
      stride: [120, 120],
      scales: [0.75, 1, 1.25],
      flip: true,
      align_corners: false,
      metrics: ["mIoU", "mAcc", "aAcc", ...entries.map(metricName)],
    },
    parameters: 4_897_549,
    engine,
    versions,
    result: summarise({ confusion, boundary: null, metrics, classes, images: 233, seconds: 61.5 }),
    created,
  });
}

/** A study of four rows with the paper's numbers of Tables 1 and 2. */
export function sampleStudy(
  seeds: readonly number[] = [0],
  metric = "mIoU",
  entries: readonly MetricEntry[] = [],
): StudyReport {
  const row = (
    name: string,
    label: string,
    paper: number,
    quality: number,
    extra: Partial<StudyRowInputs> = {},
  ) => ({
    name,
    label,
    paper: { [metric]: paper },
    init_from: name === "pspnet" ? null : "pspnet",
    weights_from: null,
    iterations: 300,
    total_iterations: name === "pspnet" ? 300 : 600,
    parameters: 4_897_549,
    runs: seeds.map((seed) => studyRun(sampleReport(quality, seed, entries), 245)),
    ...extra,
  });
  const rows = [
    row("pspnet", "PSPNet", 78.6, 0.55),
    row("fpn", "+ FPN", 79.3, 0.6),
    row("gff", "+ GFF", 80.4, 0.68),
    row("gff_ms", "+ GFF + MS <i>", 81.8, 0.7, { weights_from: "gff", iterations: 0 }),
  ];
  const { dataset, constant_guess, extra_metrics } = sampleReport(0.5, 0, entries);
  return createStudyReport({
    title: "GFF, Tables 1 and 2",
    metric,
    baseline: "pspnet",
    seeds: [...seeds],
    dataset: {
      type: dataset.type,
      split: dataset.split,
      fingerprint: dataset.fingerprint,
      images: dataset.images,
      classes: dataset.classes,
      palette: dataset.palette,
    },
    ...(extra_metrics && { extra_metrics }),
    rows,
    constant_guess,
    notes: ["mobilenet_v2 from ImageNet, 240×180, batch 8, crop 160×160."],
    samples: [],
    engine,
    versions,
    seconds: 3600,
    created,
  });
}
