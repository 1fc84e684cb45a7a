import { Type, type Static } from "typebox";
import { lossScore } from "../evaluation/scores.ts";
import { lossesOption } from "../heads/contracts.ts";
import { componentName, componentRef, pathOption } from "../registry/component_ref.ts";

// The sections of a config, with every key that is no component's own option. Written once here: the
// static type, the JSON schema, the defaults and the descriptions that editors and `segfuse list` show.

const strict = { additionalProperties: false };

/** Names that become names of folders: nothing in them leads out of the folder above, and they fit every file system. */
export const safeName = "^[A-Za-z0-9][A-Za-z0-9_.-]*$";

/** A list of exactly two. */
const pair = <S extends Parameters<typeof Type.Tuple>[0][number]>(
  item: S,
  options: { description?: string; default?: unknown } = {},
) => Type.Tuple([item, item], options);

const rgb = (options: { description: string; default: [number, number, number] }, minimum?: number) => {
  const number = Type.Number(minimum === undefined ? {} : { exclusiveMinimum: minimum });
  return Type.Array(number, { ...options, minItems: 1 });
};

// Upper bounds are far above anything of use: they catch a slip of the keyboard before it fills the memory.
const most = { side: 65_536, updates: 1_000_000_000, threads: 256, images: 65_536 };
const size = Type.Integer({ minimum: 1, maximum: most.side });
const updates = Type.Integer({ minimum: 1, maximum: most.updates });
const nullable = <S extends Parameters<typeof Type.Union>[0][number]>(
  schema: S,
  options: { description: string; default?: unknown },
) => Type.Union([schema, Type.Null()], { default: null, ...options });

const metric = Type.Union([
  componentName("metric", { description: "a metric's name" }),
  componentRef("metric", { description: "a metric with options" }),
]);

const EngineSection = Type.Object(
  {
    type: Type.Union(
      [Type.Literal("auto"), Type.Literal("tensorflow"), Type.Literal("wasm"), Type.Literal("cpu")],
      {
        default: "auto",
        description: "TensorFlow.js backend; auto: the first that works",
      },
    ),
    threads: nullable(Type.Integer({ minimum: 1, maximum: 1024 }), {
      description: "threads of one operation; null: the engine's own choice",
    }),
  },
  { ...strict, default: {}, description: "where tensors are computed" },
);

/** Options of every head, main or auxiliary, whatever its type. */
const headCommon = Type.Object({
  losses: lossesOption(),
});

const auxiliaryHead = componentRef("auxiliary_head", {
  common: headCommon,
  description: "a head on a backbone level",
});

const ModelSection = Type.Object(
  {
    num_classes: nullable(size, { description: "all classes, background included; null: the data set's" }),
    in_channels: Type.Integer({
      minimum: 1,
      maximum: 1024,
      default: 3,
      description: "channels of the input image",
    }),
    align_corners: Type.Boolean({
      default: false,
      description: "how every bilinear resize of the network places pixels; false: half-pixel centres",
    }),
    preprocess: Type.Object(
      {
        mean: rgb({
          default: [123.675, 116.28, 103.53],
          description: "subtracted from 0..255 RGB, by channel",
        }),
        std: rgb({ default: [58.395, 57.12, 57.375], description: "then divided by this, by channel" }, 0),
      },
      { ...strict, default: {}, description: "normalisation of the image; stored in checkpoints" },
    ),
    norm: Type.Enum(["batch", "sync_batch", "group", "layer"], {
      default: "batch",
      description:
        "every normalisation of the network: batch; sync_batch, over all processes of a run; group, of each image's channels; layer, of each position's",
    }),
    norm_groups: Type.Integer({
      minimum: 1,
      maximum: 65_536,
      default: 32,
      description: "norm group: into how many groups the channels of every map are divided",
    }),
    backbone: componentRef("backbone", { description: "makes the feature levels X1..X4" }),
    neck: componentRef("neck", { default: { type: "none" }, description: "the fusion method" }),
    head: componentRef("head", { common: headCommon, description: "fused maps and context to logits" }),
    auxiliary_head: Type.Union([auxiliaryHead, Type.Array(auxiliaryHead), Type.Null()], {
      default: null,
      description: "deep supervision during training: one head, a list of heads or null",
    }),
  },
  { ...strict, description: "the network" },
);

