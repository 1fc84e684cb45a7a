import { existsSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encode } from "fast-png";
import { segfuse } from "../helpers/cli.ts";
import { TinyRun } from "../helpers/tiny_run.ts";

// `segfuse train --check`: what it prints where all is well, and each complaint before the first update.

let run: TinyRun;
beforeEach(() => {
  run = new TinyRun();
});
afterEach(() => run.remove());

/** Exit code and both outputs, with the temporary folder's name and this machine's free space cut out. */
async function check(...more: string[]) {
  const work = run.path("work");
  const result = await segfuse(["train", run.config, "--work-dir", work, "--check", ...more]);
  expect(existsSync(work)).toBe(false);
  expect(result.stderr).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m);
  const plain = (text: string) =>
    text
      .replaceAll(run.folder, "ROOT")
      .replace(/^engine: .*/m, "engine: …")
      .replaceAll(/[\d.]+ [MG]iB free/g, "… free")
      .replace(/^(first update: .*), \d+\.\d s$/m, "$1, … s")
      .replaceAll(/\d\.\d{6,}/g, "N")
      .trimEnd();
  return { code: result.code, out: plain(result.stdout), told: plain(result.stderr), stdout: result.stdout };
}

const set = (...values: string[]) => values.flatMap((value) => ["--set", value]);

function writeMask(split: string, name: string, values: (pixel: number) => number): void {
  const data = Uint8Array.from({ length: 40 * 48 }, (_, p) => values(p));
  writeFileSync(
    `${run.data}/masks/${split}/${name}.png`,
    encode({ width: 48, height: 40, data, channels: 1 }),
  );
}

describe("a run that can work", () => {
  it("is summed up", async () => {
    const { code, out, told } = await check();
    expect(code).toBe(0);
    expect(told).toMatchInlineSnapshot(`
      "engine: …
      weights: all fresh (seed 3)
      nothing wrong was found; nothing of the update was kept"
    `);
    expect(out).toMatchInlineSnapshot(`
      "split | samples | checked | height x width
      ------+---------+---------+---------------
      train |       8 |       8 | 40x48
      val   |       3 |       3 | 40x48

      class     | train % | val %
      ----------+---------+------
      ground    |   53.42 | 48.00
      box       |    7.57 |  3.92
      sky       |   39.01 | 48.07
      (ignored) |    0.00 |  0.00

      parameters: 49975 (auxiliary heads left out), 51170 trained
      memory: about 733 MiB, … free
      disk: 4 checkpoints of 403 KiB = 2 MiB, … free
      first update: loss 1.533 (decode.loss_ce 1.092, aux.loss_ce 0.441), … s"
    `);
  });

  it("as JSON", async () => {
    const { code, stdout } = await check("--json");
    expect(code).toBe(0);
    const found = JSON.parse(stdout) as { splits: unknown[] };
    expect(Object.keys(found).join(" ")).toMatchInlineSnapshot(
      `"classes splits shared parameters memory disk warnings update"`,
    );
    expect(found.splits[0]).toMatchObject({ section: "train", length: 8, checked: 8, channels: 3 });
  });
});

describe("a run that cannot work", () => {
  it("shows in its first update, which the engine makes", async () => {
    // A trace of shapes sees no values.
    const plugin = `import { composeNeck, defineNeck, tf, Type } from "segfuse";
export default defineNeck({ type: "odd", description: "d", schema: Type.Object({}), create: (_, { levels }) =>
  composeNeck({ modules: {}, outputs: [levels[0]], forward: ({ levels: [x] }) => [tf.mul(x, tf.log(tf.neg(tf.onesLike(x))))] }) });
`;
    writeFileSync(run.path("odd.mjs"), plugin);
    const odd = set(`plugins=[${run.path("odd.mjs")}]`, "model.neck={type: odd}");
    const { code, told } = await check(...odd);
    expect(code).toBe(1);
    expect(told).toMatchInlineSnapshot(`
      "engine: …
      weights: all fresh (seed 3)
      SEGFUSE_LOSS_NOT_FINITE: the loss of the first update is not finite
        at: samples 3, 6
        found: decode.loss_ce NaN, aux.loss_ce N, loss NaN
        try: look at model.preprocess, the weights that the run starts from, and the losses' options"
    `);
  });

  it("ends with exit code 1, and all complaints at once; of many alike the first are shown", async () => {
    for (let i = 0; i < 7; i++) writeMask("train", String(i), (p) => (p === 50 ? 9 : 1));
    writeMask("val", "1", (p) => (p < 100 ? 3 : 0));
    const small = encode({ width: 24, height: 40, data: new Uint8Array(960), channels: 1 });
    writeFileSync(`${run.data}/masks/val/0.png`, small);
    const { code, told } = await check(...set("data.batch_size=1", "model.num_classes=3"));
    expect(code).toBe(1);
    expect(told).toMatchInlineSnapshot(`
      "10 complaints

      SEGFUSE_DATA_LABEL: a mask holds a value that is no class
        at: ROOT/data/masks/train/0.png
        expected: classes 0..2 and 255 (ignore)
        found: value 9 in 1 pixel, first at x=2, y=1
        try: data.dataset.label_map: {9: ignore}, or a class's number for it; or correct the mask, the list of classes, ignore_index or reduce_zero_label

      SEGFUSE_DATA_LABEL: a mask holds a value that is no class
        at: ROOT/data/masks/train/1.png
        expected: classes 0..2 and 255 (ignore)
        found: value 9 in 1 pixel, first at x=2, y=1
        try: data.dataset.label_map: {9: ignore}, or a class's number for it; or correct the mask, the list of classes, ignore_index or reduce_zero_label

      SEGFUSE_DATA_LABEL: a mask holds a value that is no class
        at: ROOT/data/masks/train/2.png
        expected: classes 0..2 and 255 (ignore)
        found: value 9 in 1 pixel, first at x=2, y=1
        try: data.dataset.label_map: {9: ignore}, or a class's number for it; or correct the mask, the list of classes, ignore_index or reduce_zero_label

      SEGFUSE_DATA_LABEL: a mask holds a value that is no class
        at: ROOT/data/masks/train/3.png
        expected: classes 0..2 and 255 (ignore)
        found: value 9 in 1 pixel, first at x=2, y=1
        try: data.dataset.label_map: {9: ignore}, or a class's number for it; or correct the mask, the list of classes, ignore_index or reduce_zero_label

      SEGFUSE_DATA_LABEL: a mask holds a value that is no class
        at: ROOT/data/masks/train/4.png
        expected: classes 0..2 and 255 (ignore)
        found: value 9 in 1 pixel, first at x=2, y=1
        try: data.dataset.label_map: {9: ignore}, or a class's number for it; or correct the mask, the list of classes, ignore_index or reduce_zero_label

      SEGFUSE_DATA_SIZE: a mask and its image differ in size
        at: ROOT/data/masks/val/0.png
        expected: 48x40 (width x height), as ROOT/data/images/val/0.png
        found: 24x40

      SEGFUSE_BATCH_NORM_ONE_VALUE: batch normalisation of one value per channel
        at: head.context.stages.0.bn
        expected: more than one value per channel in training
        found: an input of shape [1, 1, 1, 8]
        try: use data.batch_size 2 or more (pooling to 1×1 leaves one value per image)

      SEGFUSE_DATA_LABEL: and 3 more"
    `);
  });
});
