import { readFileSync, writeFileSync } from "node:fs";
import { encode } from "fast-png";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkData } from "../../src/datasets/check.ts";
import { openDataset } from "../../src/datasets/loader.ts";
import type { ExifMode } from "../../src/datasets/orientation.ts";
import { writeInitialWeights } from "../../src/runners/init.ts";
import { predictFiles } from "../../src/runners/predict.ts";
import { testCheckpoint } from "../../src/runners/test.ts";
import { checkRun } from "../../src/runners/train.ts";
import { complaint } from "../datasets/support.ts";
import { MemoryLogger, TinyRun } from "../helpers/tiny_run.ts";

// What a data set, a check, an evaluation and a prediction make of images with an EXIF orientation.

let run: TinyRun;
beforeAll(async () => {
  run = new TinyRun();
  // 0: upright. 1: the mask lies as the picture is stored, 2: as it is shown, 3: a mirror, which fits both ways.
  for (const [name, orientation] of [
    ["1", 6],
    ["2", 8],
    ["3", 2],
  ] as const)
    await turn("train", name, orientation);
  for (const name of ["0", "1"]) await turn("val", name, 6);
  writeMask("train", "2", 40, 48);
});
afterAll(() => run.remove());

const imageOf = (split: string, name: string) => `${run.data}/images/${split}/${name}.png`;

async function turn(split: string, name: string, orientation: number): Promise<void> {
  const file = imageOf(split, name);
  // Read whole before it is written over.
  const turned = await sharp(readFileSync(file)).withMetadata({ orientation }).png().toBuffer();
  writeFileSync(file, turned);
}

function writeMask(split: string, name: string, width: number, height: number): void {
  const data = new Uint8Array(width * height);
  writeFileSync(`${run.data}/masks/${split}/${name}.png`, encode({ width, height, data, channels: 1 }));
}

async function open(mode: ExifMode) {
  const { config } = await run.load(`data.dataset.exif=${mode}`);
  return openDataset(config, "train");
}

describe("a data set", () => {
  test("reads an image the way that its mask fits, else as the option says; masks are never turned", async () => {
    const read = async (mode: ExifMode) => {
      const dataset = await open(mode);
      const samples = await Promise.all([0, 1, 2, 3].map((i) => dataset.load(i)));
      for (const { image, label } of samples)
        expect([image.height, image.width]).toEqual([label.height, label.width]);
      return samples;
    };
    const [applied, ignored] = [await read("apply"), await read("ignore")];
    expect(applied.map(({ image, remarks }) => [image.height, image.width, ...remarks!])).toEqual([
      [40, 48],
      [40, 48, "unturned_by_mask"],
      [48, 40],
      [40, 48],
    ]);
    expect(ignored.map(({ image, remarks }) => [image.height, image.width, ...remarks!])).toEqual([
      [40, 48],
      [40, 48],
      [48, 40, "turned_by_mask"],
      [40, 48],
    ]);
    const [mirrored, stored] = [applied[3]!.image.data, ignored[3]!.image.data];
    expect([...mirrored.subarray(0, 3)]).toEqual([...stored.subarray(3 * 47, 3 * 48)]);
    expect(applied[3]!.label.data).toEqual(ignored[3]!.label.data);
    expect(applied[2]!.image.data).toEqual(ignored[2]!.image.data);
  });

  test("that refuses orientations names each such image", async () => {
    const { config } = await run.load("data.dataset.exif=refuse");
    const { complaints } = await checkData(config, { sections: ["train"], samples: Infinity });
    expect(complaints.map(({ code, details }) => [code, details.where, details.found])).toEqual([
      ["SEGFUSE_DATA_ORIENTATION", imageOf("train", "1"), "orientation 6"],
      ["SEGFUSE_DATA_ORIENTATION", imageOf("train", "2"), "orientation 8"],
      ["SEGFUSE_DATA_ORIENTATION", imageOf("train", "3"), "orientation 2"],
    ]);
  });

  test("a mask that fits neither way: the error tells the orientation", async () => {
    writeMask("train", "2", 40, 47);
    const dataset = await open("apply");
    const text = await complaint(() => dataset.load(2), run.folder);
    writeMask("train", "2", 40, 48);
    expect(text).toMatchInlineSnapshot(`
      "SEGFUSE_DATA_SIZE: a mask and its image differ in size
        at: ROOT/data/masks/train/2.png
        expected: 40x48 (width x height), as ROOT/data/images/train/2.png, whose EXIF orientation is 8 (48x40 as stored)
        found: 40x47"
    `);
  });
});

test("a check warns once of each kind, with counts", async () => {
  const logger = new MemoryLogger();
  const { registry } = run;
  const inputs = async (exif: ExifMode) => ({
    loaded: await run.load(`data.dataset.exif=${exif}`),
    workDir: run.path("work"),
    registry,
    logger,
  });
  await checkRun(await inputs("apply"));
  await checkRun(await inputs("ignore"));
  const warnings = logger.lines.filter((line) => line.includes("EXIF"));
  expect(warnings.join("\n").replaceAll(run.folder, "ROOT")).toMatchInlineSnapshot(`
    "warning: 1 of 8 images of split "train" fit their masks only without their EXIF orientation and are read so: the masks were drawn on the unturned images; exif: ignore reads all images so, and those of predict (first: ROOT/data/images/train/1.png)
    warning: 2 of 3 images of split "val" fit their masks only without their EXIF orientation and are read so: the masks were drawn on the unturned images; exif: ignore reads all images so, and those of predict (first: ROOT/data/images/val/0.png)
    warning: 1 of 8 images of split "train" fit their masks only with their EXIF orientation applied and are read so: the masks were drawn on the turned images; exif: apply reads all images so, and those of predict (first: ROOT/data/images/train/2.png)"
  `);
});

test("an evaluation says how it read its images", async () => {
  const logger = new MemoryLogger();
  const { registry } = run;
  const loaded = await run.load("data.test.split=val");
  const checkpoint = run.path("w.safetensors");
  await writeInitialWeights({ loaded, out: checkpoint, registry, logger });
  await testCheckpoint({ loaded, registry, checkpoint, logger });
  const warnings = logger.lines.filter((line) => line.includes("EXIF"));
  expect(warnings.join("\n").replaceAll(run.folder, "ROOT")).toMatchInlineSnapshot(
    `"warning: 2 of 3 images of split "val" fit their masks only without their EXIF orientation and are read so: the masks were drawn on the unturned images; exif: ignore reads all images so, and those of predict (first: ROOT/data/images/val/0.png)"`,
  );
});

test("predict turns as the data set does, or as it is told", async () => {
  const { registry } = run;
  const logger = new MemoryLogger();
  const out = run.path("p.safetensors");
  await writeInitialWeights({ loaded: await run.load(), out, registry, logger });
  const sizeOf = async (set: string[], exif?: ExifMode) => {
    const sizes: number[][] = [];
    await predictFiles({
      loaded: await run.load(...set),
      checkpoint: out,
      images: [imageOf("train", "1")],
      outDir: null,
      onImage: ({ height, width, classes }) => void sizes.push([height, width, classes.length]),
      exif,
      registry,
      logger,
    });
    return sizes[0];
  };
  expect(await sizeOf([])).toEqual([48, 40, 1920]);
  expect(await sizeOf(["data.dataset.exif=ignore"])).toEqual([40, 48, 1920]);
  expect(await sizeOf(["data.dataset.exif=ignore"], "apply")).toEqual([48, 40, 1920]);
  expect(await complaint(() => sizeOf([], "refuse"), run.folder)).toContain("SEGFUSE_DATA_ORIENTATION");
});
