import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SegfuseError } from "../../src/errors.ts";
import type { RunProgress } from "../../src/training/progress.ts";
import { writeInitialWeights } from "../../src/runners/init.ts";
import { testCheckpoint } from "../../src/runners/test.ts";
import { checkRun, train, type TrainInputs, type TrainResult } from "../../src/runners/train.ts";
import { silentLogger } from "../../src/util/logger.ts";
import { readSafetensors, writeSafetensors } from "../../src/weights/safetensors.ts";
import { useEngine } from "../helpers/engine.ts";
import { MemoryLogger, TinyRun } from "../helpers/tiny_run.ts";

let run: TinyRun;
beforeAll(async () => {
  await useEngine();
  run = new TinyRun();
});
afterAll(() => run.remove());

async function start(
  name: string,
  set: string[] = [],
  more: Partial<TrainInputs> = {},
): Promise<TrainResult> {
  const loaded = await run.load(...set);
  return train({ loaded, workDir: run.path(name), registry: run.registry, logger: silentLogger, ...more });
}

/** What a failing run tells its user. */
async function complaint(action: Promise<unknown>): Promise<string> {
  try {
    await action;
    return "no error";
  } catch (error) {
    if (!(error instanceof SegfuseError)) throw error;
    return error.report().replaceAll(run.folder, "FOLDER");
  }
}

interface Line {
  event: string;
  iteration: number;
  [key: string]: unknown;
}

function logOf(name: string): Line[] {
  const lines = readFileSync(join(run.path(name), "run.jsonl"), "utf8")
    .trimEnd()
    .split("\n");
  return lines.map((line) => JSON.parse(line) as Line);
}

function bytes(...path: string[]): Buffer {
  return readFileSync(join(run.folder, ...path));
}

