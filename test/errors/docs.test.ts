import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { errorPage } from "../../docs/errors/page.ts";
import { ConfigError } from "../../src/config/index.ts";
import { textOf, type ErrorRecord, type Lines } from "../../src/errors/record.ts";
import { errorCodes, SegfuseError } from "../../src/errors.ts";
import { createRegistry } from "../../src/builtin.ts";
import { Files } from "../config/files.ts";

const records = Object.entries<ErrorRecord>(errorCodes);
type Loaded = Exclude<ErrorRecord, { example: "text" }>;
const loaded = records.filter((entry): entry is [string, Loaded] => entry[1].example !== "text");
const docs = new URL("../../docs/", import.meta.url);
const small = readFileSync(new URL("errors/small.yaml", docs), "utf8");

describe("docs/errors.md", () => {
  it("is what `npm run docs` writes", () => {
    expect(
      readFileSync(new URL("errors.md", docs), "utf8"),
      "run `npm run docs` and commit docs/errors.md",
    ).toBe(errorPage());
  });
});

describe("the codes of configs occur as the page says", () => {
  it.each(loaded)("%s", async (code, { latin1, ...record }) => {
    const wrong = await outcome({ ...record, ...(latin1 ? { latin1 } : {}) }, record.wrong, record.set);
    expect(wrong.codes, `the wrong example of ${code}`).toContain(code);
    const right = await outcome(record, record.right, record.rightSet);
    expect(right.codes, `the right example of ${code}`).toEqual([]);
  });
});

