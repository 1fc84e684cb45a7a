import { describe, expect, it } from "vitest";
import { ConfigError } from "../../src/config/index.ts";
import { Files, small } from "./files.ts";

describe("complaints", () => {
  it("come all at once, each at the line of the file that wrote the value", async () => {
    const files = new Files({
      "base.yaml": `
model:
  backbone: {type: resnet, depth: 17}
  head: {type: ppm, chanels: 64, losses: [{type: cross_entropy, weight: heavy}]}
  auxiliary_head: [{type: fcn, level: 0}]
`,
      "top.yaml": `
_base_: base.yaml
model: {neck: {type: gfff}}
data:
  dataset: {type: folder, root: ./data}
  crop_size: [96]
schedul: {iterations: 3}
evaluation: {metrics: [mIou], window: wide, scales: 1}
checkpoint: {best: mIoUs}
`,
    });
    expect(await files.report(files.load("top.yaml"))).toMatchInlineSnapshot(`
      "12 complaints

      SEGFUSE_CONFIG_CHOICE: 'depth' is none of its choices
        at: ROOT/base.yaml:3:35 (model.backbone.depth)
        3 |   backbone: {type: resnet, depth: 17}
          |                                   ^
        inherited: ROOT/top.yaml:2:9 → ROOT/base.yaml
        expected: one of 18, 34, 50, 101, 152
        found: 17

      SEGFUSE_CONFIG_UNKNOWN_KEY: the head 'ppm' has no key 'chanels'
        at: ROOT/base.yaml:4:21 (model.head.chanels)
        4 |   head: {type: ppm, chanels: 64, losses: [{type: cross_entropy, weight: heavy}]}
          |                     ^
        inherited: ROOT/top.yaml:2:9 → ROOT/base.yaml
        valid: type, losses, context, dropout
        try: context: {channels: …}, where it stands now

      SEGFUSE_CONFIG_TYPE: 'weight' has a value of the wrong type
        at: ROOT/base.yaml:4:73 (model.head.losses.0.weight)
        4 | …e: ppm, chanels: 64, losses: [{type: cross_entropy, weight: heavy}]}
          |                                                              ^
        inherited: ROOT/top.yaml:2:9 → ROOT/base.yaml
        expected: a number ≥ 0
        found: "heavy" (a string)

      SEGFUSE_CONFIG_RANGE: 'level' is out of range
        at: ROOT/base.yaml:5:39 (model.auxiliary_head.0.level)
        5 |   auxiliary_head: [{type: fcn, level: 0}]
          |                                       ^
        inherited: ROOT/top.yaml:2:9 → ROOT/base.yaml
        expected: an integer ≥ 1 and ≤ 64
        found: 0

      SEGFUSE_CONFIG_UNKNOWN_TYPE: there is no neck 'gfff'
        at: ROOT/top.yaml:3:22 (model.neck.type)
        3 | model: {neck: {type: gfff}}
          |                      ^
        did you mean: gff
        valid: none, concat, addition, fpn, gated_fpn, gff

      SEGFUSE_CONFIG_MISSING_KEY: 'data.dataset' lacks the key 'classes'
        at: ROOT/top.yaml:5:12 (data.dataset.classes)
        5 |   dataset: {type: folder, root: ./data}
          |            ^
        expected: a list of 1 to 255: each non-empty text, or a map

      SEGFUSE_CONFIG_LENGTH: 'crop_size' is too short or too long
        at: ROOT/top.yaml:6:14 (data.crop_size)
        6 |   crop_size: [96]
          |              ^
        expected: a list of 2: each an integer ≥ 1 and ≤ 65536
        found: [96] (a list of 1)

      SEGFUSE_CONFIG_UNKNOWN_KEY: the file has no key 'schedul'
        at: ROOT/top.yaml:7:1 (schedul)
        7 | schedul: {iterations: 3}
          | ^
        did you mean: schedule
        valid: name, seed, engine, plugins, init_from, init_key, allow_fresh, min_loaded, model, data, optimizer, schedule, evaluation, checkpoint, log, hooks

      SEGFUSE_CONFIG_CHOICE: 'metrics' is none of its choices
        at: ROOT/top.yaml:8:24 (evaluation.metrics.0)
        8 | evaluation: {metrics: [mIou], window: wide, scales: 1}
          |                        ^
        expected: one of mIoU, mAcc, aAcc, fwIoU, mDice, mFscore, mPrecision, mRecall, kappa, mBIoU, or a metric (a map with type)
        found: "mIou" (a string)
        did you mean: mIoU
        valid: mIoU, mAcc, aAcc, fwIoU, mDice, mFscore, mPrecision, mRecall, kappa, mBIoU

      SEGFUSE_CONFIG_TYPE: 'window' has a value of the wrong type
        at: ROOT/top.yaml:8:39 (evaluation.window)
        8 | evaluation: {metrics: [mIou], window: wide, scales: 1}
          |                                       ^
        expected: a list of 2: each an integer ≥ 1 and ≤ 65536, or null
        found: "wide" (a string)

      SEGFUSE_CONFIG_TYPE: 'scales' has a value of the wrong type
        at: ROOT/top.yaml:8:53 (evaluation.scales)
        8 | evaluation: {metrics: [mIou], window: wide, scales: 1}
          |                                                     ^
        expected: a list of 1 to 32: each a number > 0 and ≤ 16
        found: 1

      SEGFUSE_CONFIG_CHOICE: 'best' is none of its choices
        at: ROOT/top.yaml:9:20 (checkpoint.best)
        9 | checkpoint: {best: mIoUs}
          |                    ^
        expected: one of mIoU, mAcc, aAcc, fwIoU, mDice, mFscore, mPrecision, mRecall, kappa, mBIoU, val_loss, or null
        found: "mIoUs" (a string)
        did you mean: mIoU
        valid: mIoU, mAcc, aAcc, fwIoU, mDice, mFscore, mPrecision, mRecall, kappa, mBIoU, val_loss"
    `);
  });

  it("give one line to a wrong type of component, whatever stands beside it", async () => {
    const files = new Files({
      "a.yaml": small.replace("{type: ppm}", "{type: pmm, whatever: 3}"),
      "b.yaml": small.replace("{type: ppm}", "{channels: 3}"),
      "c.yaml": small.replace("{type: ppm}", "ppm"),
      "d.yaml": small.replace("{type: ppm}", "{type: 5}"),
    });
    expect(await files.report(files.load("a.yaml"))).toMatchInlineSnapshot(`
      "SEGFUSE_CONFIG_UNKNOWN_TYPE: there is no head 'pmm'
        at: ROOT/a.yaml:4:16 (model.head.type)
        4 |   head: {type: pmm, whatever: 3}
          |                ^
        did you mean: ppm
        valid: ppm, dfp"
    `);
    expect(await files.report(files.load("b.yaml"))).toMatchInlineSnapshot(`
      "SEGFUSE_CONFIG_MISSING_KEY: 'model.head' lacks the key 'type'
        at: ROOT/b.yaml:4:9 (model.head.type)
        4 |   head: {channels: 3}
          |         ^
        valid: ppm, dfp"
    `);
    expect(await files.report(files.load("c.yaml"))).toMatchInlineSnapshot(`
      "SEGFUSE_CONFIG_TYPE: 'head' has a value of the wrong type
        at: ROOT/c.yaml:4:9 (model.head)
        4 |   head: ppm
          |         ^
        expected: a head (a map with type)
        found: "ppm" (a string)"
    `);
    expect(await files.report(files.load("d.yaml"))).toMatchInlineSnapshot(`
      "SEGFUSE_CONFIG_UNKNOWN_TYPE: a head's type is no text
        at: ROOT/d.yaml:4:16 (model.head.type)
        4 |   head: {type: 5}
          |                ^
        found: 5
        valid: ppm, dfp"
    `);
  });

  it("name the sections that an empty file lacks", async () => {
    const files = new Files({ "empty.yaml": "# nothing\n" });
    expect(await files.report(files.load("empty.yaml"))).toMatchInlineSnapshot(`
      "2 complaints

      SEGFUSE_CONFIG_MISSING_KEY: the file lacks the key 'model'
        at: ROOT/empty.yaml:1:1 (model)
        1 | # nothing
          | ^
        expected: a map

      SEGFUSE_CONFIG_MISSING_KEY: the file lacks the key 'data'
        at: ROOT/empty.yaml:1:1 (data)
        1 | # nothing
          | ^
        expected: a map"
    `);
  });

  it("end with exit status 2 and are there for programs", async () => {
    const files = new Files({ "a.yaml": `${small}\nseed: -1\n` });
    const error = await files.load("a.yaml").catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigError);
    const { exitCode, complaints } = error as ConfigError;
    expect(exitCode).toBe(2);
    expect(complaints).toMatchObject([
      { code: "SEGFUSE_CONFIG_RANGE", path: ["seed"], origin: { line: 8, column: 7 } },
    ]);
  });
});