describe("a run", () => {
  const logger = new MemoryLogger();
  const progress: RunProgress[] = [];
  let result: TrainResult;
  let tensorsAfter: number;
  beforeAll(async () => {
    const before = tf.memory().numTensors;
    result = await start("whole", [], { logger, onProgress: (event) => progress.push(event) });
    tensorsAfter = tf.memory().numTensors - before;
  });

  it("stores its config, log and checkpoints", () => {
    const files = readdirSync(run.path("whole"), { recursive: true, encoding: "utf8" });
    const isFile = (name: string) => /\.\w+$|\/(last|best)$/.test(name);
    expect(files.filter(isFile).sort().join("\n")).toMatchInlineSnapshot(`
      "checkpoints/best
      checkpoints/iter_4/model.safetensors
      checkpoints/iter_4/optimizer.safetensors
      checkpoints/iter_4/state.json
      checkpoints/iter_6/model.safetensors
      checkpoints/iter_6/optimizer.safetensors
      checkpoints/iter_6/state.json
      checkpoints/last
      config.yaml
      run.jsonl"
    `);
    expect(bytes("whole/checkpoints/last").toString()).toBe("iter_6\n");
    expect(result.checkpoint).toBe(run.path("whole/checkpoints/iter_6"));
  });

  it("stores a config that loads again and is the same run", async () => {
    const { loadConfig } = await import("../../src/config/load.ts");
    const again = await loadConfig(run.path("whole/config.yaml"), { registry: run.registry });
    expect(again.hash).toBe((await run.load()).hash);
  });

  it("logs one object a line", () => {
    const log = logOf("whole");
    // that a checkpoint is whole is told while training goes on
    const ordered = log.toSorted((a, b) => a.iteration - b.iteration);
    expect(ordered.map(({ event, iteration }) => `${event} ${iteration}`).join("\n")).toMatchInlineSnapshot(`
      "start 0
      train 2
      checkpoint 2
      evaluate 3
      checkpoint 3
      train 4
      checkpoint 4
      train 6
      evaluate 6
      checkpoint 6
      end 6"
    `);
    const [first] = log;
    expect(first).toMatchObject({ resumed: false, seed: 3, classes: ["ground", "box", "sky"] });
    expect((first!.weights as { fresh: string[] }).fresh).toContain("head.classifier.weight");
    const training = log.find(({ event }) => event === "train")!;
    expect(Object.keys(training).join(" ")).toMatchInlineSnapshot(
      `"time event iteration decode.loss_ce aux.loss_ce loss lr seconds_per_iteration data_wait_share eta_seconds memory_mb tensors"`,
    );
    expect(training["decode.loss_ce"]).toBeCloseTo(Math.log(3), 0);
    expect(training.loss).toBeCloseTo(
      (training["decode.loss_ce"] as number) + (training["aux.loss_ce"] as number),
      5,
    );
  });

  it("reports progress of training and evaluation", () => {
    expect(
      progress.map(({ phase, iteration, iterations }) => `${phase} ${iteration}/${iterations}`).join(", "),
    ).toMatchInlineSnapshot(
      `"train 1/6, train 2/6, train 3/6, evaluate 1/3, evaluate 2/3, evaluate 3/3, train 4/6, train 5/6, train 6/6, evaluate 1/3, evaluate 2/3, evaluate 3/3"`,
    );
    expect(progress.at(-1)).toMatchObject({ etaSeconds: 0, loss: result.losses.loss });
  });

  it("tells where it stands", () => {
    const plain = logger.lines.map((line) =>
      line.replaceAll(/\d+(\.\d+)?(e-\d+)?/g, "#").replace(/^engine.*/, "engine"),
    );
    expect(plain.join("\n")).toMatchInlineSnapshot(`
      "engine
      weights: all fresh (seed #)
      iter #/#  loss # (decode.loss_ce #, aux.loss_ce #)  lr #  # s/iter, # % waiting for data, #:# left
      val at #: mIoU #, mAcc #, aAcc #, loss # (# images, #:#)
      iter #/#  loss # (decode.loss_ce #, aux.loss_ce #)  lr #  # s/iter, # % waiting for data, #:# left
      iter #/#  loss # (decode.loss_ce #, aux.loss_ce #)  lr #  # s/iter, # % waiting for data, #:# left
      val at #: mIoU #, mAcc #, aAcc #, loss # (# images, #:#)"
    `);
  });

  it("keeps no tensors, neither while it trains nor afterwards", () => {
    const counts = logOf("whole")
      .filter(({ event }) => event === "train")
      .map(({ tensors }) => tensors);
    expect(new Set(counts).size).toBe(1);
    expect(tensorsAfter).toBe(0);
  });

  it("learns, and tests as it evaluated", async () => {
    const longer = ["schedule.iterations=24", "evaluation.interval=24", "checkpoint.interval=24"];
    const { best } = await start("longer", longer);
    const loaded = await run.load(...longer);
    const outDir = run.path("longer");
    const inputs = { loaded, registry: run.registry, logger: silentLogger, outDir };
    const report = await testCheckpoint({ ...inputs, checkpoint: run.path("longer") });
    expect(report.metrics.mIoU).toBe(best!.value);
    expect(report.metrics.mIoU).toBeGreaterThan(2 * report.constant_guess!.mIoU!);
    expect(report.checkpoint).toMatchObject({
      path: "checkpoints/iter_24/model.safetensors",
      iteration: 24,
    });
    expect(report.parameters).toBeGreaterThan(1000);
    expect(JSON.parse(bytes("longer/report.json").toString())).toEqual(report);
  });

  it("equals itself, interrupted and resumed, bit for bit", async () => {
    // A checkpoint of iteration 2 or 4 with which the run goes on as if it had never stopped.
    const { checkpoint, weights } = await start("resumed", ["data.workers=2"], {
      resumeFrom: run.path("whole/checkpoints/iter_4"),
    });
    expect(weights).toBeNull();
    expect(checkpoint).toBe(run.path("resumed/checkpoints/iter_6"));
    for (const file of ["model.safetensors", "optimizer.safetensors"]) {
      expect(
        bytes("resumed/checkpoints/iter_6", file).equals(bytes("whole/checkpoints/iter_6", file)),
        file,
      ).toBe(true);
    }
    expect(logOf("resumed")[0]).toMatchObject({ event: "start", iteration: 4, resumed: true });
  });

  it("with --resume does nothing where it has ended, and starts where there is nothing", async () => {
    const told = new MemoryLogger();
    const again = await start("whole", [], { resume: true, logger: told });
    expect(again.checkpoint).toBe(result.checkpoint);
    expect(again.best).toEqual(result.best);
    await start("new", ["schedule.iterations=1", "data.workers=2"], { resume: true, logger: told });
    expect(
      told.lines
        .filter((line) => line.startsWith("nothing"))
        .join("\n")
        .replaceAll(run.folder, "FOLDER"),
    ).toMatchInlineSnapshot(`
      "nothing to train: FOLDER/whole/checkpoints/iter_6 has seen 6 of 6 iterations
      nothing to resume in FOLDER/new: starting from the beginning"
    `);
  });

  it("updates once for several accumulated batches", async () => {
    const one = ["schedule.iterations=2", "model.head.dropout=0", "model.auxiliary_head=null"];
    const { losses } = await start("accumulated", [
      ...one,
      "data.batch_size=2",
      "optimizer.accumulate=2",
      "optimizer.clip_norm=0.1",
    ]);
    expect(Object.keys(losses)).toEqual(["decode.loss_ce", "loss"]);
    const state = await readSafetensors(run.path("accumulated/checkpoints/iter_2/optimizer.safetensors"));
    expect(state.tensors.get("head.classifier.weight.momentum_buffer")!.shape).toEqual([3, 16, 1, 1]);
  });

  it("starts from another run's weights; what has another shape must be allowed to stay fresh", async () => {
    const other = ["model.neck.type=none", "schedule.iterations=1"];
    const initFrom = run.path("whole");
    const message = await complaint(start("from", other, { initFrom }));
    expect(message).toMatchInlineSnapshot(`
      "SEGFUSE_WEIGHTS_SHAPE: a weight file does not fit the network
        at: FOLDER/whole/checkpoints/iter_6/model.safetensors
        found: head.classifier.weight is [3, 8, 1, 1], in the file [3, 16, 1, 1]
        try: another file or config; weights that may start fresh: --allow-fresh PATTERN, or allow_fresh in the config"
    `);
    expect(existsSync(run.path("from"))).toBe(false);
    const { weights } = await start("from", other, { initFrom, allowFresh: ["head.classifier.*"] });
    expect(weights!.sources[0]!.loaded).toContain("backbone.conv1.weight");
    expect(weights!.fresh).toEqual(["head.classifier.weight"]);
    expect(weights!.sources[0]!.unused).toContain("neck.reduce.0.conv.weight");
  });

  it("does not start from weights of which nothing, or too little, fits", async () => {
    const other = run.path("other.safetensors");
    await writeSafetensors(other, { "encoder.conv1.weight": { shape: [1], data: new Float32Array(1) } });
    const told = [
      await complaint(start("other", [], { initFrom: other })),
      await complaint(start("other", [`model.backbone.pretrained=${other}`])),
      await complaint(
        start("other", ["model.neck.type=none", "min_loaded=0.999"], {
          initFrom: run.path("whole"),
          allowFresh: ["head.classifier.*"],
        }),
      ),
    ];
    expect(told.join("\n")).toMatchInlineSnapshot(`
      "SEGFUSE_WEIGHTS_FIT: nothing of a weight file fits the network
        at: FOLDER/other.safetensors
        expected: 149 tensors: backbone.conv1.weight, backbone.bn1.weight, backbone.bn1.bias, backbone.bn1.running_mean, … (149 in all)
        found: 0 of them; the file has 1: encoder.conv1.weight
        try: weights of such a network; names of another tool become segfuse's by segfuse convert --map
      SEGFUSE_WEIGHTS_FIT: nothing of a weight file fits the network
        at: FOLDER/other.safetensors
        expected: 100 tensors: conv1.weight, bn1.weight, bn1.bias, bn1.running_mean, … (100 in all)
        found: 0 of them; the file has 1: encoder.conv1.weight
        try: weights of such a network; names of another tool become segfuse's by segfuse convert --map
      SEGFUSE_WEIGHTS_FIT: too little of a weight file fits the network
        at: FOLDER/whole/checkpoints/iter_6/model.safetensors
        expected: at least 124 of 124 tensors: backbone.conv1.weight, backbone.bn1.weight, backbone.bn1.bias, backbone.bn1.running_mean, … (124 in all)
        found: 123 of them; the file has 149: auxiliary_head.classifier.bias, auxiliary_head.classifier.weight, auxiliary_head.convs.0.bn.bias, auxiliary_head.convs.0.bn.running_mean, … (149 in all)
        try: min_loaded below 0.99 (now 0.999), or other weights"
    `);
    expect(existsSync(run.path("other"))).toBe(false);
  });

  it("starts from what `init` writes", async () => {
    const loaded = await run.load();
    const out = run.path("init.safetensors");
    await writeInitialWeights({ loaded, out, registry: run.registry, logger: silentLogger });
    const { metadata } = await readSafetensors(out);
    expect(metadata).toMatchObject({ format: "pt", classes: '["ground","box","sky"]', iteration: "0" });
    const { weights } = await start("inited", ["schedule.iterations=1"], { initFrom: out });
    expect(weights!.fresh).toEqual([]);
    const file = "checkpoints/iter_1/optimizer.safetensors";
    // "new" is the same run without the file
    expect(bytes("inited", file).equals(bytes("new", file))).toBe(true);
  });
});