it("the whole text of each", async () => {
  const texts: string[] = [];
  for (const [, record] of loaded) texts.push((await outcome(record, record.wrong, record.set)).text);
  expect(texts.join("\n\n")).toMatchInlineSnapshot(`
    "SEGFUSE_CONFIG_FILE: a config file cannot be read
      at: ROOT/example.yaml:1:9 (_base_)
      1 | _base_: smal.yaml
        |         ^
      found: ROOT/smal.yaml: no such file
      did you mean: ROOT/small.yaml

    SEGFUSE_CONFIG_ENCODING: a config file is not in UTF-8
      at: ROOT/example.yaml
      expected: text in UTF-8
      found: bytes that are no UTF-8

    SEGFUSE_CONFIG_LIMIT: a config holds too many values
      at: ROOT/example.yaml:6:1
      6 | e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d]
        | ^
      expected: at most 20000, aliases counted as what they stand for

    SEGFUSE_CONFIG_SYNTAX: no YAML: missed comma between flow collection entries
      at: ROOT/example.yaml:2:26
      2 | data: {crop_size: [96, 96}
        |                          ^

    SEGFUSE_CONFIG_DOCUMENT: a config file holds no map
      at: ROOT/example.yaml:1:1
      1 | - _base_: small.yaml
        | ^
      expected: a map: KEY: VALUE
      found: a list

    SEGFUSE_CONFIG_DUPLICATE_KEY: the key 'model' is written twice
      at: ROOT/example.yaml:3:1 (model)
      3 | model: {in_channels: 3}
        | ^
      expected: every key once in its map
      found: first in line 2

    SEGFUSE_CONFIG_FORBIDDEN_KEY: merge keys are not part of YAML 1.2
      at: ROOT/example.yaml:3:13 (optimizer.<<)
      3 | optimizer: {<<: *defaults}
        |             ^
      try: _base_: FILE

    SEGFUSE_CONFIG_BASE: _base_ names no file
      at: ROOT/example.yaml:1:9 (_base_)
      1 | _base_: {file: small.yaml}
        |         ^
      expected: a path, or a list of paths, relative to this file
      found: {file} (a map)

    SEGFUSE_CONFIG_CYCLE: files inherit from each other in a circle
      at: ROOT/other.yaml:1:9 (_base_)
      1 | _base_: example.yaml
        |         ^
      inherited: ROOT/example.yaml:1:9 → ROOT/other.yaml
      found: ROOT/example.yaml → ROOT/other.yaml → ROOT/example.yaml

    SEGFUSE_CONFIG_CONFLICT: two bases set the same key differently
      at: ROOT/slow.yaml:1:17 (optimizer.lr)
      1 | optimizer: {lr: 0.001}
        |                 ^
      inherited: ROOT/example.yaml:1:33 → ROOT/slow.yaml
      expected: one value, or one base that inherits from the other: 0.1, at ROOT/fast.yaml:1:17
      found: 0.001, at ROOT/slow.yaml:1:17
      try: set the key in the file that names the two

    SEGFUSE_CONFIG_SET: --set is not well formed
      at: --set optimizer.lr
      expected: a.b.0.c=VALUE
      found: optimizer.lr

    SEGFUSE_CONFIG_SET_PATH: --set names no place: '9' is not in 'data.train.transforms'
      at: --set data.train.transforms.9.type=resize (data.train.transforms.9.type)
      expected: 0 to 3
      found: [{"type":"random_scale","range":[0.75,2]},{"type":"random_c… (a list of 4)

    SEGFUSE_CONFIG_ENV: the environment variable MY_DATA is not set
      at: ROOT/example.yaml:2:24 (data.dataset.root)
      2 | data: {dataset: {root: "\${env:MY_DATA}"}}
        |                        ^
      found: "\${env:MY_DATA}" (a string)
      try: export MY_DATA=VALUE, or --set data.dataset.root=VALUE

    SEGFUSE_CONFIG_ENV_FORM: a reference to an environment variable is not well formed
      at: ROOT/example.yaml:2:24 (data.dataset.root)
      2 | data: {dataset: {root: "\${env:MY DATA}"}}
        |                        ^
      expected: \${env:NAME} or \${env:NAME:-default}
      found: "\${env:MY DATA}" (a string)

    SEGFUSE_CONFIG_UNKNOWN_KEY: the optimizer 'sgd' has no key 'learning_rate'
      at: ROOT/example.yaml:2:13 (optimizer.learning_rate)
      2 | optimizer: {learning_rate: 0.01}
        |             ^
      did you mean: lr
      valid: type, lr, accumulate, clip_norm, paramwise, momentum, nesterov, weight_decay, norm_bias_decay

    SEGFUSE_CONFIG_UNKNOWN_TYPE: there is no neck 'gaff'
      at: ROOT/example.yaml:2:22 (model.neck.type)
      2 | model: {neck: {type: gaff}}
        |                      ^
      did you mean: gff
      valid: none, concat, addition, fpn, gated_fpn, gff

    SEGFUSE_CONFIG_MISSING_KEY: 'data.dataset' lacks the key 'classes'
      at: ROOT/example.yaml:2:17 (data.dataset.classes)
      2 | data: {dataset: {_delete_: true, type: folder, root: ./data}}
        |                 ^
      expected: a list of 1 to 255: each non-empty text, or a map

    SEGFUSE_CONFIG_TYPE: 'crop_size' has a value of the wrong type
      at: ROOT/example.yaml:2:19 (data.crop_size)
      2 | data: {crop_size: 96}
        |                   ^
      expected: a list of 2: each an integer ≥ 1 and ≤ 65536
      found: 96

    SEGFUSE_CONFIG_RANGE: 'lr' is out of range
      at: ROOT/example.yaml:2:17 (optimizer.lr)
      2 | optimizer: {lr: 0}
        |                 ^
      expected: a number > 0
      found: 0

    SEGFUSE_CONFIG_CHOICE: 'mode' is none of its choices
      at: ROOT/example.yaml:2:20 (evaluation.mode)
      2 | evaluation: {mode: sliding}
        |                    ^
      found: "sliding" (a string)
      did you mean: slide
      valid: slide, whole

    SEGFUSE_CONFIG_LENGTH: 'crop_size' is too short or too long
      at: ROOT/example.yaml:2:19 (data.crop_size)
      2 | data: {crop_size: [96]}
        |                   ^
      expected: a list of 2: each an integer ≥ 1 and ≤ 65536
      found: [96] (a list of 1)

    SEGFUSE_CONFIG_PATTERN: 'name' is not written as it must be
      at: ROOT/example.yaml:2:7 (name)
      2 | name: ../elsewhere
        |       ^
      expected: text of 1 to 200 characters that matches ^[A-Za-z0-9][A-Za-z0-9_.-]*$
      found: "../elsewhere" (a string)

    SEGFUSE_CONFIG_REPEATED: 'metrics' names something twice
      at: ROOT/example.yaml:2:23 (evaluation.metrics)
      2 | evaluation: {metrics: [mIoU, mIoU]}
        |                       ^
      expected: a list of 1 or more: each one of mIoU, mAcc, aAcc, fwIoU, mDice, mFscore, mPrecision, mRecall, kappa, mBIoU, or a metric (a map with type)
      found: ["mIoU","mIoU"] (a list of 2)

    SEGFUSE_CONFIG_VALUE: 'levels' has a value that it cannot have
      at: ROOT/example.yaml:3:38 (model.neck.levels)
      3 | model: {neck: {type: levels, levels: 5}}
        |                                      ^
      expected: an integer ≥ 1 and ≤ 3, or an integer ≥ 7 and ≤ 9
      found: 5

    SEGFUSE_COMPONENT_OPTIONS: the range of random_scale is empty
      at: ROOT/example.yaml:2:57 (data.train.transforms.0.range)
      2 | data: {train: {transforms: [{type: random_scale, range: [2.0, 0.5]}]}}
        |                                                         ^
      expected: [smallest, largest]
      found: [2, 0.5]

    SEGFUSE_CROP_SIZE: the crop is too small for the network
      at: ROOT/example.yaml:2:19 (data.crop_size)
      2 | data: {crop_size: [32, 32]}
        |                   ^
      expected: at least 48 a side: 6 cells of the deepest level at an output stride of 8
      found: [32,32]

    SEGFUSE_PREPROCESS: 'mean' does not fit the image's channels
      at: ROOT/example.yaml:2:28 (model.preprocess.mean)
      2 | model: {preprocess: {mean: [127.5]}}
        |                            ^
      expected: 3 numbers, one per channel (model.in_channels)
      found: 1

    SEGFUSE_HOOK_TWICE: a hook stands in the list twice
      at: ROOT/example.yaml:2:22 (hooks.1)
      2 | hooks: [{type: ema}, {type: ema}]
        |                      ^
      expected: ema at most once
      found: another ema

    SEGFUSE_WARMUP: the warm-up is as long as the run
      at: ROOT/example.yaml:2:50 (schedule.warmup.iterations)
      2 | schedule: {iterations: 100, warmup: {iterations: 500}}
        |                                                  ^
      expected: fewer than 100 (schedule.iterations)
      found: 500

    SEGFUSE_NUM_CLASSES: the network and the data set have different numbers of classes
      at: ROOT/example.yaml:2:22 (model.num_classes)
      2 | model: {num_classes: 3}
        |                      ^
      expected: 2, as data.dataset has
      found: 3
      try: leave model.num_classes out: it follows the data set

    SEGFUSE_IGNORE_INDEX: ignore_index is the number of a class
      at: ROOT/example.yaml:2:32 (data.dataset.ignore_index)
      2 | data: {dataset: {ignore_index: 1}}
        |                                ^
      expected: a number from 2 to 255, because the classes are 0..1
      found: 1

    SEGFUSE_CLASS_WEIGHTS: class weights do not fit the classes
      at: ROOT/example.yaml:2:62 (model.head.losses.0.class_weights)
      2 | model: {head: {losses: [{type: cross_entropy, class_weights: [1, 2, 3]}]}}
        |                                                              ^
      expected: 2 numbers, one per class (of data.dataset)
      found: 3

    SEGFUSE_GATE_CHANNELS: gates do not fit the maps they are for
      at: ROOT/example.yaml:2:57 (model.neck.gate_channels)
      2 | model: {neck: {type: gff, channels: 256, gate_channels: 16}}
        |                                                         ^
      expected: 1 or 256 (the neck's channels)
      found: 16

    SEGFUSE_HEAD_NEEDS_PYRAMID: the head 'dfp' needs a neck with one map per level
      at: ROOT/example.yaml:2:22 (model.neck.type)
      2 | model: {neck: {type: concat}, head: {type: dfp}}
        |                      ^
      expected: one of fpn, gated_fpn, gff
      found: concat

    SEGFUSE_WINDOW_STRIDE: the stride is larger than the sliding window, which leaves gaps
      at: ROOT/example.yaml:2:53 (evaluation.stride)
      2 | evaluation: {mode: slide, window: [64, 64], stride: [96, 96]}
        |                                                     ^
      expected: at most [64,64] (evaluation.window)
      found: [96,96]
      try: evaluation.stride=null, which is two thirds of the window

    SEGFUSE_STUDY_ROW_TWICE: there are two rows 'gff'
      at: ROOT/example.yaml:4:12 (rows.gff)
      4 |   - {name: gff, config: small.yaml}
        |            ^

    SEGFUSE_STUDY_UNKNOWN_ROW: the baseline names a row 'pspnett' that there is not
      at: ROOT/example.yaml:2:11 (baseline)
      2 | baseline: pspnett
        |           ^
      did you mean: pspnet
      valid: pspnet

    SEGFUSE_STUDY_CYCLE: rows depend on each other in a circle
      at: ROOT/example.yaml:3:46 (rows.a)
      3 |   - {name: a, config: small.yaml, init_from: b}
        |                                              ^
      found: a → b → a

    SEGFUSE_STUDY_WEIGHTS: the row 'b' has both init_from and weights_from
      at: ROOT/example.yaml:4:5 (rows.b)
      4 |   - {name: b, config: small.yaml, init_from: a, weights_from: a}
        |     ^
      expected: init_from: it trains, from there; or weights_from: it evaluates those weights and trains nothing

    SEGFUSE_STUDY_METRIC: there is no metric 'mIOU'
      at: ROOT/example.yaml:2:9 (metric)
      2 | metric: mIOU
        |         ^
      did you mean: mIoU
      valid: mIoU, mAcc, aAcc, fwIoU, mDice, mFscore, mPrecision, mRecall, kappa, mBIoU

    SEGFUSE_METRIC_OPTIONS: the metric 'group' is not computed: it has options without a default
      at: ROOT/example.yaml:3:20 (checkpoint.best)
      3 | checkpoint: {best: group}
        |                    ^
      expected: {type: group, classes: …} in evaluation.metrics
      found: no group there

    SEGFUSE_UNUSED: the row 'b' trains nothing: its schedule has no effect
      at: ROOT/multi_scale.yaml:2:11 (schedule)
      2 | schedule: {iterations: 500}
        |           ^
      inherited: ROOT/example.yaml:4:23 → ROOT/multi_scale.yaml
      expected: no schedule here, because weights_from is a
      try: schedule in the config of a, or init_from in place of weights_from

    SEGFUSE_PLUGIN_LOAD: the plug-in './my_neck.mjs' is not there
      at: ROOT/example.yaml:2:11 (plugins.0)
      2 | plugins: [./my_neck.mjs]
        |           ^
      found: no file ROOT/my_neck.mjs

    SEGFUSE_PLUGIN_EXPORT: a plug-in exports no component
      at: ROOT/example.yaml:2:11 (plugins.0)
      2 | plugins: [./my_neck.mjs] # export default class MyNeck {}
        |           ^
      expected: \`export default defineNeck({ type, description, schema, create })\` or a list of such records
      found: ROOT/my_neck.mjs: a default export that is a function

    SEGFUSE_PLUGIN_CLASH: there are two components 'gff' of kind neck
      at: ROOT/example.yaml:2:11 (plugins.0)
      2 | plugins: [./my_gff.mjs] # its type is gff
        |           ^
      expected: a neck type of another name
      found: ROOT/my_gff.mjs: gff, which segfuse has registered already

    SEGFUSE_PLUGIN_API: a plug-in needs a newer segfuse
      at: ROOT/example.yaml:2:11 (plugins.0)
      2 | plugins: [./newer.mjs] # export const apiVersion = 99
        |           ^
      expected: apiVersion 2 or below, which segfuse 0.1.0 has
      found: ROOT/newer.mjs: apiVersion 99
      try: install the newest segfuse, or an older version of the plug-in

    SEGFUSE_AUXILIARY_LEVEL: an auxiliary head sees a level that is not there
      at: ROOT/example.yaml:2:44 (model.auxiliary_head.level)
      2 | model: {auxiliary_head: {type: fcn, level: 5}}
        |                                            ^
      expected: 1 to 4, the levels of the backbone 'resnet'
      found: 5"
  `);
});

