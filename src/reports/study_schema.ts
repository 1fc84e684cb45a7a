import { Type, type Static } from "typebox";
import {
  ConstantGuessSchema,
  EngineSchema,
  ExtraMetricsSchema,
  MetricsSchema,
  Score,
  VersionsSchema,
} from "./schema.ts";

const strict = { additionalProperties: false } as const;
const Count = Type.Integer({ minimum: 0 });
const nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

const Spread = Type.Object(
  {
    mean: nullable(Type.Number()),
    sd: nullable(Type.Number({ minimum: 0 })),
  },
  { ...strict, description: "over seeds; sd is the sample standard deviation, null for one seed" },
);

const StudyRunSchema = Type.Object(
  {
    seed: Type.Integer(),
    metrics: MetricsSchema,
    class_iou: Type.Array(Score, { description: "in the order of `dataset.classes`" }),
    checkpoint_sha256: nullable(Type.String()),
    config_hash: Type.String(),
    train_seconds: nullable(Type.Number({ minimum: 0 })),
    evaluation_seconds: Type.Number({ minimum: 0 }),
  },
  strict,
);

const StudyRowSchema = Type.Object(
  {
    name: Type.String(),
    label: Type.String(),
    paper: Type.Record(Type.String(), Type.Number(), {
      description: "the paper's numbers by metric, in per cent, as the study file has them",
    }),
    init_from: nullable(Type.String({ description: "the row whose weights training started from" })),
    weights_from: nullable(Type.String({ description: "the row whose weights are evaluated; no training" })),
    iterations: Type.Integer({ minimum: 0, description: "updates of this row's own training" }),
    total_iterations: Type.Integer({ minimum: 0, description: "with those of the rows it started from" }),
    parameters: nullable(Count),
    runs: Type.Array(StudyRunSchema, { description: "one a seed" }),
    metrics: Type.Record(Type.String(), Spread, { description: "by metric, as fractions" }),
    delta: nullable(
      Type.Number({ description: "the study's metric, mean less the baseline row's, as a fraction" }),
    ),
    paper_delta: nullable(Type.Number({ description: "the same of the paper, in per cent points" })),
  },
  strict,
);

const StudySampleSchema = Type.Object(
  {
    id: Type.String(),
    panel: Type.String({ description: "a PNG, relative to the report: image, label, one prediction a row" }),
    captions: Type.Array(Type.String(), { description: "one a picture of the panel, line by line" }),
    columns: Type.Integer({ minimum: 1, description: "pictures side by side in the panel" }),
    gap: Type.Optional(
      Type.Integer({ minimum: 0, description: "pixels between pictures of the panel; default 0" }),
    ),
  },
  strict,
);

export const StudyReportSchema = Type.Object(
  {
    format: Type.Literal("segfuse-study-1", { description: "this file's format" }),
    title: Type.String(),
    created: Type.String({ description: "when the study ended, ISO 8601" }),
    metric: Type.String({ description: "the metric that the study compares" }),
    baseline: nullable(Type.String({ description: "the row that differences are taken from" })),
    seeds: Type.Array(Type.Integer()),
    dataset: Type.Object(
      {
        type: Type.String(),
        split: Type.String(),
        fingerprint: Type.String(),
        images: Count,
        classes: Type.Array(Type.String()),
        palette: Type.Array(Type.Array(Type.Integer(), { minItems: 3, maxItems: 3 })),
      },
      strict,
    ),
    extra_metrics: Type.Optional(ExtraMetricsSchema),
    rows: Type.Array(StudyRowSchema),
    constant_guess: nullable(ConstantGuessSchema),
    notes: Type.Array(Type.String(), { description: "settings in words, shown below the table" }),
    samples: Type.Array(StudySampleSchema),
    engine: EngineSchema,
    versions: VersionsSchema,
    seconds: Type.Number({
      minimum: 0,
      description: "wall-clock time of the whole study; of earlier sessions, what their runs took",
    }),
  },
  { ...strict, $id: "urn:segfuse:schema:study-1", title: "segfuse study report" },
);

/** `report.json` of a study: the ablation table beside the paper's. */
export type StudyReport = Static<typeof StudyReportSchema>;
export type StudyRow = Static<typeof StudyRowSchema>;
export type StudyRun = Static<typeof StudyRunSchema>;
export type StudySample = Static<typeof StudySampleSchema>;
