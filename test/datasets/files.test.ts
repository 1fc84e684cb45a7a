import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkData } from "../../src/datasets/check.ts";
import { readImage } from "../../src/datasets/image_file.ts";
import { openDataset } from "../../src/datasets/loader.ts";
import { readMask } from "../../src/datasets/mask_file.ts";
import { sharedData } from "../helpers/data.ts";
import {
  bytes,
  complaint,
  dataConfig,
  fixture,
  folderOptions,
  makeFolder,
  put,
  putImage,
  putMask,
  writeFixture,
} from "./support.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "segfuse-data-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe("files, as Pillow wrote them", () => {
  test.each(["palette1", "palette2", "palette4", "palette8", "bilevel", "grey"])(
    "mask %s is index-exact",
    async (name) => {
      const mask = await readMask(writeFixture(`${name}.png`, join(root, "m.png")));
      const { shape } = fixture.files[`${name}.png`]!.pixels;
      expect([mask.height, mask.width]).toEqual(shape);
      expect(mask.data).toEqual(bytes(fixture.files[`${name}.png`]!.pixels));
    },
  );

  test("images: alpha is dropped, grey becomes RGB, 16 bits become 8", async () => {
    const rgba = await readImage(writeFixture("rgba.png", join(root, "rgba.png")));
    expect(Array.from(rgba.data)).toEqual(Array.from(bytes(fixture.files["rgba.png"]!.pixels)));
    const grey = await readImage(writeFixture("grey.png", join(root, "grey.png")));
    const values = bytes(fixture.files["grey.png"]!.pixels);
    expect(Array.from(grey.data)).toEqual(Array.from(values).flatMap((v) => [v, v, v]));
    expect((await readImage(writeFixture("sixteen.png", join(root, "s.png")))).data.length).toBe(5 * 11 * 3);
  });
});

