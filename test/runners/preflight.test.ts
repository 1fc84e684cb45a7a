import { copyFileSync, existsSync, mkdirSync, readdirSync, unlinkSync, writeFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs";
import { encode } from "fast-png";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { SegfuseError } from "../../src/errors.ts";
import { createRegistry } from "../../src/builtin.ts";
import { estimateMemory, memoryWarning } from "../../src/runners/preflight/memory.ts";
import { requireDisk } from "../../src/runners/preflight/disk.ts";
import { checkRun, train } from "../../src/runners/train.ts";
import { MemoryLogger, TinyRun } from "../helpers/tiny_run.ts";

// Each complaint and warning before the first update, as it is told. test/tools/check.test.ts has the command.

let run: TinyRun;
let logger: MemoryLogger;
beforeEach(() => {
  run = new TinyRun();
  logger = new MemoryLogger();
});
afterEach(() => run.remove());

// One for all: its schema is compiled once.
const registry = createRegistry();
const inputs = async (set: readonly string[]) => ({
  loaded: await loadConfig(run.config, { registry, set: [...set] }),
  workDir: run.path("work"),
  registry,
  logger,
});

/** What a check of the run is told, complaints or warnings; no file and no tensor is left behind. */
async function told(...set: string[]): Promise<string> {
  const before = tf.memory().numTensors;
  logger.lines.length = 0;
  let text: string;
  try {
    await checkRun(await inputs(set));
    text = logger.lines.filter((line) => line.startsWith("warning: ")).join("\n");
  } catch (error) {
    if (!(error instanceof SegfuseError)) throw error;
    text = error.report();
  }
  expect(existsSync(run.path("work"))).toBe(false);
  expect(tf.memory().numTensors).toBe(before);
  return text.replaceAll(run.folder, "ROOT");
}

function writeMask(split: string, name: string, values: (pixel: number) => number): void {
  const data = Uint8Array.from({ length: 40 * 48 }, (_, p) => values(p));
  const file = `${run.data}/masks/${split}/${name}.png`;
  writeFileSync(file, encode({ width: 48, height: 40, data, channels: 1 }));
}

/** The training files again, in a data set whose splits are lists. */
function writeLists(lists: Readonly<Record<string, string>>): string[] {
  for (const kind of ["images", "masks"]) {
    mkdirSync(run.path(`listed/${kind}`), { recursive: true });
    for (const file of readdirSync(`${run.data}/${kind}/train`))
      copyFileSync(`${run.data}/${kind}/train/${file}`, run.path(`listed/${kind}/${file}`));
  }
  for (const [split, text] of Object.entries(lists)) writeFileSync(run.path(`listed/${split}.txt`), text);
  return [`data.dataset.root=${run.path("listed")}`, "data.dataset.splits=lists"];
}

describe("complaints come all at once", () => {
  it("about both splits and the network", async () => {
    unlinkSync(`${run.data}/masks/train/4.png`);
    writeMask("val", "1", (p) => (p < 100 ? 3 : 0));
    const small = encode({ width: 24, height: 40, data: new Uint8Array(960), channels: 1 });
    writeFileSync(`${run.data}/masks/val/0.png`, small);
    expect(
      await told(
        "model.in_channels=4",
        "model.preprocess={mean: [1, 2, 3, 4], std: [1, 1, 1, 1]}",
        "data.batch_size=1",
        `init_from=${run.path("nothing")}`,
      ),
    ).toMatchInlineSnapshot(`
      "6 complaints

      SEGFUSE_DATA_FILE: an image has no mask
        at: ROOT/data/images/train/4.png
        expected: a file for "4" in ROOT/data/masks/train
        found: none

      SEGFUSE_DATA_SIZE: a mask and its image differ in size
        at: ROOT/data/masks/val/0.png
        expected: 48x40 (width x height), as ROOT/data/images/val/0.png
        found: 24x40

      SEGFUSE_DATA_LABEL: a mask holds a value that is no class
        at: ROOT/data/masks/val/1.png
        expected: classes 0..2 and 255 (ignore)
        found: value 3 in 100 pixels, first at x=0, y=0
        try: data.dataset.label_map: {3: ignore}, or a class's number for it; or correct the mask, the list of classes, ignore_index or reduce_zero_label

      SEGFUSE_PREFLIGHT: the images have another number of channels than the network
        at: model.in_channels
        expected: 3, as the images of split "val"
        found: 4
        try: leave model.in_channels out: images are read as RGB

      SEGFUSE_CHECKPOINT: there is no checkpoint
        at: ROOT/nothing
        expected: an iter_N folder, a work folder with checkpoints/, or a weight file
        found: nothing of that name

      SEGFUSE_BATCH_NORM_ONE_VALUE: batch normalisation of one value per channel
        at: head.context.stages.0.bn
        expected: more than one value per channel in training
        found: an input of shape [1, 1, 1, 8]
        try: use data.batch_size 2 or more (pooling to 1×1 leaves one value per image)"
    `);
  });

  it("about lists: a sample twice, a file that is missing", async () => {
    const set = writeLists({ train: "0\n1\n\n2\n1\n", val: "3\nabsent\nlost\n" });
    expect(await told(...set)).toMatchInlineSnapshot(`
      "2 complaints

      SEGFUSE_DATA_SPLIT: a list names a sample twice
        at: ROOT/listed/train.txt:5
        found: 1, as in line 2
        try: take one of them out: it would count twice in training and in metrics; oversample: true, where that is meant

      SEGFUSE_DATA_FILE: a listed sample has no image
        at: ROOT/listed/val.txt (absent)
        expected: a file for "absent" in ROOT/listed/images
        found: none (and 1 more)"
    `);
  });
});

it("images that are scored more than once are told", async () => {
  const set = writeLists({ train: "0\n1\n1\n", val: "2\n3\n2\n2\n" });
  expect(await told(...set, "data.dataset.oversample=true")).toContain(
    "warning: an image is in data.val more than once, and counted as often (ROOT/listed/images/2.png)",
  );
});

describe("a complaint about", () => {
  it("classes, and lists of them", async () => {
    expect(await told("model.num_classes=4")).toMatchInlineSnapshot(`
      "SEGFUSE_NUM_CLASSES: the network and the data set have different numbers of classes
        at: --set model.num_classes=4 (model.num_classes)
        expected: 3, as data.dataset has
        found: 4
        try: leave model.num_classes out: it follows the data set"
    `);
    const losses = "model.head.losses=[{type: cross_entropy}, {type: dice, class_weights: [1, 2]}]";
    expect(await told(losses)).toMatchInlineSnapshot(`
      "SEGFUSE_CLASS_WEIGHTS: class weights do not fit the classes
        at: --set model.head.losses=[{type: cross_entropy}, {type: dice, class_weights: [1, 2]}] (model.head.losses.1.class_weights)
        expected: 3 numbers, one per class (of data.dataset)
        found: 2"
    `);
  });

  it("a disk that is too full", () => {
    const estimate = { checkpoint: 300e6, checkpoints: 5, total: 1500e6, free: 1000e6 };
    let text = "";
    try {
      requireDisk(estimate, "work");
    } catch (error) {
      text = (error as SegfuseError).report();
    }
    expect(text).toMatchInlineSnapshot(`
      "SEGFUSE_PREFLIGHT: the disk is too full for the run's checkpoints
        at: work
        expected: 1.4 GiB (checkpoints of 287 MiB)
        found: 954 MiB free
        try: make room, another --work-dir, or a smaller checkpoint.keep_last"
    `);
    requireDisk({ ...estimate, free: null }, "work");
  });

  it("memory: a warning above what is free, an error above twice that", () => {
    const estimate = estimateMemory(
      { training: 2 ** 30, evaluation: 3 * 2 ** 30 },
      { optimizerState: 2 ** 29, checkpoint: 2 ** 28, workers: 2 },
    );
    expect(memoryWarning(estimate, 8 * 2 ** 30)).toBeNull();
    expect(memoryWarning(estimate, 3 * 2 ** 30)).toMatchInlineSnapshot(
      `"the run needs about 5.2 GiB of memory, 3.0 GiB are free: a smaller data.batch_size (with optimizer.accumulate), data.crop_size, or with_cp: true"`,
    );
    expect(() => memoryWarning(estimate, 2 ** 30)).toThrow("far more memory");
  });
});

describe("a warning", () => {
  it("about a rule for parameters that there are not", async () => {
    const rules = "[{match: 'haed.*', lr_mult: 10}, {match: 'head.*', lr_mult: 10}]";
    expect(await told(`optimizer.paramwise=${rules}`)).toMatchInlineSnapshot(
      `"warning: optimizer.paramwise.0: no parameter's name matches haed.*"`,
    );
  });

  it("of masks without labels, classes without pixels and images in both splits", async () => {
    for (let i = 0; i < 8; i++) writeMask("train", String(i), (p) => (i === 3 ? 255 : p % 2));
    const set = writeLists({ train: "0\n1\n2\n3\n4\n", val: "4\n5\n" });
    expect(await told(...set)).toMatchInlineSnapshot(`
      "warning: an image is in both data.train and data.val (ROOT/listed/images/4.png)
      warning: a mask has no labelled pixel in split "train" (ROOT/listed/masks/3.png)
      warning: no mask of split "train" has a pixel of sky: it is not learnt; masks with it are missing, or data.dataset lists a class too many
      warning: no mask of split "val" has a pixel of sky: means are over 2 of 3 classes, with it as 0 where it is predicted; masks with it are missing, or data.dataset lists a class too many"
    `);
  });

  it("of masks of 0 and 255, and of a class that is nowhere, before a run as in a check", async () => {
    const two = "data.dataset.classes=[back, front]";
    for (const split of ["train", "val"])
      for (const file of readdirSync(`${run.data}/masks/${split}`))
        writeMask(split, file.replace(".png", ""), (p) => (p % 4 === 0 ? 255 : 0));
    const before = `${await told(two)}\n${await told(two, "data.dataset.label_map.255=1")}`;
    expect(before).toMatchInlineSnapshot(`
      "warning: no mask of split "train" has a pixel of front: it is not learnt; if 255 stands for a class in the masks: data.dataset.label_map: {255: 1}
      warning: 25.0 % of the pixels of split "train" are ignored and count nowhere
      warning: no mask of split "val" has a pixel of front: means are over 1 of 2 classes, with it as 0 where it is predicted; if 255 stands for a class in the masks: data.dataset.label_map: {255: 1}
      warning: 25.0 % of the pixels of split "val" are ignored and count nowhere
      "
    `);
    logger.lines.length = 0;
    await train(await inputs([two, "schedule.iterations=1", "evaluation.interval=1"]));
    const lines = logger.lines.filter((line) => /^warning: |^val at/.test(line)).join("\n");
    expect(lines.replace(/, loss .*/, "")).toMatchInlineSnapshot(`
      "warning: of 8 masks of split "train" 6 were looked at: none has a pixel of front: if the others are like them, it is not learnt; if 255 stands for a class in the masks: data.dataset.label_map: {255: 1}
      warning: of 8 masks of split "train" 6 were looked at: 25.0 % of their pixels are ignored and count nowhere
      warning: no mask of split "val" has a pixel of front: means are over 1 of 2 classes, with it as 0 where it is predicted; if 255 stands for a class in the masks: data.dataset.label_map: {255: 1}
      warning: 25.0 % of the pixels of split "val" are ignored and count nowhere
      val at 1: mIoU 100.00, mAcc 100.00, aAcc 100.00, over 1 of 2 classes"
    `);
  });

  it("of many classes that are nowhere, in one line", async () => {
    const many = Array.from({ length: 150 }, (_, k) => `c${k}`).join(", ");
    for (let i = 0; i < 8; i++) writeMask("train", String(i), (p) => (p + i) % 40);
    expect(await told(`data.dataset.classes=[${many}]`)).toMatchInlineSnapshot(`
      "warning: no mask of split "train" has a pixel of c40, c41, c42, c43, c44 and 105 more: they are not learnt; masks with them are missing, or data.dataset lists classes too many
      warning: no mask of split "val" has a pixel of c3, c4, c5, c6, c7 and 142 more: means are over 3 of 150 classes, with each as 0 where it is predicted; masks with them are missing, or data.dataset lists classes too many"
    `);
  });

  it("of much that is ignored, where all classes are there", async () => {
    for (let i = 0; i < 8; i++) writeMask("train", String(i), (p) => (p % 2 === 0 ? 255 : p % 3));
    expect(await told()).toMatchInlineSnapshot(
      `"warning: 50.0 % of the pixels of split "train" are ignored and count nowhere; if 255 stands for a class in the masks: data.dataset.label_map: {255: a class's number}"`,
    );
    const shifted = ["data.dataset.reduce_zero_label=true", "data.dataset.classes=[box, sky]"];
    expect(await told(...shifted)).toMatchInlineSnapshot(`
      "warning: 66.7 % of the pixels of split "train" are ignored and count nowhere; if 0 stands for a class in the masks: data.dataset.label_map: {0: a class's number}
      warning: 48.0 % of the pixels of split "val" are ignored and count nowhere; if 0 stands for a class in the masks: data.dataset.label_map: {0: a class's number}"
    `);
  });

  it("of evaluation windows that are smaller than a pyramid bin", async () => {
    const window = ["evaluation.mode=slide", "evaluation.window=[24, 24]", "evaluation.stride=[16, 16]"];
    expect(await told("model.head.context.bins=[1, 4]", ...window)).toMatchInlineSnapshot(
      `"warning: evaluation sees images of 24x24, whose deepest level has 3x3 cells, fewer than the 4x4 of the context 'ppm': a larger evaluation.window or another model.head.context"`,
    );
    expect(await told("model.head.context.bins=[1, 4]", "evaluation.scales=[0.5]")).toMatchInlineSnapshot(`"warning: evaluation sees images of 20x24, whose deepest level has 3x3 cells, fewer than the 4x4 of the context 'ppm': a larger evaluation.window or another model.head.context"`);
  });

  it("of a checkpoint with other classes", async () => {
    const { checkpoint } = await train({
      ...(await inputs(["schedule.iterations=1"])),
      workDir: run.path("first"),
    });
    const renamed = "data.dataset.classes=[ground, car, sky]";
    expect(await told(renamed, `init_from=${checkpoint}`)).toMatchInlineSnapshot(
      `"warning: ROOT/first/checkpoints/iter_1/model.safetensors was trained for other classes: its class 1 is box, the data set's car; the classifier starts from its weights all the same"`,
    );
    expect(await told(renamed, `init_from=${checkpoint}`, 'allow_fresh=["head.classifier.*"]')).toBe("");
  });
});

describe("the sample before a run", () => {
  it("finds what a few masks show, and the whole check finds the rest", async () => {
    // 6 of 8 are read: 0, 1, 2, 4, 5, 6
    writeMask("train", "7", () => 9);
    const set = ["schedule.iterations=1"];
    await expect(checkRun(await inputs(set))).rejects.toThrow("a mask holds a value that is no class");
    writeMask("train", "4", () => 9);
    await expect(train(await inputs(set))).rejects.toThrow("a mask holds a value that is no class");
    expect(existsSync(run.path("work"))).toBe(false);
  });
});
