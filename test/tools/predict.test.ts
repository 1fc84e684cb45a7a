import { existsSync, writeFileSync } from "node:fs";
import { afterAll, expect, it } from "vitest";
import { segfuse } from "../helpers/cli.ts";
import { TinyRun } from "../helpers/tiny_run.ts";

// `segfuse init` and `segfuse predict` as a user runs them, with a config whose data set is not there.

const run = new TinyRun();
afterAll(() => run.remove());

const env = { NOWHERE: undefined };
const config = run.path("elsewhere.yaml");
writeFileSync(
  config,
  `_base_: tiny.yaml
data: {dataset: {_delete_: true, type: folder, root: "\${env:NOWHERE}", classes: [ground, box, sky]}}
evaluation: {mode: slide, window: [24, 24], stride: [16, 16]}
`,
);
const weights = run.path("w.safetensors");
/** A slow machine tells more often how far it is. */
const shown = (text: string) =>
  text
    .replaceAll(run.folder, "ROOT")
    .replaceAll(/[\d.]+ s\/image {2}\S+ left/g, "PACE")
    .replaceAll(/predict {2}[2-4]\/5 .*\n/g, "");

it("predicts a folder and a pattern, tells how and what is done, and lists at the end what failed", async () => {
  const made = await segfuse(["init", config, "--out", weights], { env });
  expect(made.code, made.stderr).toBe(0);
  writeFileSync(`${run.data}/images/val/1.png`, "cut");
  const args = [
    "predict",
    config,
    weights,
    `${run.data}/images/val`,
    `${run.data}/images/{train,val}/0.*`,
    "absent.png",
  ];
  const { code, stdout, stderr } = await segfuse([...args, "--out", run.path("out")], { env });
  expect(code).toBe(1);
  expect(stderr).toContain("SEGFUSE_PREDICT_FAILED");
  expect(shown(stdout)).toMatchInlineSnapshot(`
    "ROOT/data/images/val/0.png: ROOT/out/0_overlay.png, ROOT/out/0_classes.png
    ROOT/data/images/val/2.png: ROOT/out/2_overlay.png, ROOT/out/2_classes.png
    ROOT/data/images/train/0.png: ROOT/out/train/0_overlay.png, ROOT/out/train/0_classes.png
    "
  `);
  expect(shown(stderr)).toMatchInlineSnapshot(`
    "predicting 5 images: windows of 24×24, stride 16×16, scale 1
    predict  1/5  PACE
    warning: left out: ROOT/data/images/val/1.png: a file under an image's name is no image (a text: "cut")
    warning: left out: absent.png: an image is missing
    predict  5/5  PACE
    SEGFUSE_PREDICT_FAILED: 2 of 5 images were not predicted
      found: ROOT/data/images/val/1.png: a file under an image's name is no image (a text: "cut")
             absent.png: an image is missing
      try: repair these and predict them again; the others are done
    "
  `);
  expect(existsSync(run.path("out/train/0_classes.png"))).toBe(true);
});

it("prints one JSON document, failures included, and takes one mode at most", async () => {
  const args = [
    "predict",
    config,
    weights,
    `${run.data}/images/val/0.png`,
    "absent.png",
    "--out",
    run.path("json"),
  ];
  const { code, stdout, stderr } = await segfuse([...args, "--json", "--whole", "--tta"], { env });
  expect(code).toBe(1);
  expect(stderr).toContain(
    "predicting 2 images: whole images, scales 0.75, 1, 1.25, 1.5, 1.75, mirrored as well\n",
  );
  expect(JSON.parse(shown(stdout))).toEqual([
    {
      image: "ROOT/data/images/val/0.png",
      overlay: "ROOT/json/0_overlay.png",
      classes: "ROOT/json/0_classes.png",
      frames: 1,
    },
    { image: "absent.png", error: "an image is missing" },
  ]);
  const both = await segfuse([...args, "--whole", "--slide"], { env });
  expect([both.code, both.stdout]).toEqual([2, ""]);
});