describe("a folder of images and masks", () => {
  const open = (options = {}, section: "train" | "val" = "train") =>
    openDataset(dataConfig({ type: "folder", root, ...folderOptions, ...options }), section);

  test("pairs by name, in a fixed order", async () => {
    await makeFolder(root, "train", 3);
    const dataset = await open();
    expect([dataset.length, dataset.id(0), dataset.id(2)]).toEqual([3, "s0", "s2"]);
    const { image, label } = await dataset.load(1);
    expect([image.height, image.width, label.height, label.width]).toEqual([30, 40, 30, 40]);
    expect(new Set(label.data)).toEqual(new Set([0, 1, 2, 255]));
  });

  test("lists name the samples; stored 0 can mean other", async () => {
    await putImage(`${root}/pictures/b.jpg`, 8, 4);
    await putImage(`${root}/pictures/a.jpg`, 8, 4);
    putMask(`${root}/annotations/b.png`, 8, 4, (p) => [0, 1, 3, 255][p % 4]!);
    put(`${root}/train.txt`, "b\n\n");
    const dataset = await open({
      images: "pictures",
      masks: "annotations",
      splits: "lists",
      reduce_zero_label: true,
    });
    expect(dataset.length).toBe(1);
    expect(Array.from((await dataset.load(0)).label.data.subarray(0, 4))).toEqual([255, 0, 2, 255]);
  });

  test("every complaint names the file", async () => {
    await makeFolder(root, "train", 3);
    const train = (action: () => Promise<unknown>) => complaint(action, root);
    const loadAll = async () => {
      const dataset = await open();
      for (let i = 0; i < dataset.length; i++) await dataset.load(i);
    };
    const reports: string[] = [
      await train(() => open({ root: `${root}/nowhere` })),
      await train(() => open({}, "val")),
    ];

    putMask(`${root}/masks/train/s1.png`, 40, 30, (p) => (p === 85 || p === 99 ? 7 : 0));
    reports.push(await train(loadAll));
    reports.push(
      await train(async () => {
        const config = dataConfig({ type: "folder", root, ...folderOptions });
        const { complaints } = await checkData(config, { sections: ["train"] });
        expect(complaints).toHaveLength(1);
        throw complaints[0]!;
      }),
    );
    putMask(`${root}/masks/train/s1.png`, 39, 30, () => 0);
    reports.push(await train(loadAll));
    put(`${root}/masks/train/s1.png`, readFileSync(`${root}/masks/train/s0.png`).subarray(0, 60));
    const cut = await train(loadAll);
    expect(cut).toContain("SEGFUSE_DATA_MASK: a mask cannot be decoded\n  at: ROOT/masks/train/s1.png");
    rmSync(`${root}/masks/train/s1.png`);
    reports.push(await train(loadAll));
    await makeFolder(root, "train", 3);
    rmSync(`${root}/images/train/s2.jpg`);
    reports.push(await train(loadAll));
    put(`${root}/images/empty/.keep`, "");
    put(`${root}/masks/empty/.keep`, "");
    const empty = dataConfig(
      { type: "folder", root, ...folderOptions },
      { val: { split: "empty", transforms: [] } },
    );
    reports.push(await train(() => openDataset(empty, "val")));
    expect(reports.join("\n")).toMatchInlineSnapshot(`
      "SEGFUSE_DATA_ROOT: the data set's folder does not exist
        at: ROOT/nowhere
        try: correct data.dataset.root
      SEGFUSE_DATA_ROOT: a folder of split "val" does not exist
        at: ROOT/images/val
        found: in ROOT/images: train
      SEGFUSE_DATA_LABEL: a mask holds a value that is no class
        at: ROOT/masks/train/s1.png
        expected: classes 0..2 and 255 (ignore)
        found: value 7 in 2 pixels, first at x=5, y=2
        try: data.dataset.label_map: {7: ignore}, or a class's number for it; or correct the mask, the list of classes, ignore_index or reduce_zero_label
      SEGFUSE_DATA_LABEL: a mask holds a value that is no class
        at: ROOT/masks/train/s1.png
        expected: classes 0..2 and 255 (ignore)
        found: value 7 in 2 pixels, first at x=5, y=2
        try: data.dataset.label_map: {7: ignore}, or a class's number for it; or correct the mask, the list of classes, ignore_index or reduce_zero_label
      SEGFUSE_DATA_SIZE: a mask and its image differ in size
        at: ROOT/masks/train/s1.png
        expected: 40x30 (width x height), as ROOT/images/train/s1.jpg
        found: 39x30
      SEGFUSE_DATA_FILE: an image has no mask
        at: ROOT/images/train/s1.jpg
        expected: a file for "s1" in ROOT/masks/train
        found: none
      SEGFUSE_DATA_FILE: a mask has no image
        at: ROOT/masks/train/s2.png
        expected: a file for "s2" in ROOT/images/train
        found: none
      SEGFUSE_DATA_SPLIT: split "empty" has no samples
        at: ROOT/images/empty"
    `);
  });

  test("a JPEG that is cut short is an error, not a half grey image", async () => {
    await makeFolder(root, "train", 2);
    const whole = readFileSync(`${root}/images/train/s1.jpg`);
    put(`${root}/images/train/s1.jpg`, whole.subarray(0, Math.floor(whole.length * 0.7)));
    const dataset = await open();
    const report = await complaint(() => dataset.load(1), root);
    expect(report).toContain("SEGFUSE_DATA_IMAGE: an image is cut short\n  at: ROOT/images/train/s1.jpg");
    put(`${root}/images/train/s1.jpg`, "no image at all");
    expect(await complaint(() => dataset.load(1), root)).toContain("SEGFUSE_DATA_IMAGE");
    rmSync(`${root}/images/train/s1.jpg`);
    expect(await complaint(() => dataset.load(1), root)).toContain("SEGFUSE_DATA_FILE");
  });
});

