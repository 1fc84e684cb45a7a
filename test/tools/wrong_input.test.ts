import { existsSync, readFileSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encode } from "fast-png";
import sharp from "sharp";
import { segfuse } from "../helpers/cli.ts";
import { TinyRun } from "../helpers/tiny_run.ts";

// What a user gets for a mistake: one message that names the place, the right exit code, nothing written.

let run: TinyRun;
beforeEach(() => {
  run = new TinyRun();
});
afterEach(() => run.remove());

/** Trains; gives exit code and message, with the temporary folder's name cut out. */
async function train(...more: string[]): Promise<{ code: number | null; text: string }> {
  const { code, stdout, stderr } = await segfuse([
    "train",
    run.config,
    "--work-dir",
    run.path("work"),
    ...more,
  ]);
  expect(stdout).toBe("");
  expect(existsSync(run.path("work"))).toBe(false);
  expect(stderr).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m);
  return { code, text: stderr.replaceAll(run.folder, "ROOT").trimEnd() };
}

function edit(from: string, to: string): void {
  const text = readFileSync(run.config, "utf8");
  expect(text).toContain(from);
  writeFileSync(run.config, text.replace(from, to));
}

const mask = (split: string, i: number) => `${run.data}/masks/${split}/${i}.png`;
const image = (split: string, i: number, suffix = "png") => `${run.data}/images/${split}/${i}.${suffix}`;

describe("a wrong config ends with exit code 2", () => {
  it("and names all mistakes at once", async () => {
    edit("neck: {type: addition,", "neck: {type: adition,");
    edit("momentum: 0.9", "momentun: 0.9");
    edit("workers: 1", "workers: many");
    const { code, text } = await train();
    expect(code).toBe(2);
    expect(text).toMatchInlineSnapshot(`
      "3 complaints

      SEGFUSE_CONFIG_UNKNOWN_TYPE: there is no neck 'adition'
        at: ROOT/tiny.yaml:6:16 (model.neck.type)
        6 |   neck: {type: adition, channels: 8, refine_convs: 1}
          |                ^
        did you mean: addition
        valid: none, concat, addition, fpn, gated_fpn, gff

      SEGFUSE_CONFIG_TYPE: 'workers' has a value of the wrong type
        at: ROOT/tiny.yaml:12:12 (data.workers)
        12 |   workers: many
           |            ^
        expected: an integer ≥ 1 and ≤ 256
        found: "many" (a string)

      SEGFUSE_CONFIG_UNKNOWN_KEY: the optimizer 'sgd' has no key 'momentun'
        at: ROOT/tiny.yaml:14:34 (optimizer.momentun)
        14 | optimizer: {type: sgd, lr: 0.05, momentun: 0.9}
           |                                  ^
        did you mean: momentum
        valid: type, lr, accumulate, clip_norm, paramwise, momentum, nesterov, weight_decay, norm_bias_decay"
    `);
  });
});

describe("wrong data ends with exit code 1", () => {
  it("a missing image", async () => {
    unlinkSync(image("train", 2));
    const { code, text } = await train();
    expect(code).toBe(1);
    expect(text).toMatchInlineSnapshot(`
      "work folder: ROOT/work
      SEGFUSE_DATA_FILE: a mask has no image
        at: ROOT/data/masks/train/2.png
        expected: a file for "2" in ROOT/data/images/train
        found: none"
    `);
  });

  it("a truncated JPEG", async () => {
    const jpeg = await sharp(readFileSync(image("train", 0)))
      .jpeg()
      .toBuffer();
    rmSync(image("train", 0));
    writeFileSync(image("train", 0, "jpg"), jpeg.subarray(0, jpeg.length / 2));
    const { code, text } = await train();
    expect(code).toBe(1);
    expect(text).toMatchInlineSnapshot(`
      "work folder: ROOT/work
      SEGFUSE_DATA_IMAGE: an image is cut short
        at: ROOT/data/images/train/0.jpg
        expected: a whole JPEG, PNG, WebP, TIFF, GIF or AVIF file
        found: a JPEG file of 391 bytes that ends too early
        try: fetch the file again or take it out of the split"
    `);
  });

  it("a mask with a label outside the classes", async () => {
    const data = new Uint8Array(40 * 48).fill(1);
    data[48 + 5] = 7;
    writeFileSync(mask("train", 0), encode({ width: 48, height: 40, data, channels: 1 }));
    const { code, text } = await train();
    expect(code).toBe(1);
    expect(text).toMatchInlineSnapshot(`
      "work folder: ROOT/work
      SEGFUSE_DATA_LABEL: a mask holds a value that is no class
        at: ROOT/data/masks/train/0.png
        expected: classes 0..2 and 255 (ignore)
        found: value 7 in 1 pixel, first at x=5, y=1
        try: data.dataset.label_map: {7: ignore}, or a class's number for it; or correct the mask, the list of classes, ignore_index or reduce_zero_label"
    `);
  });

  it("a mask of another size", async () => {
    writeFileSync(mask("val", 0), encode({ width: 24, height: 40, data: new Uint8Array(960), channels: 1 }));
    const { code, text } = await train();
    expect(code).toBe(1);
    expect(text).toMatchInlineSnapshot(`
      "work folder: ROOT/work
      SEGFUSE_DATA_SIZE: a mask and its image differ in size
        at: ROOT/data/masks/val/0.png
        expected: 48x40 (width x height), as ROOT/data/images/val/0.png
        found: 24x40"
    `);
  });

  it("an output folder that cannot be written", async () => {
    // below a file: no permission bits are in the way of root
    const { code, text } = await train("--work-dir", `${run.config}/work`);
    expect(code).toBe(1);
    expect(text).toMatchInlineSnapshot(`
      "work folder: ROOT/tiny.yaml/work
      SEGFUSE_WORK_DIR: the output folder cannot be used
        at: ROOT/tiny.yaml/work
        found: ROOT/tiny.yaml is a file
        try: another output folder"
    `);
  });
});

describe("wrong usage", () => {
  it("ends with exit code 2 and names the nearest command", async () => {
    const { code, stderr } = await segfuse(["trian", run.config]);
    expect(code).toBe(2);
    expect(stderr).toMatchInlineSnapshot(`
      "error: unknown command 'trian'
      (Did you mean train?)
      (segfuse --help lists the commands)
      "
    `);
  });
});