describe("rules across sections", () => {
  it("see what no single value can tell", async () => {
    const files = new Files({
      "a.yaml": `
model:
  num_classes: 2
  in_channels: 4
  backbone: {type: resnet, depth: 18}
  neck: {type: concat}
  head: {type: dfp, losses: [{type: cross_entropy, class_weights: [1, 2, 3]}]}
  auxiliary_head: [{type: fcn, losses: [{type: cross_entropy, class_weights: [1]}]}]
  preprocess: {std: [1, 1, 1, 1]}
data:
  dataset: {type: folder, root: ./data, classes: [a, b]}
  crop_size: [40, 96]
schedule: {iterations: 10, warmup: {iterations: 10}}
evaluation: {window: [64, 64], stride: [32, 65]}
`,
    });
    expect(await files.report(files.load("a.yaml"))).toMatchInlineSnapshot(`
      "7 complaints

      SEGFUSE_HEAD_NEEDS_PYRAMID: the head 'dfp' needs a neck with one map per level
        at: ROOT/a.yaml:6:16 (model.neck.type)
        6 |   neck: {type: concat}
          |                ^
        expected: one of fpn, gated_fpn, gff
        found: concat

      SEGFUSE_CLASS_WEIGHTS: class weights do not fit the classes
        at: ROOT/a.yaml:7:67 (model.head.losses.0.class_weights)
        7 |   head: {type: dfp, losses: [{type: cross_entropy, class_weights: [1, 2, 3]}]}
          |                                                                   ^
        expected: 2 numbers, one per class (model.num_classes)
        found: 3

      SEGFUSE_CLASS_WEIGHTS: class weights do not fit the classes
        at: ROOT/a.yaml:8:78 (model.auxiliary_head.0.losses.0.class_weights)
        8 | … [{type: fcn, losses: [{type: cross_entropy, class_weights: [1]}]}]
          |                                                              ^
        expected: 2 numbers, one per class (model.num_classes)
        found: 1

      SEGFUSE_PREPROCESS: 'mean' does not fit the image's channels
        at: ROOT/a.yaml:9:15 (model.preprocess.mean)
        9 |   preprocess: {std: [1, 1, 1, 1]}
          |               ^
        expected: 4 numbers, one per channel (model.in_channels)
        found: 3

      SEGFUSE_CROP_SIZE: the crop is too small for the network
        at: ROOT/a.yaml:12:14 (data.crop_size)
        12 |   crop_size: [40, 96]
           |              ^
        expected: at least 48 a side: 6 cells of the deepest level at an output stride of 8
        found: [40,96]

      SEGFUSE_WARMUP: the warm-up is as long as the run
        at: ROOT/a.yaml:13:49 (schedule.warmup.iterations)
        13 | schedule: {iterations: 10, warmup: {iterations: 10}}
           |                                                 ^
        expected: fewer than 10 (schedule.iterations)
        found: 10

      SEGFUSE_WINDOW_STRIDE: the stride is larger than the sliding window, which leaves gaps
        at: ROOT/a.yaml:14:40 (evaluation.stride)
        14 | evaluation: {window: [64, 64], stride: [32, 65]}
           |                                        ^
        expected: at most [64,64] (evaluation.window)
        found: [32,65]
        try: evaluation.stride=null, which is two thirds of the window"
    `);
  });
});