describe("the layouts of benchmarks", () => {
  const meta = JSON.stringify({ classes: ["a", "b"], palette: [[0, 0, 0], [1, 1, 1]], ignore_index: 11 }); // prettier-ignore
  const camvidOf = (split: string) =>
    openDataset(dataConfig({ type: "camvid", root }, { val: { split, transforms: [] } }), "val");
  const cityscapesOf = (split: string) =>
    openDataset(
      dataConfig({ type: "cityscapes", root, ignore_index: null }, { val: { split, transforms: [] } }),
      "val",
    );

  test("CamVid with SegNet's own lists", async () => {
    put(`${root}/meta.json`, meta);
    for (const name of ["0001TP_006690", "0001TP_006720"])
      for (const kind of ["images", "masks"]) put(`${root}/${kind}/train/${name}.png`, "");
    const line = "/SegNet/CamVid/train/0001TP_006720.png /SegNet/CamVid/trainannot/0001TP_006720.png";
    put(`${root}/train.txt`, `${line}\r\n`);
    const dataset = await camvidOf("train");
    expect([dataset.length, dataset.id(0)]).toEqual([1, "0001TP_006720"]);
    expect(dataset.files(0)!.label).toBe(`${root}/masks/train/0001TP_006720.png`);
    put(`${root}/train.txt`, `${line}\n${line}\n`);
    expect(await complaint(() => camvidOf("train"), root)).not.toContain("oversample");
  });

  test("splits without masks name predict", async () => {
    put(`${root}/meta.json`, meta);
    put(`${root}/images/test/x.jpg`, "");
    put(`${root}/test.txt`, "x\n");
    put(`${root}/leftImg8bit/test/berlin/berlin_000000_000019_leftImg8bit.png`, "");
    for (const open of [camvidOf, cityscapesOf]) {
      const text = await complaint(() => open("test"), root);
      expect(text).toMatch(/^SEGFUSE_DATA_UNLABELLED: split "test" has 1 image and no masks/);
      expect(text).toContain("segfuse predict");
    }
  });
});

const camvid = sharedData("camvid");
describe.skipIf(camvid === null)("CamVid", () => {
  test("367/101/233 frames; the labels' counts are those of meta.json", async () => {
    const config = dataConfig({ type: "camvid", root: camvid! });
    const { info, splits, complaints } = await checkData(config, { sections: ["train", "val", "test"] });
    expect(complaints).toEqual([]);
    expect(splits.map(({ length }) => length)).toEqual([367, 101, 233]);
    expect([info!.classes.length, info!.palette.length, info!.ignoreIndex]).toEqual([11, 11, 11]);
    expect(await complaint(() => openDataset(dataConfig({ type: "camvid", root }), "val"), root)).toContain(
      "at: ROOT/meta.json",
    );
  });
});

const cityscapes = sharedData("cityscapes");
describe.skipIf(cityscapes === null)("Cityscapes", () => {
  test("labelIds give what labelTrainIds say", async () => {
    const dataset = await openDataset(
      dataConfig({ type: "cityscapes", root: cityscapes!, ignore_index: null }),
      "train",
    );
    expect(dataset.length).toBe(8);
    const stem = "aachen_000000_000019";
    const index = Array.from({ length: 8 }, (_, i) => i).find((i) => dataset.id(i) === stem)!;
    const files = dataset.files(index)!;
    put(`${root}/leftImg8bit/val/c/${stem}_leftImg8bit.png`, readFileSync(files.image));
    put(
      `${root}/gtFine/val/c/${stem}_gtFine_labelIds.png`,
      readFileSync(files.label.replace("labelTrainIds", "labelIds")),
    );
    expect(files.label).toContain("labelTrainIds");
    const byLabelId = await openDataset(dataConfig({ type: "cityscapes", root, ignore_index: null }), "val");
    const [a, b] = [await dataset.load(index), await byLabelId.load(0)];
    expect([a.image.height, a.image.width]).toEqual([1024, 2048]);
    expect(Buffer.compare(Buffer.from(a.label.data), Buffer.from(b.label.data))).toBe(0);
    expect(dataset.info.classes.length).toBe(19);
  });
});

const ade20k = sharedData("ade20k");
describe.skipIf(ade20k === null)("ADE20K by `folder`", () => {
  test("0 is ignored and 1..150 become 0..149", async () => {
    const classes = Array.from({ length: 150 }, (_, k) => `c${k}`);
    const options = {
      ...folderOptions,
      root: ade20k!,
      masks: "annotations",
      classes,
      reduce_zero_label: true,
    };
    const config = dataConfig(
      { type: "folder", ...options },
      { val: { split: "validation", transforms: [] } },
    );
    const dataset = await openDataset(config, "val");
    expect(dataset.length).toBe(3);
    const stored = await readMask(dataset.files(0)!.label);
    const { label } = await dataset.load(0);
    expect(stored.data.every((v, p) => label.data[p] === (v === 0 ? 255 : v - 1))).toBe(true);
  });
});
