import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encode } from "fast-png";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { labelMapFindings } from "../../src/datasets/file_options.ts";
import { openDataset } from "../../src/datasets/loader.ts";
import { complaint, dataConfig, folderOptions, put, putImage, putMask } from "./support.ts";

// What stored values and colours mean: label_map, the classes' colours, palettes.

let root: string;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "segfuse-labels-"));
  await putImage(`${root}/images/train/a.png`, 4, 2);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const mask = () => `${root}/masks/train/a.png`;
const red = { name: "red", color: [255, 0, 0] };
const green = { name: "green", color: [0, 128, 0] };

/** The labels of the only sample. */
async function labels(
  options: object,
  dataset: object = { type: "folder", ...folderOptions },
): Promise<number[]> {
  const opened = await openDataset(dataConfig({ type: "folder", root, ...dataset, ...options }), "train");
  return Array.from((await opened.load(0)).label.data);
}

const problem = (options: object) => complaint(() => labels(options), root);

function putWideMask(values: readonly number[]): void {
  put(mask(), encode({ width: 4, height: 2, data: Uint16Array.from(values), channels: 1, depth: 16 }));
}

function putColors(...colors: readonly (readonly number[])[]): void {
  put(mask(), encode({ width: 4, height: 2, data: Uint8Array.from(colors.flat()), channels: 3 }));
}

/** @param palette of the indices 0, 1, … */
function putPalette(values: readonly number[], palette: number[][]): void {
  const data = Uint8Array.from(values);
  put(mask(), encode({ width: 4, height: 2, data, channels: 1, palette }));
}

describe("label_map", () => {
  const stored = [0, 255, 0, 255, 255, 0, 0, 0];

  test("makes a class of 255; other values stay what they are", async () => {
    putMask(mask(), 4, 2, (p) => stored[p]!);
    const classes = ["back", "front"];
    expect(await labels({ classes })).toEqual(stored);
    expect(await labels({ classes, label_map: { 255: 1 } })).toEqual([0, 1, 0, 1, 1, 0, 0, 0]);
    expect(await labels({ classes, label_map: { 255: 1, 0: "ignore" } })).toEqual([
      255, 1, 255, 1, 1, 255, 255, 255,
    ]);
  });

  test("merges classes, and goes before reduce_zero_label", async () => {
    putMask(mask(), 4, 2, (p) => [0, 1, 2, 3, 4, 0, 1, 255][p]!);
    expect(await labels({ label_map: { 3: 1, 4: 0 } })).toEqual([0, 1, 2, 1, 0, 0, 1, 255]);
    expect(await labels({ label_map: { 0: 2, 4: 0 }, reduce_zero_label: true })).toEqual([
      2, 0, 1, 2, 0, 2, 0, 255,
    ]);
  });

  test("reads 16 bits up to 65535, and `other` covers all that it does not name, class numbers too", async () => {
    putWideMask([0, 1, 300, 65535, 1000, 2, 255, 256]);
    expect(await labels({ label_map: { 300: 1, 65535: "ignore", 1000: 0, 256: 2 } })).toEqual([
      0, 1, 1, 255, 0, 2, 255, 2,
    ]);
    expect(await labels({ label_map: { 300: 1, 65535: 2, other: "ignore" } })).toEqual([
      255, 255, 1, 2, 255, 255, 255, 255,
    ]);
    expect(await problem({ label_map: { 300: 1 } })).toMatchInlineSnapshot(`
      "SEGFUSE_DATA_LABEL: a mask holds a value that is no class
        at: ROOT/masks/train/a.png
        expected: classes 0..2 and 255 (ignore); label_map: 300 → 1
        found: value 256 in 1 pixel, first at x=3, y=1; value 1000 in 1 pixel, first at x=0, y=1; value 65535 in 1 pixel, first at x=3, y=0
        try: data.dataset.label_map: {256: ignore}, or a class's number for it; or correct the mask, the list of classes, ignore_index or reduce_zero_label"
    `);
  });

  test("with keys or classes that cannot be is a complaint about the config", () => {
    const map = {
      255: 1,
      65535: "ignore",
      "#00ff00": 0,
      other: "ignore",
      65536: 0,
      "#12": "ignore",
      3: 2,
    } as const;
    const found = [...labelMapFindings(map, 2)].map(({ path, expected }) => `${path.join(".")}: ${expected}`);
    expect(found.join("\n")).toMatchInlineSnapshot(`
      "label_map.3: a class number from 0 to 1, or ignore
      label_map.65536: a number from 0 to 65535, a colour as "#rrggbb", or other
      label_map.#12: a number from 0 to 65535, a colour as "#rrggbb", or other"
    `);
  });

  test("is the same in CamVid and Cityscapes", async () => {
    putMask(mask(), 4, 2, (p) => stored[p]!);
    put(`${root}/train.txt`, "a");
    const meta = {
      classes: ["back", "front"],
      palette: [
        [0, 0, 0],
        [9, 9, 9],
      ],
      ignore_index: 11,
    };
    put(`${root}/meta.json`, JSON.stringify(meta));
    const want = stored.map((value) => (value === 255 ? 1 : 0));
    expect(await labels({ label_map: { 255: 1 } }, { type: "camvid" })).toEqual(want);
    expect(await complaint(() => labels({ label_map: { 255: 2 } }, { type: "camvid" }), root))
      .toMatchInlineSnapshot(`
      "SEGFUSE_DATA_OPTION: label_map names a class that there is not
        at: data.dataset.label_map.255
        expected: a class number from 0 to 1, or ignore
        found: 2"
    `);
    const stem = "aachen_000000_000019";
    await putImage(`${root}/leftImg8bit/train/aachen/${stem}_leftImg8bit.png`, 4, 2);
    putMask(`${root}/gtFine/train/aachen/${stem}_gtFine_labelTrainIds.png`, 4, 2, (p) => stored[p]!);
    const cityscapes = { type: "cityscapes", ignore_index: null };
    expect(await labels({}, cityscapes)).toEqual(stored);
    expect(await labels({ label_map: { 255: 1 } }, cityscapes)).toEqual(want);
  });
});

