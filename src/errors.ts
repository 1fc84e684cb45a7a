/**
 * Every error code of segfuse, in one place. A code's default exit status is what the command line
 * ends with: 2 for a wrong config or usage, 1 for a failure while running.
 */
export const errorCodes = {
  SEGFUSE_BATCH_NORM_ONE_VALUE: { exit: 1, title: "batch normalisation of a single value per channel" },
  SEGFUSE_OP_GRADIENT: { exit: 1, title: "the network has an operation without a gradient" },
  SEGFUSE_ENGINE_BROKEN: { exit: 1, title: "the native engine is there and does not load" },
  SEGFUSE_ENGINE_MISSING: { exit: 1, title: "the native engine was not set up" },
  SEGFUSE_ENGINE_OPERATION: { exit: 1, title: "the engine refuses an operation" },
  SEGFUSE_AUXILIARY_LEVEL: { exit: 2, title: "an auxiliary head on a level that the backbone does not have" },
  SEGFUSE_CLASS_WEIGHTS: { exit: 2, title: "a list of class weights that is not as long as the classes" },
  SEGFUSE_GATE_CHANNELS: { exit: 2, title: "gates that do not broadcast over their map" },
  SEGFUSE_HEAD_NEEDS_PYRAMID: { exit: 2, title: "a head that needs one fused map per level" },
  SEGFUSE_NECK_NEEDS_CONTEXT: { exit: 2, title: "a neck that fuses the context map, without one" },
  SEGFUSE_INTERNAL: { exit: 1, title: "a fault of segfuse itself" },
  SEGFUSE_CONFIG_FILE: { exit: 2, title: "a config file cannot be read" },
  SEGFUSE_CONFIG_ENCODING: { exit: 2, title: "a config file is not in UTF-8" },
  SEGFUSE_CONFIG_LIMIT: { exit: 2, title: "a config file is too large, too deep, or blown up by aliases" },
  SEGFUSE_CONFIG_SYNTAX: { exit: 2, title: "a config file is no YAML 1.2" },
  SEGFUSE_CONFIG_DOCUMENT: { exit: 2, title: "a config file is not one map, or another kind of file" },
  SEGFUSE_CONFIG_DUPLICATE_KEY: { exit: 2, title: "a key is written twice in one map" },
  SEGFUSE_CONFIG_FORBIDDEN_KEY: { exit: 2, title: "a key that no config can have" },
  SEGFUSE_CONFIG_BASE: { exit: 2, title: "_base_ is no path and no list of paths" },
  SEGFUSE_CONFIG_CYCLE: { exit: 2, title: "files inherit from each other in a circle" },
  SEGFUSE_CONFIG_CONFLICT: { exit: 2, title: "two bases set the same key differently" },
  SEGFUSE_CONFIG_SET: { exit: 2, title: "--set is not KEY=VALUE, or its value is no YAML" },
  SEGFUSE_CONFIG_SET_PATH: { exit: 2, title: "--set names no place in the config" },
  SEGFUSE_CONFIG_ENV: { exit: 2, title: "a config uses an environment variable that is not set" },
  SEGFUSE_CONFIG_ENV_FORM: { exit: 2, title: "a reference to an environment variable is not well formed" },
  SEGFUSE_CONFIG_UNKNOWN_KEY: { exit: 2, title: "a key that the config does not have" },
  SEGFUSE_CONFIG_UNKNOWN_TYPE: { exit: 2, title: "a component type that is not registered" },
  SEGFUSE_CONFIG_MISSING_KEY: { exit: 2, title: "a required key is missing" },
  SEGFUSE_CONFIG_TYPE: { exit: 2, title: "a value of the wrong type" },
  SEGFUSE_CONFIG_RANGE: { exit: 2, title: "a number out of its range" },
  SEGFUSE_CONFIG_CHOICE: { exit: 2, title: "a value that is none of its choices" },
  SEGFUSE_CONFIG_LENGTH: { exit: 2, title: "a list or a text that is too short or too long" },
  SEGFUSE_CONFIG_PATTERN: { exit: 2, title: "a text that is not written as it must be" },
  SEGFUSE_CONFIG_REPEATED: { exit: 2, title: "a list that names something twice" },
  SEGFUSE_CONFIG_VALUE: { exit: 2, title: "a value that fits none of the forms it may have" },
  SEGFUSE_COMPONENT_OPTIONS: { exit: 2, title: "options of a component that do not go together" },
  SEGFUSE_CROP_SIZE: { exit: 2, title: "a crop that is too small for the network" },
  SEGFUSE_PREPROCESS: { exit: 2, title: "mean or standard deviation that do not fit the image's channels" },
  SEGFUSE_HOOK_TWICE: { exit: 2, title: "a hook that makes sense once stands in the list twice" },
  SEGFUSE_WARMUP: { exit: 2, title: "a warm-up that is as long as the run" },
  SEGFUSE_NUM_CLASSES: { exit: 2, title: "the network and the data set differ in their number of classes" },
  SEGFUSE_IGNORE_INDEX: { exit: 2, title: "the ignored label is the number of a class" },
  SEGFUSE_UNUSED: { exit: 2, title: "a study's row sets something that has no effect" },
  SEGFUSE_STUDY_ROW_TWICE: { exit: 2, title: "two rows of a study have the same name" },
  SEGFUSE_STUDY_UNKNOWN_ROW: {
    exit: 2,
    title: "a study, an overlay or --rows names a row that there is not",
  },
  SEGFUSE_STUDY_CYCLE: { exit: 2, title: "a study's rows depend on each other in a circle" },
  SEGFUSE_STUDY_WEIGHTS: { exit: 2, title: "it is not clear where a study's row takes its weights from" },
  SEGFUSE_STUDY_METRIC: { exit: 2, title: "a study compares a metric that its rows do not compute" },
  SEGFUSE_PLUGIN_CONTRACT: {
    exit: 1,
    title: "a plug-in's component breaks the contract of its kind",
  },
  SEGFUSE_PLUGIN_FAILED: { exit: 1, title: "a plug-in's component threw an error" },
  SEGFUSE_PLUGIN_LOAD: { exit: 2, title: "a plug-in cannot be imported" },
  SEGFUSE_PLUGIN_EXPORT: { exit: 2, title: "a plug-in exports no component record" },
  SEGFUSE_PLUGIN_API: { exit: 2, title: "a plug-in needs a newer segfuse" },
  SEGFUSE_PLUGIN_CLASH: { exit: 2, title: "two components of a kind have the same type" },
  SEGFUSE_UNKNOWN_COMPONENT: { exit: 2, title: "a component type that is not registered" },
  SEGFUSE_DATA_OPTION: { exit: 2, title: "options of a data set or transform do not fit together" },
  SEGFUSE_DATA_ROOT: { exit: 2, title: "a data set's folder, list or class description is missing or wrong" },
  SEGFUSE_DATA_SPLIT: { exit: 2, title: "a split of a data set is unknown or empty" },
  SEGFUSE_DATA_UNLABELLED: { exit: 2, title: "a split of a data set has images and no masks" },
  SEGFUSE_DATA_FILE: { exit: 1, title: "an image or mask of a data set is missing or cannot be opened" },
  SEGFUSE_DATA_IMAGE: { exit: 1, title: "an image cannot be decoded" },
  SEGFUSE_DATA_BANDS: { exit: 1, title: "an image has other bands or values than the network takes" },
  SEGFUSE_DATA_ORIENTATION: { exit: 1, title: "an image is stored turned, and that is refused" },
  SEGFUSE_DATA_MASK: { exit: 1, title: "a mask cannot be read as class numbers" },
  SEGFUSE_DATA_SIZE: { exit: 1, title: "a mask and its image differ in size" },
  SEGFUSE_DATA_LABEL: { exit: 1, title: "a mask holds a value that is no class" },
  SEGFUSE_DATA_WORKER: { exit: 1, title: "a data worker ended unexpectedly" },
  SEGFUSE_WEIGHTS_FILE: { exit: 1, title: "a weight file cannot be read, or is none" },
  SEGFUSE_WEIGHTS_DTYPE: { exit: 1, title: "weights of another element type than can be used" },
  SEGFUSE_WEIGHTS_GLOBAL: { exit: 1, title: "weights of a PyTorch file need code that is not run" },
  SEGFUSE_WEIGHTS_KEY: { exit: 2, title: "it is not clear which of a file's state dicts is meant" },
  SEGFUSE_WEIGHTS_FIT: { exit: 1, title: "a weight file of which nothing, or too little, fits the network" },
  SEGFUSE_WEIGHTS_SHAPE: { exit: 1, title: "weights of a file have another shape than the network's" },
  SEGFUSE_WEIGHTS_CLASSES: {
    exit: 1,
    title: "a checkpoint was trained for other classes than the data set's",
  },
  SEGFUSE_NAME_MAP: { exit: 2, title: "a name map that fits no name of a weight file" },
  SEGFUSE_CONVERT_OUT: { exit: 2, title: "weights are written in another format than asked for" },
  SEGFUSE_CHECKPOINT: { exit: 1, title: "no usable checkpoint where one was named" },
  SEGFUSE_CHECKPOINT_DAMAGED: { exit: 1, title: "a checkpoint is not what was written" },
  SEGFUSE_CHECKPOINT_WRITE: { exit: 1, title: "a checkpoint could not be written" },
  SEGFUSE_RESUME_MISMATCH: { exit: 2, title: "a checkpoint of another run than the config's" },
  SEGFUSE_WORK_DIR: { exit: 1, title: "the output folder cannot be used" },
  SEGFUSE_WORK_DIR_NOT_EMPTY: { exit: 2, title: "the output folder already holds a run" },
  SEGFUSE_PREFLIGHT: { exit: 1, title: "the run cannot work as it is configured" },
  SEGFUSE_LOSS_NOT_FINITE: { exit: 1, title: "the loss or a gradient became infinite or no number" },
  SEGFUSE_TENSORBOARD_ENGINE: { exit: 1, title: "TensorBoard files on an engine that cannot write them" },
  SEGFUSE_LOSS_DIVERGED: { exit: 1, title: "the loss grew beyond what a run recovers from" },
  SEGFUSE_LABEL_VALUE: { exit: 1, title: "a label is neither a class nor the ignore index" },
  SEGFUSE_METRIC: { exit: 1, title: "a metric threw, or gave no number" },
  SEGFUSE_METRIC_OPTIONS: { exit: 2, title: "a metric is named without the options that it needs" },
  SEGFUSE_WINDOW_STRIDE: { exit: 2, title: "sliding windows leave gaps" },
  SEGFUSE_REPORT_READ: { exit: 2, title: "a report cannot be read" },
  SEGFUSE_REPORT_INVALID: { exit: 2, title: "a report does not follow its schema" },
  SEGFUSE_PREDICT_IMAGES: { exit: 2, title: "images that cannot be predicted together" },
  SEGFUSE_PREDICT_FAILED: { exit: 1, title: "images that could not be predicted; the others were" },
  SEGFUSE_TRACE_OPERATION: { exit: 1, title: "a network uses an operation that the trace does not know" },
  SEGFUSE_TRACE_VALUES: { exit: 1, title: "a network reads tensors' values, which a trace does not have" },
  SEGFUSE_NEW_NAME: { exit: 2, title: "a new component is called as one that is there" },
  SEGFUSE_NEW_EXISTS: { exit: 2, title: "a file of a new component is there already" },
  SEGFUSE_WRITE: { exit: 1, title: "a file cannot be written" },
  SEGFUSE_SETUP_CACHE: { exit: 1, title: "the cache folder cannot be written" },
  SEGFUSE_SETUP_COMPILE: { exit: 1, title: "the compiler could not make the engine's addon" },
  SEGFUSE_SETUP_COMPILER: { exit: 1, title: "no C++ compiler" },
  SEGFUSE_SETUP_DISK: { exit: 1, title: "too little disk space for the engine" },
  SEGFUSE_SETUP_DOWNLOAD: { exit: 1, title: "pip did not download TensorFlow" },
  SEGFUSE_SETUP_HASH: { exit: 1, title: "the downloaded TensorFlow is not the pinned one" },
  SEGFUSE_SETUP_NETWORK: { exit: 1, title: "TensorFlow's download has no connection" },
  SEGFUSE_SETUP_PIP: { exit: 1, title: "no Python with pip" },
  SEGFUSE_SETUP_PLATFORM: { exit: 1, title: "no TensorFlow to download for this machine" },
  SEGFUSE_SETUP_TENSORFLOW: { exit: 1, title: "SEGFUSE_TENSORFLOW names no TensorFlow" },
  SEGFUSE_SETUP_UNPACK: { exit: 1, title: "the downloaded TensorFlow could not be unpacked" },
} as const satisfies Record<`SEGFUSE_${string}`, { exit: 1 | 2; title: string }>;

