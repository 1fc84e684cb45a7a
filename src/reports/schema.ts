import { Type, type Static, type TOptional } from "typebox";
import type { ClassMetrics, Metrics } from "../evaluation/contracts.ts";
import { classKeys } from "../evaluation/metrics/class_keys.ts";
import { metrics } from "../evaluation/metrics/index.ts";

const strict = { additionalProperties: false } as const;

/** A fraction 0..1 (kappa may be negative); null where a score is not defined. */
export const Score = Type.Union([Type.Number({ maximum: 1 }), Type.Null()]);
/** Of a plug-in's metric, which need not end at 1. */
const AnyScore = Type.Union([Type.Number(), Type.Null()]);
const Count = Type.Integer({ minimum: 0 });
const Seconds = Type.Number({ minimum: 0 });
const Text = Type.String();

/** The metrics that every reader knows; those that must be asked for may be absent. */
const known = Object.fromEntries(
  metrics.map(({ type, needsBoundary }) => [type, needsBoundary === true ? Type.Optional(Score) : Score]),
) as Known<Metrics>;
const knownOfClasses = Object.fromEntries(
  Object.entries(classKeys).map(([name, key]) => [key, known[name as keyof typeof known]]),
) as Known<ClassMetrics>;

/** A schema of scores by their names, as an interface of evaluations has them. */
type Known<Scores> = {
  -readonly [K in keyof Scores as string extends K ? never : K]-?: undefined extends Scores[K]
    ? TOptional<typeof Score>
    : typeof Score;
};

export const MetricsSchema = Type.Object(known, {
  additionalProperties: AnyScore,
  description:
    "scores of the whole evaluation by metric, as fractions; null where not defined; those of plug-ins are in `extra_metrics`",
});

/** What a reader must know of metrics that are not in every report. */
export const ExtraMetricsSchema = Type.Array(
  Type.Object(
    {
      name: Type.String({ description: "the key of its scores" }),
      title: Text,
      description: Text,
      better: Type.Union([Type.Literal("higher"), Type.Literal("lower")]),
      options: Type.Record(Type.String(), Type.Unknown()),
      column: Type.Union([Text, Type.Null()], {
        description: "the head of its column by class; null: it has none of its own",
      }),
    },
    strict,
  ),
  { description: "metrics of plug-ins, and others that were given options" },
);
/** A metric that is not in every report. */
export type ReportedMetric = Static<typeof ExtraMetricsSchema>[number];

export const ConstantGuessSchema = Type.Object(
  { class: Text, mIoU: Score, mAcc: Score, aAcc: Score },
  { ...strict, description: "what the commonest class of the evaluated labels scores as a constant answer" },
);

export const EngineSchema = Type.Object(
  {
    backend: Text,
    version: Text,
    threads: Type.Union([Type.Integer(), Type.Null()]),
    device: Text,
  },
  { ...strict, description: "what computed the numbers" },
);

export const VersionsSchema = Type.Record(Type.String(), Type.String(), {
  description: "versions by name: segfuse, node, tfjs",
});

const Pair = Type.Array(Type.Integer({ minimum: 1 }), { minItems: 2, maxItems: 2 });

export const ReportSchema = Type.Object(
  {
    format: Type.Literal("segfuse-report-1", { description: "this file's format" }),
    name: Type.String({ description: "the config's name" }),
    created: Type.String({ description: "when the evaluation ended, ISO 8601" }),
    config: Type.Object(
      {
        hash: Type.String({ description: "hash of the resolved config without paths, workers and logging" }),
        path: Type.Union([Text, Type.Null()], {
          description: "from the work folder where it lies there, else the file's name",
        }),
        seed: Type.Integer(),
      },
      strict,
    ),
    checkpoint: Type.Union([
      Type.Object(
        {
          path: Type.String({ description: "from the work folder, or the file's name" }),
          sha256: Text,
          iteration: Type.Union([Count, Type.Null()]),
        },
        strict,
      ),
      Type.Null(),
    ]),
    dataset: Type.Object(
      {
        type: Text,
        split: Text,
        fingerprint: Type.String({ description: "hash of the sample ids of the split, in order" }),
        images: Count,
        pixels: Type.Integer({ minimum: 0, description: "pixels that count" }),
        ignored_pixels: Type.Integer({ minimum: 0, description: "pixels whose label is the ignore index" }),
        ignore_index: Type.Integer(),
        classes: Type.Array(Text),
        palette: Type.Array(
          Type.Array(Type.Integer({ minimum: 0, maximum: 255 }), { minItems: 3, maxItems: 3 }),
        ),
      },
      strict,
    ),
    settings: Type.Object(
      {
        mode: Type.Union([Type.Literal("whole"), Type.Literal("slide")]),
        window: Pair,
        stride: Pair,
        scales: Type.Array(Type.Number()),
        flip: Type.Boolean(),
        align_corners: Type.Boolean(),
        metrics: Type.Array(Text),
      },
      { ...strict, description: "how the images became predictions" },
    ),
    parameters: Type.Union([Count, Type.Null()], {
      description: "trained numbers of the network without the auxiliary head",
    }),
    metrics: MetricsSchema,
    extra_metrics: Type.Optional(ExtraMetricsSchema),
    per_class: Type.Array(
      Type.Object(
        {
          name: Text,
          ...knownOfClasses,
          extra: Type.Optional(
            Type.Record(Type.String(), AnyScore, { description: "scores of `extra_metrics` by their names" }),
          ),
          label_pixels: Count,
          predicted_pixels: Count,
          intersection_pixels: Count,
        },
        strict,
      ),
    ),
    absent_classes: Type.Array(Text, {
      description: "classes in no label and no prediction: in none of the means",
    }),
    confusion: Type.Array(Type.Array(Count), { description: "pixels by [label][prediction]" }),
    constant_guess: Type.Union([ConstantGuessSchema, Type.Null()]),
    engine: EngineSchema,
    versions: VersionsSchema,
    times: Type.Object(
      {
        evaluation_seconds: Seconds,
        seconds_per_image: Type.Union([Seconds, Type.Null()]),
      },
      strict,
    ),
  },
  { ...strict, $id: "urn:segfuse:schema:report-1", title: "segfuse evaluation report" },
);

/** `report.json` of one evaluation. */
export type Report = Static<typeof ReportSchema>;
