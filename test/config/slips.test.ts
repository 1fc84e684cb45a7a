import { expect, it } from "vitest";
import { Files, small } from "./files.ts";

// Slips of users who come from another project, or from another YAML: each is told in words that say what to do.

/** What is said of each file, or that nothing is. */
async function reports(texts: Record<string, string>): Promise<string> {
  const files = new Files({ "small.yaml": small, ...texts });
  const all = [];
  for (const name of Object.keys(texts)) all.push(await files.report(files.load(name)));
  return all.join("\n\n");
}

it("of YAML's signs", async () => {
  const base = "_base_: small.yaml\n";
  expect(
    await reports({
      "colon.yaml": `${base}seed:3\n`,
      "flow.yaml": `${base}model: {neck: {type:gff}}\n`,
      "quote.yaml": `${base}name: "abc\nseed: 3\n`,
      "bracket.yaml": `${base}data:\n  crop_size: [96, 96\nseed: 1 # a ] here closes nothing\n`,
      "text.yaml": `${base}name: first: second\n`,
      "percent.yaml": `${base}name: %abc\n`,
      "tab.yaml": `${base}model:\n\tneck: {type: gff}\n`,
      "block.yaml": `${base}name: |\n  it's {\nmodel: [\n`,
      "two.yaml": `${base}---\nseed: 1\n`,
      "text_alone.yaml": "hello\n",
      "carriage.yaml": `_base_: small.yaml\rseed: -1\r`,
    }),
  ).toMatchInlineSnapshot(`
    "SEGFUSE_CONFIG_SYNTAX: no YAML: a colon without a space behind it
      at: ROOT/colon.yaml:2:1
      2 | seed:3
        | ^
      try: seed: 3

    SEGFUSE_CONFIG_UNKNOWN_KEY: the neck 'none' has no key 'type:gff'
      at: ROOT/flow.yaml:2:16 (model.neck.type:gff)
      2 | model: {neck: {type:gff}}
        |                ^
      valid: type
      try: type: gff

    SEGFUSE_CONFIG_SYNTAX: no YAML: the " is not closed
      at: ROOT/quote.yaml:2:7
      2 | name: "abc
        |       ^

    SEGFUSE_CONFIG_SYNTAX: no YAML: the [ is not closed
      at: ROOT/bracket.yaml:3:14
      3 |   crop_size: [96, 96
        |              ^

    SEGFUSE_CONFIG_SYNTAX: no YAML: a text with a colon in it needs quotes
      at: ROOT/text.yaml:2:7
      2 | name: first: second
        |       ^
      try: "first: second"

    SEGFUSE_CONFIG_SYNTAX: no YAML: a text that begins with % needs quotes
      at: ROOT/percent.yaml:2:7
      2 | name: %abc
        |       ^
      try: "%abc"

    SEGFUSE_CONFIG_SYNTAX: no YAML: tab characters must not be used in indentation
      at: ROOT/tab.yaml:3:1
      3 |  neck: {type: gff}
        | ^
      try: spaces

    SEGFUSE_CONFIG_SYNTAX: no YAML: deficient indentation
      at: ROOT/block.yaml:5:1
      5 |
        | ^

    SEGFUSE_CONFIG_DOCUMENT: a config file holds more than one document
      at: ROOT/two.yaml:2:1
      2 | ---
        | ^
      expected: one document: no line of --- between two
      found: 2 documents

    SEGFUSE_CONFIG_DOCUMENT: a config file holds no map
      at: ROOT/text_alone.yaml:1:1
      1 | hello
        | ^
      expected: a map: KEY: VALUE
      found: "hello" (a string)

    SEGFUSE_CONFIG_RANGE: 'seed' is out of range
      at: ROOT/carriage.yaml:2:7 (seed)
      2 | seed: -1
        |       ^
      expected: an integer ≥ 0 and ≤ 9007199254740991
      found: -1"
  `);
});

