import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { openDataset } from "../../src/datasets/loader.ts";
import { Files } from "../config/files.ts";
import { complaint, put, putImage, putMask } from "./support.ts";

// Every layout of docs/data.md, with its files and its config; then what is no layout.

const page = readFileSync(new URL("../../docs/data.md", import.meta.url), "utf8");
const small = readFileSync(new URL("../../docs/errors/small.yaml", import.meta.url), "utf8");

const layouts = page.split(/^## /m).flatMap((section) => {
  const [tree, config] = ["text", "yaml"].map(
    (kind) => new RegExp(`\`\`\`${kind}\n(.*?)\`\`\``, "s").exec(section)?.[1],
  );
  if (tree === undefined || config === undefined) return [];
  return [{ title: section.split("\n")[0]!, tree: tree.trim().split("\n"), config }];
});

/** Makes the files that a page or a test lists: pictures, masks, and `FILE: A LINE OF IT`. */
async function makeFiles(files: Files, tree: readonly string[]): Promise<void> {
  const lists = new Map<string, string>();
  for (const [i, line] of tree.entries()) {
    const [name, text] = line.split(": ") as [string, string | undefined];
    const path = files.path(name);
    if (text !== undefined) lists.set(path, `${lists.get(path) ?? ""}${text}\n`);
    else if (name.endsWith(".jpg")) await putImage(path, 8, 4, i + 1);
    // Each mask has its own count of class 1, so that a wrong pair shows.
    else if (name.endsWith(".png")) putMask(path, 8, 4, (p) => (p <= i ? 1 : 0));
    else put(path, "");
  }
  for (const [path, text] of lists) put(path, text);
}

async function open(files: Files, config: string, section: "train" | "val" | "test" = "train") {
  // The page's `data` in place of the one of small.yaml.
  files.write("config.yaml", small.slice(0, small.indexOf("data:")) + config);
  return openDataset((await files.load("config.yaml")).config, section);
}

/** Ids with image and mask, as paths in the folder of the files. */
async function samplesOf(files: Files, config: string, section: "train" | "val" | "test" = "train") {
  const dataset = await open(files, config, section);
  return Array.from({ length: dataset.length }, (_, i) => {
    const { image, label } = dataset.files(i)!;
    return [dataset.id(i), ...[image, label].map((path) => path.replace(`${files.root}/`, ""))];
  });
}

describe("the page's layouts", () => {
  it("are these", () => {
    expect(layouts.map(({ title }) => title)).toEqual([
      "A folder a split inside images and masks",
      "Images and masks inside a folder a split",
      "Masks beside their images",
      "One folder, and a list a split",
      "Pascal VOC",
      "Lists of images and masks",
      "Several folders joined",
    ]);
  });

  const expected: Record<string, [train: string[][], val: string[][]]> = {
    "A folder a split inside images and masks": [
      [["0001", "my_data/images/train/0001.jpg", "my_data/masks/train/0001.png"]],
      [["0002", "my_data/images/val/0002.jpg", "my_data/masks/val/0002.png"]],
    ],
    "Images and masks inside a folder a split": [
      [["0001", "my_data/train/images/0001.jpg", "my_data/train/masks/0001.png"]],
      [["0002", "my_data/val/images/0002.jpg", "my_data/val/masks/0002.png"]],
    ],
    "Masks beside their images": [
      [["0001", "my_data/train/0001.png", "my_data/train/0001_mask.png"]],
      [["0002", "my_data/val/0002.png", "my_data/val/0002_mask.png"]],
    ],
    "One folder, and a list a split": [
      [["0001", "my_data/images/0001.jpg", "my_data/masks/0001.png"]],
      [["0002", "my_data/images/0002.jpg", "my_data/masks/0002.png"]],
    ],
    "Pascal VOC": [
      [["2007_000032", "VOC2012/JPEGImages/2007_000032.jpg", "VOC2012/SegmentationClass/2007_000032.png"]],
      [["2007_000033", "VOC2012/JPEGImages/2007_000033.jpg", "VOC2012/SegmentationClass/2007_000033.png"]],
    ],
    "Lists of images and masks": [
      [["photos/a 1", "my_data/photos/a 1.jpg", "my_data/drawn/x.png"]],
      [["photos/b", "my_data/photos/b.jpg", "my_data/drawn/y.png"]],
    ],
    "Several folders joined": [
      [
        ["2024/0001", "2024/images/train/0001.jpg", "2024/masks/train/0001.png"],
        ["2025/0001", "2025/images/train/0001.jpg", "2025/masks/train/0001.png"],
      ],
      [["2024/0002", "2024/images/val/0002.jpg", "2024/masks/val/0002.png"]],
    ],
  };

  it.each(layouts)("$title", async ({ title, tree, config }) => {
    const files = new Files({});
    await makeFiles(files, tree);
    const [train, val] = expected[title]!;
    expect(await samplesOf(files, config)).toEqual(train);
    expect(await samplesOf(files, config, "val")).toEqual(val);
    const dataset = await open(files, config);
    for (let i = 0; i < dataset.length; i++) {
      const inner = dataset.files(i)!.label.replace(`${files.root}/`, "");
      const { label } = await dataset.load(i);
      expect(label.data.filter((value) => value === 1)).toHaveLength(tree.indexOf(inner) + 1);
    }
  });
});

