import { expect, it } from "vitest";
import { segfuse } from "../helpers/cli.ts";

it("shows a component's options with types, ranges, defaults and where the paper has it", async () => {
  const { code, stdout } = await segfuse(["list", "neck", "gff"]);
  expect(code).toBe(0);
  expect(stdout).toMatchInlineSnapshot(`
    "neck gff: gated fully fusion: every level sends and receives through its gate (Eq. 5)
      paper: 3.2, Eq. 5 (https://arxiv.org/abs/1904.01803)
      channels: an integer ≥ 1 and ≤ 65536 (default: 256)
          channels that every level is reduced to
      refine_convs: an integer ≥ 0 and ≤ 64 (default: 2)
          3×3 convolutions on each fused map
      gate_channels: an integer ≥ 1 and ≤ 65536 (default: 1)
          channels of a gate map: 1 (one gate per position), or as many as \`channels\`
      gate_input: one of reduced, raw (default: "reduced")
          what a gate looks at: its level after the reduction, or as it came from the backbone
    "
  `);
});

it("says where the paper has a component that is no equation", async () => {
  const { stdout } = await segfuse(["list", "transform", "color_jitter"]);
  expect(stdout).toMatchInlineSnapshot(`
    "transform color_jitter: adds one random number to each channel
      paper: 4.1 (https://arxiv.org/abs/1904.01803)
      shift: a number ≥ 0 and ≤ 65535 (default: 10)
          the numbers are uniform in [-shift, shift], of 0..255; where model.preprocess.bits is 16, of 0..65535
    "
  `);
});

it("names the nearest kind", async () => {
  const { code, stderr } = await segfuse(["list", "nekc"]);
  expect(code).toBe(2);
  expect(stderr).toMatchInlineSnapshot(`
    "error: command-argument value 'nekc' is invalid for argument 'kind'. one of backbone, context, neck, head, auxiliary_head, loss, dataset, transform, optimizer, schedule, hook, metric, name_map is expected. Did you mean neck?
    (segfuse --help lists the commands)
    "
  `);
});

it("lists a kind", async () => {
  expect((await segfuse(["list", "neck"])).stdout).toMatchInlineSnapshot(`
    "neck
      none       no fusion; the head sees the context map alone (PSPNet)
      concat     all levels concatenated at the finest size (Eq. 2)
      addition   all levels added at the finest size (Eq. 3)
      fpn        top-down feature pyramid that starts from the context map (Eq. 4)
      gated_fpn  feature pyramid with a gate on what each level sends down and receives
      gff        gated fully fusion: every level sends and receives through its gate (Eq. 5)
    "
  `);
});

it("lists the metrics, and one with its options", async () => {
  expect((await segfuse(["list", "metric"])).stdout).toMatchInlineSnapshot(`
    "metric
      mIoU        intersection over union, I / (P + L − I), mean over classes
      mAcc        share of each class's labelled pixels that were found, I / L, mean over classes
      aAcc        share of all labelled pixels that are right
      fwIoU       intersection over union, mean over classes by their labelled pixels
      mDice       Dice coefficient, 2 I / (P + L), mean over classes
      mFscore     F-score, (1 + β²) I / (β² L + P), mean over classes
      mPrecision  share of each class's predicted pixels that are right, I / P, mean over classes
      mRecall     the same as mAcc, under the name that is usual beside precision
      kappa       Cohen's kappa: how far aAcc is above what the class frequencies give by chance
      mBIoU       intersection over union of the masks' boundaries alone, mean over classes; on request
    "
  `);
  expect((await segfuse(["list", "metric", "mFscore"])).stdout).toMatchInlineSnapshot(`
    "metric mFscore: F-score, (1 + β²) I / (β² L + P), mean over classes
      beta: a number > 0 (default: 1)
          how many times as much recall counts as precision; 1: the Dice coefficient
    "
  `);
});

it("prints one JSON document", async () => {
  const [neck] = JSON.parse((await segfuse(["list", "neck", "gff", "--json"])).stdout) as object[];
  expect(neck).toMatchObject({
    kind: "neck",
    type: "gff",
    source: "segfuse",
    paper: { section: "3.2, Eq. 5", url: "https://arxiv.org/abs/1904.01803" },
  });
  expect(neck).toHaveProperty(["options", 0], {
    name: "channels",
    accepts: "an integer ≥ 1 and ≤ 65536",
    default: 256,
    required: false,
    description: "channels that every level is reduced to",
  });
});