it("of keys, all at once", async () => {
  expect(
    await reports({
      "keys.yaml": `
_base_: small.yaml
model: {neck: {type: gff, channels: 3, channels: 4}}
? [a, {b: c}]
: {d: [e]}
data: {<<: {a: 1}, __proto__: 1}
model: {head: {_delete_: yes, type: ppm}}
evaluation: {_delete_: yes}
`,
    }),
  ).toMatchInlineSnapshot(`
    "6 complaints

    SEGFUSE_CONFIG_DUPLICATE_KEY: the key 'channels' is written twice
      at: ROOT/keys.yaml:3:40 (model.neck.channels)
      3 | model: {neck: {type: gff, channels: 3, channels: 4}}
        |                                        ^
      expected: every key once in its map
      found: first in line 3

    SEGFUSE_CONFIG_FORBIDDEN_KEY: a key is a list or a map
      at: ROOT/keys.yaml:4:3
      4 | ? [a, {b: c}]
        |   ^
      expected: a plain text

    SEGFUSE_CONFIG_FORBIDDEN_KEY: merge keys are not part of YAML 1.2
      at: ROOT/keys.yaml:6:8 (data.<<)
      6 | data: {<<: {a: 1}, __proto__: 1}
        |        ^
      try: _base_: FILE

    SEGFUSE_CONFIG_FORBIDDEN_KEY: '__proto__' is no key that a config can have
      at: ROOT/keys.yaml:6:20 (data.__proto__)
      6 | data: {<<: {a: 1}, __proto__: 1}
        |                    ^

    SEGFUSE_CONFIG_DUPLICATE_KEY: the key 'model' is written twice
      at: ROOT/keys.yaml:7:1 (model)
      7 | model: {head: {_delete_: yes, type: ppm}}
        | ^
      expected: every key once in its map
      found: first in line 3

    SEGFUSE_CONFIG_TYPE: '_delete_' has a value of the wrong type
      at: ROOT/keys.yaml:8:24 (evaluation._delete_)
      8 | evaluation: {_delete_: yes}
        |                        ^
      expected: true or false
      found: "yes" (a string)"
  `);
});

