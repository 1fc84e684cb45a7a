import { readFileSync } from "node:fs";
import { decode } from "fast-png";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkData } from "../../src/datasets/check.ts";
import { createPipeline, sampleSource } from "../../src/datasets/source.ts";
import type { LoadedConfig } from "../../src/config/load.ts";
import { writeInitialWeights } from "../../src/runners/init.ts";
import { predictFiles, type ImagePrediction } from "../../src/runners/predict.ts";
import { openScope } from "../../src/runners/scope.ts";
import { preflight } from "../../src/runners/preflight/index.ts";
import { testCheckpoint } from "../../src/runners/test.ts";
import { train } from "../../src/runners/train.ts";
import { readSafetensors, writeSafetensors } from "../../src/weights/safetensors.ts";
import { BandRun, type BandRunOptions } from "../helpers/band_run.ts";
import { useEngine } from "../helpers/engine.ts";
import { MemoryLogger } from "../helpers/tiny_run.ts";

beforeAll(() => useEngine());
const runs: BandRun[] = [];
afterAll(() => {
  for (const run of runs) run.remove();
});

function bandRun(options: BandRunOptions): BandRun {
  const run = new BandRun(options);
  runs.push(run);
  return run;
}

/** Trains two updates, evaluates and predicts; what each of them wrote or said. */
async function wholeRun(run: BandRun, image: string) {
  const { registry } = run;
  const logger = new MemoryLogger();
  const loaded = await run.load();
  const { checkpoint } = await train({ loaded, workDir: run.path("work"), registry, logger });
  const report = await testCheckpoint({
    loaded,
    checkpoint,
    registry,
    logger,
    outDir: run.path("report"),
  });
  const predictions: ImagePrediction[] = [];
  const [written] = await predictFiles({
    loaded,
    checkpoint,
    images: [image],
    outDir: run.path("predictions"),
    onImage: (prediction) => void predictions.push(prediction),
    logits: run.path("logits.safetensors"),
    registry,
    logger,
  });
  return { logger, checkpoint, report, written: written!, prediction: predictions[0]! };
}

/** What the network would see of the first image of the training split. */
async function firstSample(config: LoadedConfig["config"]) {
  const pipeline = await createPipeline(sampleSource(config, "train"));
  return pipeline.run(0, [1, 0, 0]);
}

const halves = (x: number) => (x < 20 ? 0 : 1);