const folder = (options: string) =>
  `data:\n  dataset: {type: folder, root: ./d, classes: [a, b]${options === "" ? "" : `, ${options}`}}\n`;

describe("layouts that follow from the options", () => {
  it.each<[name: string, tree: string[], options: string, samples: string[][]]>([
    [
      "x.jpg and x.png in one folder",
      ["d/train/x.jpg", "d/train/x.png"],
      'images: "{split}", masks: "{split}"',
      [["x", "d/train/x.jpg", "d/train/x.png"]],
    ],
    [
      "masks below the images",
      ["d/train/x.png", "d/train/y/z.png", "d/train/masks/x.png", "d/train/masks/y/z.png"],
      'images: "{split}", masks: "{split}/masks"',
      [
        ["x", "d/train/x.png", "d/train/masks/x.png"],
        ["y/z", "d/train/y/z.png", "d/train/masks/y/z.png"],
      ],
    ],
    [
      "images below the masks",
      ["d/train/x.png", "d/train/images/x.png"],
      'images: "{split}/images", masks: "{split}"',
      [["x", "d/train/images/x.png", "d/train/x.png"]],
    ],
    [
      "an ending of its own for either",
      ["d/all/x_image.png", "d/all/x_mask.png", "d/all/y_image.png", "d/all/y_mask.png", "d/train.txt: y"],
      "splits: lists, images: all, masks: all, image_suffixes: [_image.png], mask_suffixes: [_mask.png]",
      [["y", "d/all/y_image.png", "d/all/y_mask.png"]],
    ],
    [
      "CamVid's: a folder and a list a split",
      [
        "d/images/train/x.png",
        "d/images/train/y.png",
        "d/masks/train/x.png",
        "d/masks/train/y.png",
        "d/train.txt: y",
      ],
      'images: "images/{split}", masks: "masks/{split}", list: "{split}.txt"',
      [["y", "d/images/train/y.png", "d/masks/train/y.png"]],
    ],
    [
      "masks outside of the root",
      ["d/images/train/x.png", "e/train/x.png"],
      "masks: ../e",
      [["x", "d/images/train/x.png", "e/train/x.png"]],
    ],
  ])("%s", async (_, tree, options, samples) => {
    const files = new Files({});
    await makeFiles(files, tree);
    expect(await samplesOf(files, folder(options))).toEqual(samples);
  });

  it("absolute folders and lists", async () => {
    const files = new Files({});
    await makeFiles(files, ["d/.keep", "i/train/x.jpg", "m/x.png", "l/train.lst: x"]);
    const [i, m, l] = ["i", "m", "l"].map((name) => files.path(name));
    const options = `images: "${i}/{split}", masks: ${m}, list: "${l}/{split}.lst"`;
    expect(await samplesOf(files, folder(options))).toEqual([["x", "i/train/x.jpg", "m/x.png"]]);
  });

  it("several roots are paths: relative to their file, and no part of the hash", async () => {
    const hashes = await Promise.all(
      ["a", "b"].map(async (name) => {
        const files = new Files({});
        const dataset = `{type: folder, root: [../${name}/1, ./2], classes: [a, b]}`;
        files.write(
          "sub/config.yaml",
          `${small.slice(0, small.indexOf("data:"))}data: {dataset: ${dataset}}\n`,
        );
        const { config, hash } = await files.load("sub/config.yaml");
        expect(config.data.dataset["root"]).toEqual([files.path(`${name}/1`), files.path("sub/2")]);
        return hash;
      }),
    );
    expect(hashes[0]).toBe(hashes[1]);
  });
});