describe("a run that cannot work", () => {
  it("says what is wrong and leaves nothing behind", async () => {
    writeFileSync(run.path("file"), "");
    const before = readdirSync(run.folder).sort();
    const told = [
      await complaint(start("file/below")),
      await complaint(start("data")),
      await complaint(start("w1", ["model.num_classes=4"])),
      await complaint(start("w2", ["model.backbone.pretrained=absent.safetensors"])),
      await complaint(start("w4", ["data.batch_size=1", "model.neck.type=none"])),
      await complaint(start("w5", ["data.crop_size=[4, 4]"])),
      await complaint(start("w6", [], { initFrom: run.path("absent") })),
      await complaint(start("w7", [], { initFrom: run.path("data") })),
    ];
    expect(told.join("\n").replaceAll(/\S*absent/g, "ABSENT")).toMatchInlineSnapshot(`
      "SEGFUSE_WORK_DIR: the output folder cannot be used
        at: FOLDER/file/below
        found: FOLDER/file is a file
        try: another output folder
      SEGFUSE_WORK_DIR_NOT_EMPTY: the output folder is not empty
        at: FOLDER/data
        found: images, masks
        try: --resume to continue the run in it, or another --work-dir
      SEGFUSE_NUM_CLASSES: the network and the data set have different numbers of classes
        at: --set model.num_classes=4 (model.num_classes)
        expected: 3, as data.dataset has
        found: 4
        try: leave model.num_classes out: it follows the data set
      SEGFUSE_WEIGHTS_FILE: there is no such weight file
        at: ABSENT.safetensors
      SEGFUSE_BATCH_NORM_ONE_VALUE: batch normalisation of one value per channel
        at: head.context.stages.0.bn
        expected: more than one value per channel in training
        found: an input of shape [1, 1, 1, 8]
        try: use data.batch_size 2 or more (pooling to 1×1 leaves one value per image)
      SEGFUSE_CROP_SIZE: the crop is too small for the network
        at: --set data.crop_size=[4, 4] (data.crop_size)
        expected: at least 16 a side: 2 cells of the deepest level at an output stride of 8
        found: [4,4]
      SEGFUSE_CHECKPOINT: there is no checkpoint
        at: ABSENT
        expected: an iter_N folder, a work folder with checkpoints/, or a weight file
        found: nothing of that name
      SEGFUSE_CHECKPOINT: there is no checkpoint
        at: FOLDER/data
        expected: an iter_N folder, a work folder with checkpoints/, or a weight file
        found: a folder without checkpoints"
    `);
    expect(readdirSync(run.folder).sort()).toEqual(before);
    // nothing was written into the data either
    expect(readdirSync(run.data).sort()).toEqual(["images", "masks"]);
  });

  it("stops where the loss is no number any more", async () => {
    // The first update is made with sound weights; what follows from it is not.
    expect(await complaint(start("diverged", ["optimizer.lr=1e30"]))).toMatchInlineSnapshot(`
      "SEGFUSE_LOSS_NOT_FINITE: the loss of iteration 2 is not finite
        at: samples 7, 1
        found: decode.loss_ce NaN, aux.loss_ce NaN, loss NaN; largest weight 1.59e+29 in head.classifier.weight; gradients not finite in backbone, neck, head, auxiliary_head, from auxiliary_head.classifier.bias on
        try: a lower optimizer.lr, schedule.warmup or optimizer.clip_norm; FOLDER/diverged/diverged/report.json says more, FOLDER/diverged/diverged/checkpoints/iter_1 is the state before"
    `);
    expect(logOf("diverged").map(({ event }) => event)).toEqual(["start"]);
  });

  it("is found by a check alone, which leaves nothing behind either", async () => {
    const inputs = {
      loaded: await run.load(),
      workDir: run.path("checked"),
      registry: run.registry,
      logger: silentLogger,
    };
    const tensors = tf.memory().numTensors;
    await checkRun(inputs);
    expect(existsSync(run.path("checked"))).toBe(false);
    expect(tf.memory().numTensors).toBe(tensors);
  });

  it("does not test a checkpoint of other classes", async () => {
    const classes = "data.dataset.classes=[ground, car, sky]";
    const loaded = await run.load(classes);
    const inputs = { loaded, registry: run.registry, logger: silentLogger };
    const told = await complaint(
      testCheckpoint({ ...inputs, checkpoint: run.path("whole/checkpoints/iter_6") }),
    );
    expect(told).toMatchInlineSnapshot(`
      "SEGFUSE_WEIGHTS_CLASSES: the checkpoint was trained for other classes
        at: FOLDER/whole/checkpoints/iter_6/model.safetensors
        expected: the data set's 3: ground, car, sky
        found: 3: ground, box, sky"
    `);
  });
});