describe("four bands of 16 bits", () => {
  // Vegetation is dark in red and bright in near infra-red, as surface reflectances × 10000.
  const scene = {
    pixel: (x: number, y: number, i: number) => [
      400 + y,
      600 + x,
      halves(x) ? 500 : 900,
      halves(x) ? 4000 + i : 1100,
    ],
    label: halves,
  };
  const run = bandRun({
    ...scene,
    bits: 16,
    dataset: "classes: [soil, vegetation]",
    model: "in_channels: 4\n  preprocess: {bits: 16, mean: [416, 620, 700, 2550], std: [10, 12, 200, 1450]}",
  });
  const image = run.path("data/images/val/0.tif");

  it("trains, evaluates, predicts and reports", async () => {
    const { logger, checkpoint, report, written, prediction } = await wholeRun(run, image);
    expect(logger.lines.filter((line) => line.startsWith("warning"))).toEqual([]);
    expect(report.dataset.images).toBe(2);
    expect(report.dataset.pixels).toBe(2 * 32 * 40);
    const { tensors, metadata } = await readSafetensors(`${checkpoint}/model.safetensors`);
    expect(tensors.get("backbone.stem.0.weight")!.shape).toEqual([2, 4, 3, 3]);
    expect(JSON.parse(metadata.preprocess!)).toMatchObject({ bits: 16 });

    const classes = decode(readFileSync(written.classes));
    expect([classes.depth, classes.channels]).toEqual([8, 1]);
    expect([...classes.data]).toEqual([...prediction.classes]);

    // Of the classes' colours and the first three bands, stretched: the rise of the second band from left to right shows.
    const { data, info } = await sharp(written.overlay).raw().toBuffer({ resolveWithObject: true });
    expect([info.height, info.width, info.channels]).toEqual([32, 40, 3]);
    const green = (x: number) => data[3 * x + 1]!;
    expect(green(19) - green(0)).toBeGreaterThan(50);
  }, 120_000);

  it("gives the network the file's own values, through every augmentation", async () => {
    const { config } = await run.load(
      "data.train.transforms=[{type: random_flip, probability: 1}, {type: color_jitter, shift: 0}]",
    );
    const { image: images } = await firstSample(config);
    const { mean, std } = config.model.preprocess;
    const expected = Float32Array.from({ length: 32 * 40 * 4 }, (_, k) => {
      const [p, c] = [Math.floor(k / 4), k % 4];
      return (scene.pixel(39 - (p % 40), Math.floor(p / 40), 0)[c]! - mean[c]!) / std[c]!;
    });
    expect(images).toEqual(expected);
  });

  it("resizes and crops every band by itself", async () => {
    const steps = "{type: resize, size: [64, 80]}, {type: random_crop, size: [64, 80]}";
    const { config } = await run.load(`data.train.transforms=[${steps}]`);
    const { image: images } = await firstSample(config);
    // The first band rises by 1 a row: half-pixel centres give quarters.
    const { mean, std } = config.model.preprocess;
    const row = (y: number) => images[y * 80 * 4]! * std[0]! + mean[0]!;
    expect([row(0), row(1), row(2), row(63)]).toEqual(
      [400, 400.25, 400.75, 431].map((v): unknown => expect.closeTo(v, 3)),
    );
    // The second by 1 a column.
    const column = (x: number) => images[x * 4 + 1]! * std[1]! + mean[1]!;
    expect([column(0), column(1), column(2)]).toEqual(
      [600, 600.25, 600.75].map((v): unknown => expect.closeTo(v, 3)),
    );
  });

  it("sees the fourth band", async () => {
    const loaded = await run.load();
    const other = run.writeImage(run.path("other.tif"), (x, y) => scene.pixel(x, y, 0).with(3, 2000));
    const inputs = { loaded, checkpoint: run.path("work"), outDir: null, registry: run.registry };
    const logits = async (file: string, out: string) => {
      const to = run.path(out);
      await predictFiles({ ...inputs, images: [file], logits: to, logger: new MemoryLogger() });
      return (await readSafetensors(to)).tensors.get("logits")!.data;
    };
    expect(await logits(other, "a.safetensors")).not.toEqual(await logits(image, "b.safetensors"));
  });

  it("refuses what does not fit: channels, bits, bands", async () => {
    const check = async (...set: string[]) => {
      const { config } = await run.load(...set);
      const { complaints } = await checkData(config, { samples: 1 });
      return [...new Set(complaints.map(({ code }) => code))];
    };
    const rgb = "model.preprocess={bits: 16, mean: [400, 600, 700], std: [10, 12, 200]}";
    expect(await check("model.in_channels=3", rgb)).toEqual(["SEGFUSE_DATA_BANDS"]);
    expect(await check("model.preprocess.bits=8")).toEqual(["SEGFUSE_DATA_BANDS"]);
    expect(await check("data.dataset.bands=[1, 2, 3]")).toEqual(["SEGFUSE_DATA_OPTION"]);
    expect(await check("data.dataset.bands=[1, 2, 3, 5]")).toEqual(["SEGFUSE_DATA_BANDS"]);
    expect(await check("model.in_channels=3", rgb, "data.dataset.bands=[4, 3, 2]")).toEqual([]);
  }, 120_000);

  it("refuses means that are evidently of other units", async () => {
    const code = async (...set: string[]) => {
      const failure: unknown = await run.load(...set).catch((error: unknown) => error);
      return (failure as { code?: string }).code;
    };
    const preprocess = "model.preprocess=";
    expect(await code(`${preprocess}{bits: 16, mean: [0.4, 0.4, 0.4, 0.3], std: [0.2, 0.2, 0.2, 0.1]}`)).toBe(
      "SEGFUSE_PREPROCESS",
    );
    expect(await code("model.in_channels=3", `${preprocess}{bits: 16}`)).toBe("SEGFUSE_PREPROCESS");
    expect(await code(`${preprocess}{bits: 16}`)).toBe("SEGFUSE_PREPROCESS");
  });

  it("tells of means that are of other units", async () => {
    const logger = new MemoryLogger();
    const loaded = await run.load(
      "model.preprocess.mean=[1.6, 2.4, 2.7, 9.9]",
      "model.preprocess.std=[1, 1, 1, 6]",
    );
    const scope = openScope({ loaded, workDir: run.path("check"), registry: run.registry, logger });
    await preflight({ scope, initFrom: null, allowFresh: [] });
    await scope.close();
    expect(logger.lines.filter((line) => line.includes("model.preprocess"))[0]).toBe(
      'warning: model.preprocess has mean [1.6,2.4,2.7,9.9], std [1,1,1,6], and 4 images of split "train" have ' +
        "mean [415.5,619.5,700,2551], std [9.233,11.54,200,1451]: both are of the files' own values, 0 to 65535",
    );
  }, 120_000);
});