const transforms = (fallback: readonly unknown[], description: string) =>
  Type.Array(componentRef("transform", { description: "a step of augmentation" }), {
    default: fallback,
    description,
  });

const evaluationSplit = (description: string) =>
  Type.Object(
    {
      split: Type.String({ minLength: 1, default: "val", description: "the data set's split" }),
      transforms: transforms([], "steps on every image before normalisation, in order"),
    },
    { ...strict, default: {}, description },
  );

const DataSection = Type.Object(
  {
    dataset: componentRef("dataset", { description: "images, labels and classes" }),
    batch_size: Type.Integer({
      minimum: 1,
      maximum: most.images,
      default: 8,
      description: "images per forward pass; images per update = batch_size × optimizer.accumulate",
    }),
    workers: Type.Integer({
      minimum: 1,
      maximum: most.threads,
      default: 2,
      description: "threads that decode and augment",
    }),
    crop_size: pair(size, {
      default: [864, 864],
      description:
        "[height, width] of training images; the default of random_crop and of the evaluation window",
    }),
    train: Type.Object(
      {
        split: Type.String({ minLength: 1, default: "train", description: "the data set's split" }),
        transforms: transforms(
          [
            { type: "random_scale", range: [0.75, 2.0] },
            { type: "random_crop" },
            { type: "random_flip", probability: 0.5 },
            { type: "color_jitter", shift: 10 },
          ],
          "augmentation before normalisation, in order; the default is the paper's (4.1)",
        ),
      },
      { ...strict, default: {}, description: "what training sees" },
    ),
    val: evaluationSplit("what evaluation during training sees"),
    test: evaluationSplit("what `segfuse test` and studies report"),
  },
  { ...strict, description: "data set, batches and augmentation" },
);

const paramwiseRule = Type.Object(
  {
    match: Type.String({ minLength: 1, description: "parameter names; * stands for any characters" }),
    lr_mult: Type.Number({ minimum: 0, default: 1, description: "factor of the learning rate" }),
    decay_mult: Type.Number({ minimum: 0, default: 1, description: "factor of the weight decay" }),
  },
  strict,
);

const OptimizerSection = componentRef("optimizer", {
  common: Type.Object({
    lr: Type.Number({ exclusiveMinimum: 0, default: 1e-3, description: "base learning rate" }),
    accumulate: Type.Integer({
      minimum: 1,
      maximum: most.images,
      default: 1,
      description: "batches whose gradients make one update",
    }),
    clip_norm: nullable(Type.Number({ exclusiveMinimum: 0 }), {
      description: "gradients are scaled down to this global norm; null: never",
    }),
    paramwise: Type.Array(paramwiseRule, {
      default: [],
      description: "learning rate and decay by parameter name; the first rule that matches counts",
    }),
  }),
  default: { type: "sgd" },
  description: "how gradients change parameters",
});

const ScheduleSection = componentRef("schedule", {
  common: Type.Object({
    iterations: Type.Integer({
      minimum: 1,
      maximum: most.updates,
      default: 100_000,
      description: "updates of the whole run",
    }),
    warmup: Type.Object(
      {
        iterations: Type.Integer({
          minimum: 0,
          maximum: most.updates,
          default: 0,
          description: "updates with a lowered rate; 0: no warm-up",
        }),
        ratio: Type.Number({
          minimum: 0,
          maximum: 1,
          default: 0.1,
          description: "factor of the rate at the first",
        }),
      },
      { ...strict, default: {}, description: "linear warm-up" },
    ),
  }),
  default: { type: "poly" },
  description: "the learning rate over the run",
});

const interval = (fallback: number, description: string) =>
  Type.Integer({ minimum: 1, maximum: most.updates, default: fallback, description });