export type ErrorCode = keyof typeof errorCodes;

/** What an error tells beside its message. Each part is one short phrase. */
export interface ErrorDetails {
  /** What would have been right. */
  expected?: string;
  /** What was there instead. */
  found?: string;
  /** A file (with `:line:column` where known), a config path or a weight's name. */
  where?: string;
  /** What the reader can do now. */
  advice?: string;
  cause?: unknown;
}

/**
 * The only error that segfuse throws on purpose. The command line prints {@link SegfuseError.report}
 * without a stack trace (unless `--debug`).
 */
export class SegfuseError extends Error {
  override readonly name = "SegfuseError";

  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly details: ErrorDetails = {},
  ) {
    super(message, { cause: details.cause });
  }

  /** 1: a failure while running; 2: wrong usage or config. */
  get exitCode(): 1 | 2 {
    return errorCodes[this.code].exit;
  }

  /** The whole text that a user sees: code, message, expected, found, where, what to do. */
  report(): string {
    const { expected, found, where, advice } = this.details;
    const lines = [`${this.code}: ${this.message}`];
    if (where !== undefined) lines.push(`  at: ${where}`);
    if (expected !== undefined) lines.push(`  expected: ${expected}`);
    if (found !== undefined) lines.push(`  found: ${found}`);
    if (advice !== undefined) lines.push(`  try: ${advice}`);
    return lines.join("\n");
  }
}