describe("grey", () => {
  const run = bandRun({
    pixel: (x, y) => [halves(x) ? 200 : 40 + y],
    label: halves,
    bits: 8,
    dataset: "classes: [dark, light]",
    model: "in_channels: 1\n  preprocess: {mean: [128], std: [70]}",
  });

  it("trains, evaluates, predicts and reports", async () => {
    const { logger, checkpoint, report, written, prediction } = await wholeRun(
      run,
      run.path("data/images/val/0.tif"),
    );
    expect(logger.lines.filter((line) => line.startsWith("warning"))).toEqual([]);
    expect(report.dataset.pixels).toBe(2 * 32 * 40);
    const { tensors } = await readSafetensors(`${checkpoint}/model.safetensors`);
    expect(tensors.get("backbone.stem.0.weight")!.shape).toEqual([2, 1, 3, 3]);
    const { data } = await sharp(written.overlay).raw().toBuffer({ resolveWithObject: true });
    const palette = report.dataset.palette;
    // Half the grey, half the class's colour.
    const colour = palette[prediction.classes[0]!]!;
    expect([...data.subarray(0, 3)]).toEqual(colour.map((c) => Math.round((40 + c) / 2)));
  }, 120_000);

  it("three channels of it are RGB, as ever", async () => {
    const rgb = "model.preprocess={mean: [128, 128, 128], std: [70, 70, 70]}";
    const { config } = await run.load("model.in_channels=3", rgb, "data.train.transforms=[]");
    const { image: images } = await firstSample(config);
    expect([...images.subarray(0, 3)]).toEqual(Array(3).fill(Math.fround((40 - 128) / 70)));
  });
});

describe("300 classes", () => {
  const ignored = 65_535;
  const label = (x: number, y: number, i: number) =>
    y === 0 ? ignored : x < 10 ? 290 : (x * 7 + y + i) % 300;
  const names = Array.from({ length: 300 }, (_, k) => `c${k}`);
  const run = bandRun({
    pixel: (x, y) => [x * 6, y * 8, 100],
    label,
    bits: 8,
    dataset: `classes: [${names.join(", ")}], ignore_index: ${ignored}`,
    model: "in_channels: 3",
  });

  it("are trained, evaluated, predicted and reported", async () => {
    const { report, written, prediction } = await wholeRun(run, run.path("data/images/val/0.tif"));
    expect(report.confusion).toHaveLength(300);
    expect(report.dataset.ignored_pixels).toBe(2 * 40);
    expect(report.dataset.pixels).toBe(2 * 31 * 40);
    const classes = decode(readFileSync(written.classes));
    expect([classes.depth, classes.channels]).toEqual([16, 1]);
    expect([...classes.data]).toEqual([...prediction.classes]);
    expect(readFileSync(run.path("report/report.html"), "utf8")).toContain("c299");
  }, 120_000);

  it("counts and writes numbers above 255", async () => {
    const { registry } = run;
    const logger = new MemoryLogger();
    const loaded = await run.load("evaluation.metrics=[mIoU, mBIoU]");
    const fresh = run.path("fresh.safetensors");
    await writeInitialWeights({ loaded, out: fresh, registry, logger });
    const { tensors, metadata } = await readSafetensors(fresh);
    (tensors.get("head.classifier.bias")!.data as Float32Array)[290] = 1e4;
    const checkpoint = run.path("always_290.safetensors");
    await writeSafetensors(checkpoint, Object.fromEntries(tensors), metadata);

    const report = await testCheckpoint({ loaded, checkpoint, registry, logger });
    let right = 0;
    for (const i of [0, 1])
      for (let y = 0; y < 32; y++) for (let x = 0; x < 40; x++) if (label(x, y, i) === 290) right++;
    expect(report.metrics.aAcc).toBeCloseTo(right / (2 * 31 * 40), 12);
    expect(report.confusion[290]![290]).toBe(right);
    expect(report.metrics.mBIoU).toBeGreaterThan(0);

    const image = run.path("data/images/val/0.tif");
    const [written] = await predictFiles({
      loaded,
      checkpoint,
      images: [image],
      outDir: run.path("wide"),
      registry,
      logger,
    });
    expect(new Set(decode(readFileSync(written!.classes)).data)).toEqual(new Set([290]));
  }, 120_000);

  it("asks for an ignore index behind the classes", async () => {
    await expect(run.load("data.dataset.ignore_index=255")).rejects.toMatchObject({
      code: "SEGFUSE_IGNORE_INDEX",
    });
  });
});