const EvaluationSection = Type.Object(
  {
    interval: interval(5000, "updates between evaluations during training"),
    mode: Type.Union([Type.Literal("slide"), Type.Literal("whole")], {
      default: "slide",
      description: "sliding window (the paper's) or the whole image at once",
    }),
    window: nullable(pair(size), {
      description: "[height, width] of the sliding window; null: data.crop_size",
    }),
    // Never null in a resolved config (load.ts), so that its static type is the pair alone.
    stride: Type.Unsafe<[number, number]>(
      nullable(pair(size), {
        description: "[height, width] between two windows; null: two thirds of the window (576 of 864)",
      }),
    ),
    scales: Type.Array(Type.Number({ exclusiveMinimum: 0, maximum: 16 }), {
      minItems: 1,
      maxItems: 32,
      default: [1.0],
      description: "image scales whose class probabilities are averaged",
    }),
    flip: Type.Boolean({ default: false, description: "average with the mirrored image as well" }),
    metrics: Type.Array(metric, {
      minItems: 1,
      uniqueItems: true,
      default: ["mIoU", "mAcc", "aAcc"],
      description: "metrics that tables and logs show; reports hold all of segfuse's own",
    }),
    loss: Type.Boolean({
      default: true,
      description: "count the head's loss as well during training (val_loss)",
    }),
  },
  { ...strict, default: {}, description: "how a network is judged" },
);

const CheckpointSection = Type.Object(
  {
    interval: interval(5000, "updates between checkpoints"),
    keep_last: interval(3, "newest checkpoints that are kept"),
    keep_every: nullable(updates, {
      description: "checkpoints at multiples of this are kept for ever; null: none",
    }),
    best: nullable(componentName("metric", { also: [lossScore] }), {
      default: "mIoU",
      description: "score whose best checkpoint is kept (val_loss: the lowest); null: none",
    }),
  },
  { ...strict, default: {}, description: "when training state is stored" },
);
const LogSection = Type.Object(
  {
    interval: interval(50, "updates between two lines of the log"),
    tensorboard: Type.Boolean({ default: false, description: "write TensorBoard event files as well" }),
  },
  { ...strict, default: {}, description: "what a run writes down" },
);

/** A whole config. Component slots are checked by the composed schema (compose.ts), which knows the registered records. */
export const ConfigSections = Type.Object(
  {
    name: Type.String({
      pattern: safeName,
      minLength: 1,
      maxLength: 200,
      description: "the run's name; default: from the file's path (configs/table1/gff.yaml → table1_gff)",
    }),
    seed: Type.Integer({
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      default: 0,
      description: "every random choice of the run follows from it",
    }),
    engine: EngineSection,
    plugins: Type.Array(Type.String({ minLength: 1 }), {
      default: [],
      description: "modules with components of your own: ./file.ts or a package",
    }),
    init_from: nullable(pathOption({ description: "a checkpoint" }), {
      description: "checkpoint whose weights training starts from; in a study the row decides",
    }),
    init_key: nullable(Type.String({ minLength: 1 }), {
      description:
        "which state dict of a PyTorch file init_from means, such as ema_state_dict; null: the one that fits",
    }),
    allow_fresh: Type.Array(Type.String({ minLength: 1 }), {
      default: [],
      description:
        "patterns of parameters that may stay fresh although the checkpoint has them in another shape",
    }),
    min_loaded: Type.Number({
      minimum: 0,
      maximum: 1,
      default: 0,
      description:
        "the least share of the network's tensors that init_from must give, and pretrained of the backbone's; 0: one tensor",
    }),
    model: ModelSection,
    data: DataSection,
    optimizer: OptimizerSection,
    schedule: ScheduleSection,
    evaluation: EvaluationSection,
    checkpoint: CheckpointSection,
    log: LogSection,
    hooks: Type.Array(componentRef("hook", { description: "what happens around updates" }), {
      default: [],
      description: "additions to the training loop, and options of the hooks that every run has",
    }),
  },
  { ...strict, description: "a segfuse config" },
);

/** A resolved config: every default filled in, every path absolute. Component options are checked, not typed. */
export type Config = Static<typeof ConfigSections>;