describe("what lies elsewhere is told with what is there", () => {
  const told = async (tree: string[], options: string, section: "train" | "test" = "train") => {
    const files = new Files({});
    await makeFiles(files, tree);
    const more = section === "test" ? "  test: {split: test}\n" : "";
    return complaint(() => open(files, folder(options) + more, section), files.root);
  };

  it("folders, endings, names", async () => {
    const texts = [
      await told(["d/images/training/x.jpg", "d/images/validation/x.jpg"], ""),
      await told(["d/images/train/x.bmp", "d/images/train/y.bmp", "d/images/train/z.txt"], ""),
      await told(["d/images/train/s1.jpg", "d/masks/train/s1_mask.png"], ""),
      await told(["d/images/train/S1.jpg", "d/masks/train/s2.png", "d/masks/train/s1.tif"], ""),
      // divamgupta/image-segmentation-keras#204: masks saved as JPEG
      await told(["d/images/train/s1.jpg", "d/masks/train/s1.jpg"], ""),
      await told(
        ["d/train/x.png", "d/train/y.png", "d/train/y_mask.png"],
        'images: "{split}", masks: "{split}", mask_suffixes: [_mask.png]',
      ),
      await told(["d/train/x.png", "d/train/x_mask.png"], 'images: "{split}", masks: "{split}"'),
      await told(["d/images/x.jpg", "d/masks/x.png", "d/training.txt: x"], "splits: lists"),
      await told(["d/images/x.jpg"], 'images: "{subset}/images"'),
    ];
    expect(texts.join("\n")).toMatchInlineSnapshot(`
      "SEGFUSE_DATA_ROOT: a folder of split "train" does not exist
        at: ROOT/d/images/train
        found: in ROOT/d/images: training, validation
      SEGFUSE_DATA_SPLIT: split "train" has no samples
        at: ROOT/d/images/train
        expected: images that end in .jpg, .jpeg, .png, .webp, .tif, .tiff
        found: 2 .bmp files, 1 .txt file
      SEGFUSE_DATA_FILE: an image has no mask
        at: ROOT/d/images/train/s1.jpg
        expected: a file for "s1" in ROOT/d/masks/train
        found: none; there is "s1_mask.png"
      SEGFUSE_DATA_FILE: an image has no mask
        at: ROOT/d/images/train/S1.jpg
        expected: a file for "S1" in ROOT/d/masks/train
        found: none; there is "s1.tif"
      SEGFUSE_DATA_MASK: a mask is a JPEG
        at: ROOT/d/masks/train/s1.jpg
        expected: a PNG, TIFF or BMP file
        found: JPEG, which changes numbers at every edge between classes (between 3 and 7 it makes 4, 5 and 6)
        try: write the masks again from their source as PNG; a JPEG renamed or converted stays damaged
      SEGFUSE_DATA_FILE: an image has no mask
        at: ROOT/d/train/x.png
        expected: a file for "x" in ROOT/d/train
        found: none
      SEGFUSE_DATA_SPLIT: split "train" has no samples
        at: ROOT/d/train
        try: masks beside their images need an ending of their own: mask_suffixes: [_mask.png]
      SEGFUSE_DATA_SPLIT: the list of a split is missing
        at: ROOT/d/train.txt
        found: beside it: training.txt
      SEGFUSE_COMPONENT_OPTIONS: 'images' has a placeholder that there is not
        at: ROOT/config.yaml:5:63 (data.dataset.images)
        5 |   dataset: {type: folder, root: ./d, classes: [a, b], images: "{subset}/images"}
          |                                                               ^
        expected: {split}
        found: {subset}"
    `);
  });

  it("images without masks: nothing to compare with, predict is named", async () => {
    const texts = [
      await told(["d/images/test/x.jpg", "d/images/test/y.jpg"], "", "test"),
      await told(["d/images/test/x.jpg", "d/masks/test/.keep"], "", "test"),
      await told(["d/images/test/x.jpg", "d/masks/test/other.gif"], "", "test"),
      await told(["d/test/x.png"], 'images: "{split}", masks: "{split}", mask_suffixes: [_mask.png]', "test"),
      await told(
        ["d/images/x.jpg", "d/images/y.jpg", "d/test.txt: x", "d/test.txt: y"],
        "splits: lists",
        "test",
      ),
    ];
    expect(texts.every((text) => text.startsWith("SEGFUSE_DATA_UNLABELLED"))).toBe(true);
    expect(texts.join("\n")).toMatchInlineSnapshot(`
      "SEGFUSE_DATA_UNLABELLED: split "test" has 2 images and no masks: there is nothing to compare with
        at: ROOT/d/masks/test
        expected: masks that end in .png, .tif, .tiff, .bmp
        found: no such folder
        try: segfuse predict CONFIG CHECKPOINT ROOT/d/images/test/* --out FOLDER, which needs no masks
      SEGFUSE_DATA_UNLABELLED: split "test" has 1 image and no masks: there is nothing to compare with
        at: ROOT/d/masks/test
        expected: masks that end in .png, .tif, .tiff, .bmp
        found: none of these images
        try: segfuse predict CONFIG CHECKPOINT ROOT/d/images/test/* --out FOLDER, which needs no masks
      SEGFUSE_DATA_UNLABELLED: split "test" has 1 image and no masks: there is nothing to compare with
        at: ROOT/d/masks/test
        expected: masks that end in .png, .tif, .tiff, .bmp
        found: 1 .gif file
        try: segfuse predict CONFIG CHECKPOINT ROOT/d/images/test/* --out FOLDER, which needs no masks
      SEGFUSE_DATA_UNLABELLED: split "test" has 1 image and no masks: there is nothing to compare with
        at: ROOT/d/test
        expected: masks that end in _mask.png
        found: none of these images
        try: segfuse predict CONFIG CHECKPOINT ROOT/d/test/* --out FOLDER, which needs no masks
      SEGFUSE_DATA_UNLABELLED: split "test" has 2 images and no masks: there is nothing to compare with
        at: ROOT/d/masks
        expected: masks that end in .png, .tif, .tiff, .bmp
        found: no such folder
        try: segfuse predict CONFIG CHECKPOINT ROOT/d/images/* --out FOLDER, which needs no masks"
    `);
  });

  it("a root without the split, and roots with a common sample", async () => {
    const files = new Files({});
    await makeFiles(files, ["a/images/train/x.jpg", "a/masks/train/x.png", "b/images/val/x.jpg"]);
    const config = (roots: string, more = "") =>
      `data:\n  dataset: {type: folder, root: [${roots}], classes: [a, b]${more}}\n`;
    const texts = [
      await complaint(() => open(files, config("a, b")), files.root),
      await complaint(() => open(files, config("a, ./a")), files.root),
    ];
    expect(texts.join("\n")).toMatchInlineSnapshot(`
      "SEGFUSE_DATA_ROOT: a folder of split "train" does not exist
        at: ROOT/b/images/train
        found: in ROOT/b/images: val
        try: an empty folder there, where this root has nothing of the split
      SEGFUSE_DATA_SPLIT: two roots hold the same sample
        at: ROOT/a/images/train/x.jpg
        try: take one of the roots out; or oversample: true, where that is meant"
    `);
    expect(await samplesOf(files, config("a, ./a", ", oversample: true"))).toHaveLength(2);
  });
});
