import type { ErrorRecords } from "./record.ts";

/** What a config, a study or a plug-in says that does not go together. */
export const componentsErrors = {
  SEGFUSE_COMPONENT_OPTIONS: {
    exit: 2,
    title: "options of a component that do not go together",
    means: "Each option of the component is right by itself; together they make no sense.",
    example: "config",
    wrong: ["_base_: small.yaml", "data: {train: {transforms: [{type: random_scale, range: [2.0, 0.5]}]}}"],
    right: ["_base_: small.yaml", "data: {train: {transforms: [{type: random_scale, range: [0.5, 2.0]}]}}"],
  },
  SEGFUSE_CROP_SIZE: {
    exit: 2,
    title: "a crop that is too small for the network",
    means:
      "At the deepest level, which is smaller than the crop by the output stride, every bin of the pyramid " +
      "pooling needs a cell of its own.",
    example: "config",
    wrong: ["_base_: small.yaml", "data: {crop_size: [32, 32]}"],
    right: ["_base_: small.yaml", "data: {crop_size: [96, 96]}"],
  },
  SEGFUSE_PREPROCESS: {
    exit: 2,
    title: "mean or standard deviation that do not fit the image's channels",
    means:
      "Mean and standard deviation have one number for each channel of the image, in the units of its values: 0 to 255, " +
      "or 0 to 65535 where model.preprocess.bits is 16.",
    example: "config",
    wrong: ["_base_: small.yaml", "model: {preprocess: {mean: [127.5]}}"],
    right: ["_base_: small.yaml", "model: {preprocess: {mean: [127.5, 127.5, 127.5]}}"],
  },
  SEGFUSE_HOOK_TWICE: {
    exit: 2,
    title: "a hook that makes sense once stands in the list twice",
    means: "Most hooks do the same again when they stand in the list twice.",
    example: "config",
    wrong: ["_base_: small.yaml", "hooks: [{type: ema}, {type: ema}]"],
    right: ["_base_: small.yaml", "hooks: [{type: ema}]"],
  },
  SEGFUSE_WARMUP: {
    exit: 2,
    title: "a warm-up that is as long as the run",
    means: "The warm-up takes as many updates as the run has, or more; the schedule would never begin.",
    example: "config",
    wrong: ["_base_: small.yaml", "schedule: {iterations: 100, warmup: {iterations: 500}}"],
    right: ["_base_: small.yaml", "schedule: {iterations: 1000, warmup: {iterations: 500}}"],
  },
  SEGFUSE_NUM_CLASSES: {
    exit: 2,
    title: "the network and the data set differ in their number of classes",
    means: "`model.num_classes` is not the number of the data set's classes. It may stay out.",
    example: "config",
    wrong: ["_base_: small.yaml", "model: {num_classes: 3}"],
    right: ["_base_: small.yaml", "model: {num_classes: 2}"],
  },
  SEGFUSE_IGNORE_INDEX: {
    exit: 2,
    title: "the ignored label is the number of a class",
    means: "The label of pixels that count nowhere is the number of a class, whose pixels would be lost.",
    example: "config",
    wrong: ["_base_: small.yaml", "data: {dataset: {ignore_index: 1}}"],
    right: ["_base_: small.yaml", "data: {dataset: {ignore_index: 255}}"],
  },
  SEGFUSE_CLASS_WEIGHTS: {
    exit: 2,
    title: "a list of class weights that is not as long as the classes",
    means: "A loss's class weights are one number for each class.",
    example: "config",
    wrong: [
      "_base_: small.yaml",
      "model: {head: {losses: [{type: cross_entropy, class_weights: [1, 2, 3]}]}}",
    ],
    right: ["_base_: small.yaml", "model: {head: {losses: [{type: cross_entropy, class_weights: [1, 2]}]}}"],
  },
  SEGFUSE_GATE_CHANNELS: {
    exit: 2,
    title: "gates that do not broadcast over their map",
    means: "A gate has one channel for a whole position, or one for each channel of its map.",
    example: "config",
    wrong: ["_base_: small.yaml", "model: {neck: {type: gff, channels: 256, gate_channels: 16}}"],
    right: ["_base_: small.yaml", "model: {neck: {type: gff, channels: 256, gate_channels: 256}}"],
  },
  SEGFUSE_HEAD_NEEDS_PYRAMID: {
    exit: 2,
    title: "a head that needs one fused map per level",
    means: "The dense feature pyramid joins one fused map of each level; this neck gives a single map.",
    example: "config",
    wrong: ["_base_: small.yaml", "model: {neck: {type: concat}, head: {type: dfp}}"],
    right: ["_base_: small.yaml", "model: {neck: {type: gff}, head: {type: dfp}}"],
  },
  SEGFUSE_WINDOW_STRIDE: {
    exit: 2,
    title: "sliding windows leave gaps",
    means: "Sliding windows that are further apart than they are large leave pixels without a prediction.",
    example: "config",
    wrong: ["_base_: small.yaml", "evaluation: {mode: slide, window: [64, 64], stride: [96, 96]}"],
    right: ["_base_: small.yaml", "evaluation: {mode: slide, window: [64, 64], stride: [48, 48]}"],
  },
  SEGFUSE_STUDY_ROW_TWICE: {
    exit: 2,
    title: "two rows of a study have the same name",
    means: "A row's name is its work folder's, so every row has its own.",
    example: "study",
    wrong: [
      "title: Necks",
      "rows:",
      "  - {name: gff, config: small.yaml}",
      "  - {name: gff, config: small.yaml}",
    ],
    right: [
      "title: Necks",
      "rows:",
      "  - {name: gff, config: small.yaml}",
      "  - {name: gff_again, config: small.yaml}",
    ],
  },
  SEGFUSE_STUDY_UNKNOWN_ROW: {
    exit: 2,
    title: "a study, an overlay or --rows names a row that there is not",
    means:
      "`baseline`, `init_from`, `weights_from`, an overlay's `rows` or `--rows` names a row that the study does " +
      "not have.",
    example: "study",
    wrong: ["title: Necks", "baseline: pspnett", "rows: [{name: pspnet, config: small.yaml}]"],
    right: ["title: Necks", "baseline: pspnet", "rows: [{name: pspnet, config: small.yaml}]"],
  },
  SEGFUSE_STUDY_CYCLE: {
    exit: 2,
    title: "a study's rows depend on each other in a circle",
    means: "Rows start from each other's weights in a circle, so that none could be first.",
    example: "study",
    wrong: [
      "title: Necks",
      "rows:",
      "  - {name: a, config: small.yaml, init_from: b}",
      "  - {name: b, config: small.yaml, init_from: a}",
    ],
    right: [
      "title: Necks",
      "rows:",
      "  - {name: a, config: small.yaml}",
      "  - {name: b, config: small.yaml, init_from: a}",
    ],
  },
  SEGFUSE_STUDY_WEIGHTS: {
    exit: 2,
    title: "it is not clear where a study's row takes its weights from",
    means:
      "A row either trains, from the last checkpoint of `init_from`, or evaluates the weights of " +
      "`weights_from`; and only a row that trains can give weights.",
    example: "study",
    wrong: [
      "title: Necks",
      "rows:",
      "  - {name: a, config: small.yaml}",
      "  - {name: b, config: small.yaml, init_from: a, weights_from: a}",
    ],
    right: [
      "title: Necks",
      "rows:",
      "  - {name: a, config: small.yaml}",
      "  - {name: b, config: small.yaml, weights_from: a}",
    ],
  },
  SEGFUSE_STUDY_METRIC: {
    exit: 2,
    title: "a study compares a metric that its rows do not compute",
    means:
      "The study compares a metric that there is not, or one that its rows do not compute (boundary IoU and " +
      "plug-ins' metrics, unless `evaluation.metrics` has them).",
    example: "study",
    wrong: ["title: Necks", "metric: mIOU", "rows: [{name: a, config: small.yaml}]"],
    right: ["title: Necks", "metric: mIoU", "rows: [{name: a, config: small.yaml}]"],
  },
  SEGFUSE_METRIC_OPTIONS: {
    exit: 2,
    title: "a metric is named without the options that it needs",
    means:
      "A plug-in's metric has options without a default and is named alone, in `evaluation.metrics`, as " +
      "`checkpoint.best` or as the `metric` of a hook. Where it decides, it is computed with the options that " +
      "`evaluation.metrics` gives it.",
    example: "config",
    files: {
      "group.mjs": [
        "const classes = { type: 'array', items: { type: 'string' }, description: 'of the group' };",
        "const schema = { type: 'object', properties: { classes }, required: ['classes'] };",
        "export default { kind: 'metric', type: 'group', description: 'mine', schema, create() {} };",
      ],
    },
    wrong: ["_base_: small.yaml", "plugins: [./group.mjs]", "checkpoint: {best: group}"],
    right: [
      "_base_: small.yaml",
      "plugins: [./group.mjs]",
      "evaluation: {metrics: [mIoU, {type: group, classes: [car]}]}",
      "checkpoint: {best: group}",
    ],
  },
  SEGFUSE_UNUSED: {
    exit: 2,
    title: "a study's row sets something that has no effect",
    means:
      "A row with `weights_from` trains nothing. A schedule or an optimizer that its own config sets has no " +
      "effect and was meant for another row.",
    example: "study",
    files: {
      "multi_scale.yaml": [
        "_base_: small.yaml",
        "schedule: {iterations: 500}",
        "evaluation: {scales: [0.75, 1.0]}",
      ],
      "scales.yaml": ["_base_: small.yaml", "evaluation: {scales: [0.75, 1.0]}"],
    },
    wrong: [
      "title: Necks",
      "rows:",
      "  - {name: a, config: small.yaml}",
      "  - {name: b, config: multi_scale.yaml, weights_from: a} # multi_scale.yaml sets a schedule",
    ],
    right: [
      "title: Necks",
      "rows:",
      "  - {name: a, config: small.yaml}",
      "  - {name: b, config: scales.yaml, weights_from: a}",
    ],
  },
  SEGFUSE_PLUGIN_LOAD: {
    exit: 2,
    title: "a plug-in cannot be imported",
    means: "A plug-in is not there, or it threw while it was imported.",
    example: "config",
    wrong: ["_base_: small.yaml", "plugins: [./my_neck.mjs]"],
    right: ["_base_: small.yaml", "plugins: []"],
  },
  SEGFUSE_PLUGIN_EXPORT: {
    exit: 2,
    title: "a plug-in exports no component record",
    means: "A plug-in's default export is no component record, nor a list of them.",
    example: "config",
    files: {
      "my_neck.mjs": "export default class MyNeck {}",
      "empty.mjs":
        "export default { kind: 'neck', type: 'mine', description: 'mine', schema: { type: 'object', properties: {} }, create() {} };",
    },
    wrong: ["_base_: small.yaml", "plugins: [./my_neck.mjs] # export default class MyNeck {}"],
    right: [
      "_base_: small.yaml",
      'plugins: [./empty.mjs] # export default defineNeck({ type: "mine", description, schema, create })',
    ],
  },
  SEGFUSE_PLUGIN_CLASH: {
    exit: 2,
    title: "two components of a kind have the same type",
    means: "A plug-in brings a component whose type is there already, in segfuse or in another plug-in.",
    example: "config",
    files: {
      "my_gff.mjs":
        "export default { kind: 'neck', type: 'gff', description: 'mine', schema: { type: 'object', properties: {} }, create() {} };",
      "mine.mjs":
        "export default { kind: 'neck', type: 'my_gff', description: 'mine', schema: { type: 'object', properties: {} }, create() {} };",
    },
    wrong: ["_base_: small.yaml", "plugins: [./my_gff.mjs] # its type is gff"],
    right: ["_base_: small.yaml", "plugins: [./mine.mjs] # its type is my_gff"],
  },
  SEGFUSE_PLUGIN_API: {
    exit: 2,
    title: "a plug-in needs a newer segfuse",
    means: "A plug-in says by `export const apiVersion` that it needs a newer segfuse than this one.",
    example: "config",
    files: {
      "newer.mjs": [
        "export const apiVersion = 99;",
        "export default { kind: 'neck', type: 'mine', description: 'mine', schema: { type: 'object', properties: {} }, create() {} };",
      ],
      "mine.mjs": [
        "export const apiVersion = 1;",
        "export default { kind: 'neck', type: 'mine', description: 'mine', schema: { type: 'object', properties: {} }, create() {} };",
      ],
    },
    wrong: ["_base_: small.yaml", "plugins: [./newer.mjs] # export const apiVersion = 99"],
    right: ["_base_: small.yaml", "plugins: [./mine.mjs] # export const apiVersion = 1"],
  },
  SEGFUSE_AUXILIARY_LEVEL: {
    exit: 2,
    title: "an auxiliary head on a level that the backbone does not have",
    means:
      "The auxiliary head looks at a backbone level that there is not. ResNet and MobileNetV2 have four, 1 the " +
      "finest.",
    example: "config",
    wrong: ["_base_: small.yaml", "model: {auxiliary_head: {type: fcn, level: 5}}"],
    right: ["_base_: small.yaml", "model: {auxiliary_head: {type: fcn, level: 3}}"],
  },
  SEGFUSE_NECK_NEEDS_CONTEXT: {
    exit: 2,
    title: "a neck that fuses the context map, without one",
    means:
      "The neck starts from the head's context map, and the head's context is none, or the head has no slot for one.",
    example: "text",
    wrong: "model: {neck: {type: fpn}, head: {type: ppm, context: {type: none}}}",
    right: "model: {neck: {type: fpn}, head: {type: ppm}}",
  },
  SEGFUSE_UNKNOWN_COMPONENT: {
    exit: 2,
    title: "a component type that is not registered",
    means: "A program, a command or a data worker asks for a component that is not registered.",
    example: "text",
    wrong: "segfuse list neck gaff",
    right: "segfuse list neck gff",
  },
  SEGFUSE_NEW_NAME: {
    exit: 2,
    title: "a new component is called as one that is there",
    means:
      "The component that `segfuse new` is to write has the name of one that is built in; a config could not " +
      "tell them apart.",
    example: "text",
    wrong: "segfuse new neck gff",
    right: "segfuse new neck my_gff",
  },
  SEGFUSE_NEW_EXISTS: {
    exit: 2,
    title: "a file of a new component is there already",
    means:
      "`segfuse new` overwrites nothing. Where one of its files is there already it writes none of them.",
    example: "text",
    wrong: "segfuse new neck mine # a second time",
    right: "segfuse new neck mine --dir mine_again",
  },
  SEGFUSE_PLUGIN_FAILED: {
    exit: 1,
    title: "a plug-in's component threw an error",
    means:
      "A plug-in's component threw an error that is none of segfuse's own; the place is the plug-in's line, " +
      "where the error tells it.",
    example: "text",
    wrong: "a neck whose forward() reads a level that the backbone does not have",
    right: "const finest = tensors.levels[0]",
  },
  SEGFUSE_PLUGIN_CONTRACT: {
    exit: 1,
    title: "a plug-in's component breaks the contract of its kind",
    means:
      "A plug-in's component gives something else than its kind must, or than it said itself. Maps of another " +
      "shape would otherwise fail far away, or train all the same.",
    example: "text",
    wrong: "outputs: [{ channels: 64, stride: 4 }] and a forward() that returns a map of 32 channels",
    right: "outputs: [{ channels: 32, stride: 4 }] and a forward() that returns a map of 32 channels",
  },
} as const satisfies ErrorRecords;