test("masks that are JPEGs are not just missing", async () => {
  await putImage(`${root}/masks/train/a.jpg`, 4, 2);
  expect(await problem({})).toContain("SEGFUSE_DATA_MASK: a mask is a JPEG\n  at: ROOT/masks/train/a.jpg");
});

describe("colour masks", () => {
  const colors = [
    [255, 0, 0],
    [0, 128, 0],
    [0, 128, 0],
    [255, 0, 0],
    [0, 128, 0],
    [255, 0, 0],
    [1, 2, 3],
    [1, 2, 3],
  ];

  test("are read by the classes' colours and label_map", async () => {
    putColors(...colors);
    const classes = [green, red];
    expect(await problem({ classes })).toMatchInlineSnapshot(`
      "SEGFUSE_DATA_LABEL: a mask has a colour that is no class's
        at: ROOT/masks/train/a.png
        expected: colours of classes (data.dataset.classes) or of data.dataset.label_map
        found: #010203 in 2 pixels, first at x=2, y=1
        try: data.dataset.label_map: {"#010203": ignore}, or a class's number for it"
    `);
    const want = [1, 0, 0, 1, 0, 1, 255, 255];
    expect(await labels({ classes, label_map: { "#010203": "ignore" } })).toEqual(want);
    expect(await labels({ classes, label_map: { other: "ignore" } })).toEqual(want);
    // alpha is dropped
    const rgba = colors.flatMap((color, p) => [...color, 40 * p]);
    put(mask(), encode({ width: 4, height: 2, data: Uint8Array.from(rgba), channels: 4 }));
    expect(await labels({ classes, label_map: { other: "ignore" } })).toEqual(want);
    // and TIFF holds them as well
    const tiff = sharp(Uint8Array.from(colors.flat()), { raw: { width: 4, height: 2, channels: 3 } });
    put(mask(), await tiff.tiff({ compression: "lzw" }).toBuffer());
    expect(await labels({ classes, label_map: { other: "ignore" } })).toEqual(want);
  });

  test("of simulators, which store the class in the red channel, are colours like others", async () => {
    putColors(...[0, 1, 2, 0, 1, 2, 7, 7].map((value) => [value, 0, 0]));
    const classes = [0, 1, 2].map((value) => ({ name: `c${value}`, color: [value, 0, 0] }));
    expect(await labels({ classes, label_map: { "#070000": 2 } })).toEqual([0, 1, 2, 0, 1, 2, 2, 2]);
  });

  test("are refused where classes have no colours, or share them", async () => {
    putColors(...colors);
    expect(await problem({})).toMatchInlineSnapshot(`
      "SEGFUSE_DATA_MASK: a mask has colours, and the classes have none
        at: ROOT/masks/train/a.png
        expected: one channel (grey or palette) whose values are class numbers, or classes with colours
        found: 3 channels, with #ff0000, #008000, #010203
        try: give every class its color: data.dataset.classes: [{name: road, color: [128, 64, 128]}, …]"
    `);
    expect(await problem({ classes: [red, { ...green, color: red.color }] })).toMatchInlineSnapshot(`
      "SEGFUSE_DATA_OPTION: two classes have the same colour, and a mask has colours
        at: ROOT/masks/train/a.png
        expected: a color for each class in data.dataset.classes that no other class has
        found: #ff0000, of classes 0 and 1"
    `);
  });

  test("of grey stored in three channels are numbers, unless the classes have colours", async () => {
    const values = [0, 1, 2, 255, 0, 0, 1, 1];
    putColors(...values.map((value) => [value, value, value]));
    expect(await labels({})).toEqual(values);
    const classes = [
      { name: "a", color: [1, 1, 1] },
      { name: "b", color: [0, 0, 0] },
    ];
    expect(await labels({ classes, label_map: { other: "ignore" } })).toEqual([1, 0, 255, 255, 1, 1, 0, 0]);
  });

  test("with a palette are numbers, but not where the colours are those of other classes", async () => {
    const classes = [red, green];
    putPalette(
      [0, 1, 1, 0, 0, 0, 1, 1],
      [
        [9, 9, 9],
        [1, 1, 1],
      ],
    );
    expect(await labels({ classes })).toEqual([0, 1, 1, 0, 0, 0, 1, 1]);
    putPalette([0, 1, 1, 0, 0, 0, 1, 1], [red.color, green.color]);
    expect(await labels({ classes })).toEqual([0, 1, 1, 0, 0, 0, 1, 1]);
    // as a program leaves them that makes files smaller
    putPalette([0, 1, 1, 0, 0, 0, 1, 1], [green.color, red.color]);
    expect(await problem({ classes })).toMatchInlineSnapshot(`
      "SEGFUSE_DATA_MASK: a palette mask's numbers and colours say different classes
        at: ROOT/masks/train/a.png
        expected: the classes' colours at the classes' numbers
        found: number 0 is label 0, its colour #008000 is that of 1
        try: data.dataset.palette_masks: colors, or numbers where the palette means nothing"
    `);
    expect(await labels({ classes, palette_masks: "numbers" })).toEqual([0, 1, 1, 0, 0, 0, 1, 1]);
    expect(await labels({ classes, palette_masks: "colors" })).toEqual([1, 0, 0, 1, 1, 1, 0, 0]);
  });
});