/** What is wrong with an example: codes and the printed text; none where it loads. */
async function outcome(
  { files: further = {}, example, latin1 }: Loaded,
  lines: Lines,
  set: readonly string[] = [],
): Promise<{ codes: string[]; text: string }> {
  const files = new Files({ "small.yaml": small });
  for (const [name, text] of Object.entries(further)) files.write(name, `${textOf(text)}\n`);
  const text = `${textOf(lines)}\n`;
  files.write("example.yaml", latin1 === true ? Buffer.from(text, "latin1") : text);
  const hasPlugin = Object.keys(further).some((name) => name.endsWith(".mjs"));
  const options = { set, ...(hasPlugin ? { registry: createRegistry() } : {}) };
  try {
    await (example === "study" ? files.study("example.yaml", options) : files.load("example.yaml", options));
    return { codes: [], text: "" };
  } catch (error) {
    if (!(error instanceof SegfuseError)) throw error;
    const codes = error instanceof ConfigError ? error.complaints.map(({ code }) => code) : [error.code];
    return { codes, text: error.report().replaceAll(files.root, "ROOT") };
  }
}

describe("the codes of runs", () => {
  it("are each provoked by a test", () => {
    const folder = fileURLToPath(new URL("../", import.meta.url));
    const texts = readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => /\.(test|long)\.ts$/.test(name))
      .map((name) => readFileSync(join(folder, name), "utf8"))
      .join("\n");
    const unseen = records
      .filter(([, { example }]) => example === "text")
      .map(([code]) => code)
      .filter((code) => !new RegExp(`${code}(?![A-Z_])`).test(texts));
    expect(unseen, "write a test that really provokes these and expects the code").toEqual([]);
  });
});