it("of names that other projects use", async () => {
  expect(
    await reports({
      "mmseg.yaml": `
_base_: small.yaml
model:
  pretrained: resnet101.pth
  decode_head: {type: PSPHead}
  head: {num_classes: 2, align_corners: false, dropout_ratio: 0.1}
optimizer: {learning_rate: 0.01}
schedule: {max_iters: 100, lr: 0.1}
data: {samples_per_gpu: 2, num_workers: 4, train: {transforms: [{type: RandomFlip, prob: 0.5}]}}
evaluation: {metrics: [miou]}
checkpoint: {best: miou}
hooks: [{type: EMAHook}]
`,
    }),
  ).toMatchInlineSnapshot(`
    "14 complaints

    SEGFUSE_CONFIG_UNKNOWN_KEY: 'model' has no key 'pretrained'
      at: ROOT/mmseg.yaml:4:3 (model.pretrained)
      4 |   pretrained: resnet101.pth
        |   ^
      valid: num_classes, in_channels, align_corners, preprocess, norm, norm_groups, backbone, neck, head, auxiliary_head
      try: model.backbone.pretrained

    SEGFUSE_CONFIG_UNKNOWN_KEY: 'model' has no key 'decode_head'
      at: ROOT/mmseg.yaml:5:3 (model.decode_head)
      5 |   decode_head: {type: PSPHead}
        |   ^
      did you mean: head
      valid: num_classes, in_channels, align_corners, preprocess, norm, norm_groups, backbone, neck, head, auxiliary_head

    SEGFUSE_CONFIG_UNKNOWN_KEY: the head 'ppm' has no key 'num_classes'
      at: ROOT/mmseg.yaml:6:10 (model.head.num_classes)
      6 |   head: {num_classes: 2, align_corners: false, dropout_ratio: 0.1}
        |          ^
      valid: type, losses, context, dropout
      try: model.num_classes

    SEGFUSE_CONFIG_UNKNOWN_KEY: the head 'ppm' has no key 'align_corners'
      at: ROOT/mmseg.yaml:6:26 (model.head.align_corners)
      6 |   head: {num_classes: 2, align_corners: false, dropout_ratio: 0.1}
        |                          ^
      valid: type, losses, context, dropout
      try: model.align_corners

    SEGFUSE_CONFIG_UNKNOWN_KEY: the head 'ppm' has no key 'dropout_ratio'
      at: ROOT/mmseg.yaml:6:48 (model.head.dropout_ratio)
      6 |   head: {num_classes: 2, align_corners: false, dropout_ratio: 0.1}
        |                                                ^
      did you mean: dropout
      valid: type, losses, context, dropout

    SEGFUSE_CONFIG_UNKNOWN_KEY: the optimizer 'sgd' has no key 'learning_rate'
      at: ROOT/mmseg.yaml:7:13 (optimizer.learning_rate)
      7 | optimizer: {learning_rate: 0.01}
        |             ^
      did you mean: lr
      valid: type, lr, accumulate, clip_norm, paramwise, momentum, nesterov, weight_decay, norm_bias_decay

    SEGFUSE_CONFIG_UNKNOWN_KEY: the schedule 'poly' has no key 'max_iters'
      at: ROOT/mmseg.yaml:8:12 (schedule.max_iters)
      8 | schedule: {max_iters: 100, lr: 0.1}
        |            ^
      did you mean: iterations
      valid: type, iterations, warmup, power, min_lr

    SEGFUSE_CONFIG_UNKNOWN_KEY: the schedule 'poly' has no key 'lr'
      at: ROOT/mmseg.yaml:8:28 (schedule.lr)
      8 | schedule: {max_iters: 100, lr: 0.1}
        |                            ^
      valid: type, iterations, warmup, power, min_lr
      try: optimizer.lr

    SEGFUSE_CONFIG_UNKNOWN_KEY: 'data' has no key 'samples_per_gpu'
      at: ROOT/mmseg.yaml:9:8 (data.samples_per_gpu)
      9 | data: {samples_per_gpu: 2, num_workers: 4, train: {transforms: [{type: RandomFlip, prob: 0.5}]}}
        |        ^
      valid: dataset, batch_size, workers, crop_size, train, val, test

    SEGFUSE_CONFIG_UNKNOWN_KEY: 'data' has no key 'num_workers'
      at: ROOT/mmseg.yaml:9:28 (data.num_workers)
      9 | data: {samples_per_gpu: 2, num_workers: 4, train: {transforms: [{type: RandomFlip, prob: 0.5}]}}
        |                            ^
      did you mean: workers
      valid: dataset, batch_size, workers, crop_size, train, val, test

    SEGFUSE_CONFIG_UNKNOWN_TYPE: there is no transform 'RandomFlip'
      at: ROOT/mmseg.yaml:9:72 (data.train.transforms.0.type)
      9 | …les_per_gpu: 2, num_workers: 4, train: {transforms: [{type: RandomFlip, prob: 0.5}]}}
        |                                                              ^
      did you mean: random_flip
      valid: random_scale, resize, random_crop, random_flip, color_jitter

    SEGFUSE_CONFIG_CHOICE: 'metrics' is none of its choices
      at: ROOT/mmseg.yaml:10:24 (evaluation.metrics.0)
      10 | evaluation: {metrics: [miou]}
         |                        ^
      expected: one of mIoU, mAcc, aAcc, fwIoU, mDice, mFscore, mPrecision, mRecall, kappa, mBIoU, or a metric (a map with type)
      found: "miou" (a string)
      did you mean: mIoU
      valid: mIoU, mAcc, aAcc, fwIoU, mDice, mFscore, mPrecision, mRecall, kappa, mBIoU

    SEGFUSE_CONFIG_CHOICE: 'best' is none of its choices
      at: ROOT/mmseg.yaml:11:20 (checkpoint.best)
      11 | checkpoint: {best: miou}
         |                    ^
      expected: one of mIoU, mAcc, aAcc, fwIoU, mDice, mFscore, mPrecision, mRecall, kappa, mBIoU, val_loss, or null
      found: "miou" (a string)
      did you mean: mIoU
      valid: mIoU, mAcc, aAcc, fwIoU, mDice, mFscore, mPrecision, mRecall, kappa, mBIoU, val_loss

    SEGFUSE_CONFIG_UNKNOWN_TYPE: there is no hook 'EMAHook'
      at: ROOT/mmseg.yaml:12:16 (hooks.0.type)
      12 | hooks: [{type: EMAHook}]
         |                ^
      did you mean: ema
      valid: finite_guard, ema, progress, log, jsonl, tensorboard, profiler, evaluation, early_stopping, checkpoint"
  `);
});

it("of those who know an earlier version: pyramid pooling stood in the head itself", async () => {
  expect(await reports({ "head.yaml": "_base_: small.yaml\nmodel: {head: {type: ppm, bins: [1, 2]}}\n" }))
    .toMatchInlineSnapshot(`
    "SEGFUSE_CONFIG_UNKNOWN_KEY: the head 'ppm' has no key 'bins'
      at: ROOT/head.yaml:2:27 (model.head.bins)
      2 | model: {head: {type: ppm, bins: [1, 2]}}
        |                           ^
      valid: type, losses, context, dropout
      try: context: {bins: …}, where it stands now"
  `);
});
