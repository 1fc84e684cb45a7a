import type { ErrorRecords } from "./record.ts";

/** Training, evaluation, prediction and what they write. */
export const runningErrors = {
  SEGFUSE_INTERNAL: {
    exit: 1,
    title: "a fault of segfuse itself",
    means: "Something that segfuse does not expect. `--debug` shows where; please report it with that text.",
    example: "text",
    wrong: "(a fault of segfuse)",
    right: "segfuse train configs/table1/gff.yaml --debug",
  },
  SEGFUSE_METRIC: {
    exit: 1,
    title: "a metric threw, or gave no number",
    means:
      "A plug-in's metric threw, or gave something else than a number (NaN stands for a score that is not " +
      "defined). It is tried on made-up counts before a run begins.",
    example: "text",
    wrong: "create: () => ({ compute: ({ counts }) => counts.map((c) => c.intersection) }) // a list",
    right:
      "create: () => ({ compute: ({ counts }) => nanMean(counts.map((c) => c.intersection / c.label)) })",
  },
  SEGFUSE_WORK_DIR: {
    exit: 1,
    title: "the output folder cannot be used",
    means: "The output folder cannot be made or written.",
    example: "text",
    wrong: "segfuse train CONFIG --work-dir /proc/run",
    right: "segfuse train CONFIG --work-dir work_dirs/run",
  },
  SEGFUSE_WORK_DIR_NOT_EMPTY: {
    exit: 2,
    title: "the output folder already holds a run",
    means: "The output folder holds a run already, which would be lost.",
    example: "text",
    wrong: "segfuse train CONFIG",
    right: "segfuse train CONFIG --resume",
  },
  SEGFUSE_PREFLIGHT: {
    exit: 1,
    title: "the run cannot work as it is configured",
    means:
      "A check before the first update found that the run cannot work, for example that the disk has no room " +
      "for its checkpoints.",
    example: "text",
    wrong: "checkpoint: {keep_last: 100} # on a small disk",
    right: "checkpoint: {keep_last: 3}",
  },
  SEGFUSE_RUN_PART: {
    exit: 1,
    title: "a part of a run is asked for that it does not have, or not yet",
    means:
      "A plug-in asks the run, by a token, for a part that this run does not have (`test` has no optimiser), or has not " +
      "made yet. The message names the parts that there are; docs/hooks.md says which run has what, and from when on.",
    example: "text",
    wrong: "create(options, { scope }) { const optimizer = scope.get(runTokens.optimizer); … } // in a metric",
    right: "const optimizer = scope.has(runTokens.optimizer) ? scope.get(runTokens.optimizer) : null;",
  },
  SEGFUSE_LOSS_NOT_FINITE: {
    exit: 1,
    title: "the loss or a gradient became infinite or no number",
    means:
      "The loss or a gradient became infinite or no number. The learning rate is too high, or the data hold " +
      "such values.",
    example: "text",
    wrong: "optimizer: {lr: 100}",
    right: "optimizer: {lr: 0.01, clip_norm: 35}",
  },
  SEGFUSE_LOSS_DIVERGED: {
    exit: 1,
    title: "the loss grew beyond what a run recovers from",
    means: "The loss grew far beyond where it was, from which no run recovers.",
    example: "text",
    wrong: "optimizer: {lr: 10}",
    right: "optimizer: {lr: 0.01}",
  },
  SEGFUSE_REPORT_READ: {
    exit: 2,
    title: "a report cannot be read",
    means: "A report is not there, or it is no JSON.",
    example: "text",
    wrong: "segfuse report work_dirs/not_trained_yet",
    right: "segfuse report work_dirs/table1_gff",
  },
  SEGFUSE_REPORT_INVALID: {
    exit: 2,
    title: "a report does not follow its schema",
    means: "A report does not follow its schema; another program, or another version of segfuse, wrote it.",
    example: "text",
    wrong: "segfuse report folder_with_another_report_json",
    right: "segfuse report work_dirs/table1_gff",
  },
  SEGFUSE_PREDICT_IMAGES: {
    exit: 2,
    title: "images that cannot be predicted together",
    means:
      "Images cannot be predicted as asked for, because there are none, their results would overwrite each " +
      "other or an image, or raw logits need images of one size.",
    example: "text",
    wrong: "segfuse predict CONFIG CHECKPOINT a/1.png b/1.png --out out",
    right: "segfuse predict CONFIG CHECKPOINT a/1.png --out out/a",
  },
  SEGFUSE_PREDICT_FAILED: {
    exit: 1,
    title: "images that could not be predicted; the others were",
    means:
      "Some of the images are missing or broken, or the network failed on them. Each is listed with its reason; " +
      "all others were predicted and written.",
    example: "text",
    wrong: "segfuse predict CONFIG CHECKPOINT photos --out out",
    right: "segfuse predict CONFIG CHECKPOINT photos --out out",
  },
  SEGFUSE_WRITE: {
    exit: 1,
    title: "a file cannot be written",
    means: "A report, a picture, a weight file, a log or another output cannot be written.",
    example: "text",
    wrong: "segfuse graph configs/table1/gff.yaml --out /proc/gff.svg",
    right: "segfuse graph configs/table1/gff.yaml --out pictures/gff.svg",
  },
} as const satisfies ErrorRecords;