describe("YAML", () => {
  const cases: Record<string, string> = {
    "broken.yaml": "model: [1\nseed: 2\n",
    "twice.yaml": "seed: 1\nname: x\nseed: 2\n",
    "proto.yaml": "seed: 1\nmodel: {__proto__: {polluted: 1}}\n",
    "constructor.yaml": "constructor: {prototype: 1}\n",
    "merge_key.yaml": "a: &a {seed: 1}\n<<: *a\n",
    "tag.yaml": "seed: !!js/function 1\n",
    "list.yaml": "- 1\n",
    "two.yaml": "seed: 1\n---\nseed: 2\n",
    "alias.yaml": `a: &a [1]\nb: [${"*a, ".repeat(101)}]\n`,
    "laughs.yaml": `l0: &l0 [1, 2, 3, 4, 5, 6, 7, 8, 9]\n${[1, 2, 3, 4, 5, 6]
      .map(
        (n) =>
          `l${n}: &l${n} [${Array(9)
            .fill(`*l${n - 1}`)
            .join(", ")}]\n`,
      )
      .join("")}`,
    "large.yaml": `# ${"x".repeat(1_000_000)}\n`,
  };

  it("is plain, bounded and harmless", async () => {
    const files = new Files(cases);
    const reports = [];
    for (const name of Object.keys(cases)) reports.push(await files.report(files.load(name)));
    expect(reports.join("\n")).toMatchInlineSnapshot(`
      "SEGFUSE_CONFIG_SYNTAX: no YAML: the [ is not closed
        at: ROOT/broken.yaml:1:8
        1 | model: [1
          |        ^
      SEGFUSE_CONFIG_DUPLICATE_KEY: the key 'seed' is written twice
        at: ROOT/twice.yaml:3:1 (seed)
        3 | seed: 2
          | ^
        expected: every key once in its map
        found: first in line 1
      SEGFUSE_CONFIG_FORBIDDEN_KEY: '__proto__' is no key that a config can have
        at: ROOT/proto.yaml:2:9 (model.__proto__)
        2 | model: {__proto__: {polluted: 1}}
          |         ^
      SEGFUSE_CONFIG_FORBIDDEN_KEY: 'constructor' is no key that a config can have
        at: ROOT/constructor.yaml:1:1 (constructor)
        1 | constructor: {prototype: 1}
          | ^
      SEGFUSE_CONFIG_FORBIDDEN_KEY: merge keys are not part of YAML 1.2
        at: ROOT/merge_key.yaml:2:1 (<<)
        2 | <<: *a
          | ^
        try: _base_: FILE
      SEGFUSE_CONFIG_SYNTAX: no YAML: unknown scalar tag !<tag:yaml.org,2002:js/function>
        at: ROOT/tag.yaml:1:7
        1 | seed: !!js/function 1
          |       ^
      SEGFUSE_CONFIG_DOCUMENT: a config file holds no map
        at: ROOT/list.yaml:1:1
        1 | - 1
          | ^
        expected: a map: KEY: VALUE
        found: a list
      SEGFUSE_CONFIG_DOCUMENT: a config file holds more than one document
        at: ROOT/two.yaml:2:1
        2 | ---
          | ^
        expected: one document: no line of --- between two
        found: 2 documents
      SEGFUSE_CONFIG_LIMIT: a config has too many aliases
        at: ROOT/alias.yaml:2:406
        2 | …a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, ]
          |                                                              ^
        expected: at most 100
      SEGFUSE_CONFIG_LIMIT: a config holds too many values
        at: ROOT/laughs.yaml:5:1
        5 | l4: &l4 [*l3, *l3, *l3, *l3, *l3, *l3, *l3, *l3, *l3]
          | ^
        expected: at most 20000, aliases counted as what they stand for
      SEGFUSE_CONFIG_LIMIT: a config file is too large
        at: ROOT/large.yaml
        expected: at most 1000000 bytes
        found: 1000003 bytes"
    `);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});
