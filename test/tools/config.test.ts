import { expect, it } from "vitest";
import { stringifyWithOrigins } from "../../src/config/index.ts";
import { Files } from "../config/files.ts";
import { segfuse } from "../helpers/cli.ts";

const env = { SEGFUSE_CITYSCAPES: "/data/cityscapes", BATCH: "4" };

it("shows where each value of a config was written", async () => {
  const set = ["--set", "optimizer.lr=0.02", "--set", "data.batch_size=${env:BATCH}"];
  const { code, stdout } = await segfuse(["config", "configs/table1/gff.yaml", "--origins", ...set], { env });
  expect(code).toBe(0);
  expect(stdout).toMatchInlineSnapshot(`
    "name: table1_gff             # default
    seed: 0                      # configs/_base_/runtime/default.yaml:3:7 ← configs/table1/pspnet.yaml:7:5 ← configs/table1/gff.yaml:3:9
    engine:
      type: auto                 # configs/_base_/runtime/default.yaml:4:16 ← configs/table1/pspnet.yaml:7:5 ← configs/table1/gff.yaml:3:9
      threads: null              # default
    plugins: []                  # default
    init_from: null              # default
    init_key: null               # default
    allow_fresh: []              # default
    min_loaded: 0                # default
    model:
      backbone:
        type: resnet             # configs/_base_/models/pspnet_r101.yaml:4:20 ← configs/table1/pspnet.yaml:4:5 ← configs/table1/gff.yaml:3:9
        depth: 101               # configs/_base_/models/pspnet_r101.yaml:4:35 ← configs/table1/pspnet.yaml:4:5 ← configs/table1/gff.yaml:3:9
        stem: v1c                # configs/_base_/models/pspnet_r101.yaml:4:46 ← configs/table1/pspnet.yaml:4:5 ← configs/table1/gff.yaml:3:9
        output_stride: 8         # configs/_base_/models/pspnet_r101.yaml:4:66 ← configs/table1/pspnet.yaml:4:5 ← configs/table1/gff.yaml:3:9
        style: pytorch           # default
        base_channels: 64        # default
        frozen_stages: -1        # default
        norm_eval: false         # default
        with_cp: false           # default
        pretrained: null         # default
        pretrained_key: null     # default
      neck:
        type: gff                # configs/table1/gff.yaml:5:22
        channels: 256            # configs/table1/gff.yaml:5:37
        refine_convs: 2          # configs/table1/gff.yaml:5:56
        gate_channels: 1         # default
        gate_input: reduced      # default
      head:
        type: ppm                # configs/_base_/models/pspnet_r101.yaml:7:11 ← configs/table1/pspnet.yaml:4:5 ← configs/table1/gff.yaml:3:9
        context:
          type: ppm              # configs/_base_/models/pspnet_r101.yaml:8:21 ← configs/table1/pspnet.yaml:4:5 ← configs/table1/gff.yaml:3:9
          channels: 512          # configs/_base_/models/pspnet_r101.yaml:8:36 ← configs/table1/pspnet.yaml:4:5 ← configs/table1/gff.yaml:3:9
          bins:
            - 1                  # configs/_base_/models/pspnet_r101.yaml:8:48 ← configs/table1/pspnet.yaml:4:5 ← configs/table1/gff.yaml:3:9
            - 2                  # configs/_base_/models/pspnet_r101.yaml:8:51 ← configs/table1/pspnet.yaml:4:5 ← configs/table1/gff.yaml:3:9
            - 3                  # configs/_base_/models/pspnet_r101.yaml:8:54 ← configs/table1/pspnet.yaml:4:5 ← configs/table1/gff.yaml:3:9
            - 6                  # configs/_base_/models/pspnet_r101.yaml:8:57 ← configs/table1/pspnet.yaml:4:5 ← configs/table1/gff.yaml:3:9
        dropout: 0.1             # configs/_base_/models/pspnet_r101.yaml:9:14 ← configs/table1/pspnet.yaml:4:5 ← configs/table1/gff.yaml:3:9
        losses:
          - type: cross_entropy  # configs/_base_/models/pspnet_r101.yaml:10:21 ← configs/table1/pspnet.yaml:4:5 ← configs/table1/gff.yaml:3:9
            weight: 1            # configs/_base_/models/pspnet_r101.yaml:10:44 ← configs/table1/pspnet.yaml:4:5 ← configs/table1/gff.yaml:3:9
            class_weights: null  # default
            avg_non_ignore: true # default
      auxiliary_head:
        type: fcn                # configs/_base_/models/pspnet_r101.yaml:13:11 ← configs/table1/pspnet.yaml:4:5 ← configs/table1/gff.yaml:3:9
        level: 3                 # configs/_base_/models/pspnet_r101.yaml:14:12 ← configs/table1/pspnet.yaml:4:5 ← configs/table1/gff.yaml:3:9
        channels: 256            # configs/_base_/models/pspnet_r101.yaml:15:15 ← configs/table1/pspnet.yaml:4:5 ← configs/table1/gff.yaml:3:9
        dropout: 0.1             # configs/_base_/models/pspnet_r101.yaml:16:14 ← configs/table1/pspnet.yaml:4:5 ← configs/table1/gff.yaml:3:9
        losses:
          - type: cross_entropy  # configs/_base_/models/pspnet_r101.yaml:17:21 ← configs/table1/pspnet.yaml:4:5 ← configs/table1/gff.yaml:3:9
            weight: 0.4          # configs/_base_/models/pspnet_r101.yaml:17:44 ← configs/table1/pspnet.yaml:4:5 ← configs/table1/gff.yaml:3:9
            class_weights: null  # default
            avg_non_ignore: true # default
      num_classes: null          # default
      in_channels: 3             # default
      align_corners: false       # default
      preprocess:
        mean:
          - 123.675              # default
          - 116.28               # default
          - 103.53               # default
        std:
          - 58.395               # default
          - 57.12                # default
          - 57.375               # default
        bits: 8                  # default
      norm: batch                # default
      norm_groups: 32            # default
    data:
      dataset:
        type: cityscapes         # configs/_base_/datasets/cityscapes.yaml:4:19 ← configs/table1/pspnet.yaml:5:5 ← configs/table1/gff.yaml:3:9
        root: /data/cityscapes   # $SEGFUSE_CITYSCAPES at configs/_base_/datasets/cityscapes.yaml:4:37 ← configs/table1/pspnet.yaml:5:5 ← configs/table1/gff.yaml:3:9
        ignore_index: null       # default
        label_map: {}            # default
        palette_masks: auto      # default
        exif: apply              # default
        bands: null              # default
      crop_size:
        - 864                    # configs/_base_/datasets/cityscapes.yaml:5:15 ← configs/table1/pspnet.yaml:5:5 ← configs/table1/gff.yaml:3:9
        - 864                    # configs/_base_/datasets/cityscapes.yaml:5:20 ← configs/table1/pspnet.yaml:5:5 ← configs/table1/gff.yaml:3:9
      train:
        split: train             # configs/_base_/datasets/cityscapes.yaml:7:12 ← configs/table1/pspnet.yaml:5:5 ← configs/table1/gff.yaml:3:9
        transforms:
          - type: random_scale   # configs/_base_/datasets/cityscapes.yaml:9:16 ← configs/table1/pspnet.yaml:5:5 ← configs/table1/gff.yaml:3:9
            range:
              - 0.75             # configs/_base_/datasets/cityscapes.yaml:9:38 ← configs/table1/pspnet.yaml:5:5 ← configs/table1/gff.yaml:3:9
              - 2                # configs/_base_/datasets/cityscapes.yaml:9:44 ← configs/table1/pspnet.yaml:5:5 ← configs/table1/gff.yaml:3:9
          - type: random_crop    # configs/_base_/datasets/cityscapes.yaml:10:16 ← configs/table1/pspnet.yaml:5:5 ← configs/table1/gff.yaml:3:9
            size: null           # default
            cat_max_ratio: 1     # default
          - type: random_flip    # configs/_base_/datasets/cityscapes.yaml:11:16 ← configs/table1/pspnet.yaml:5:5 ← configs/table1/gff.yaml:3:9
            probability: 0.5     # configs/_base_/datasets/cityscapes.yaml:11:42 ← configs/table1/pspnet.yaml:5:5 ← configs/table1/gff.yaml:3:9
          - type: color_jitter   # configs/_base_/datasets/cityscapes.yaml:12:16 ← configs/table1/pspnet.yaml:5:5 ← configs/table1/gff.yaml:3:9
            shift: 10            # configs/_base_/datasets/cityscapes.yaml:12:37 ← configs/table1/pspnet.yaml:5:5 ← configs/table1/gff.yaml:3:9
      val:
        split: val               # configs/_base_/datasets/cityscapes.yaml:13:16 ← configs/table1/pspnet.yaml:5:5 ← configs/table1/gff.yaml:3:9
        transforms: []           # default
      test:
        split: val               # configs/_base_/datasets/cityscapes.yaml:14:17 ← configs/table1/pspnet.yaml:5:5 ← configs/table1/gff.yaml:3:9
        transforms: []           # default
      batch_size: 4              # $BATCH at --set data.batch_size=\${env:BATCH}
      workers: 2                 # default
    optimizer:
      type: sgd                  # configs/_base_/schedules/poly_100k.yaml:3:19 ← configs/table1/pspnet.yaml:6:5 ← configs/table1/gff.yaml:3:9
      lr: 0.02                   # --set optimizer.lr=0.02
      momentum: 0.9              # configs/_base_/schedules/poly_100k.yaml:3:46 ← configs/table1/pspnet.yaml:6:5 ← configs/table1/gff.yaml:3:9
      weight_decay: 0.0001       # configs/_base_/schedules/poly_100k.yaml:3:65 ← configs/table1/pspnet.yaml:6:5 ← configs/table1/gff.yaml:3:9
      accumulate: 1              # default
      clip_norm: null            # default
      paramwise: []              # default
      nesterov: false            # default
      norm_bias_decay: true      # default
    schedule:
      type: poly                 # configs/_base_/schedules/poly_100k.yaml:4:18 ← configs/table1/pspnet.yaml:6:5 ← configs/table1/gff.yaml:3:9
      iterations: 100000         # configs/_base_/schedules/poly_100k.yaml:4:36 ← configs/table1/pspnet.yaml:6:5 ← configs/table1/gff.yaml:3:9
      power: 0.9                 # configs/_base_/schedules/poly_100k.yaml:4:51 ← configs/table1/pspnet.yaml:6:5 ← configs/table1/gff.yaml:3:9
      min_lr: 0                  # configs/_base_/schedules/poly_100k.yaml:4:64 ← configs/table1/pspnet.yaml:6:5 ← configs/table1/gff.yaml:3:9
      warmup:
        iterations: 0            # default
        ratio: 0.1               # default
    evaluation:
      mode: slide                # configs/_base_/datasets/cityscapes.yaml:17:20 ← configs/table1/pspnet.yaml:5:5 ← configs/table1/gff.yaml:3:9
      window: null               # configs/_base_/datasets/cityscapes.yaml:17:35 ← configs/table1/pspnet.yaml:5:5 ← configs/table1/gff.yaml:3:9
      stride:
        - 576                    # default
        - 576                    # default
      interval: 5000             # configs/_base_/runtime/default.yaml:5:24 ← configs/table1/pspnet.yaml:7:5 ← configs/table1/gff.yaml:3:9
      scales:
        - 1                      # default
      flip: false                # default
      metrics:
        - mIoU                   # default
        - mAcc                   # default
        - aAcc                   # default
      loss: true                 # default
    checkpoint:
      interval: 5000             # configs/_base_/runtime/default.yaml:6:24 ← configs/table1/pspnet.yaml:7:5 ← configs/table1/gff.yaml:3:9
      keep_last: 3               # configs/_base_/runtime/default.yaml:6:41 ← configs/table1/pspnet.yaml:7:5 ← configs/table1/gff.yaml:3:9
      best: mIoU                 # configs/_base_/runtime/default.yaml:6:50 ← configs/table1/pspnet.yaml:7:5 ← configs/table1/gff.yaml:3:9
      keep_every: null           # default
    log:
      interval: 50               # configs/_base_/runtime/default.yaml:7:17 ← configs/table1/pspnet.yaml:7:5 ← configs/table1/gff.yaml:3:9
      tensorboard: false         # default
    hooks: []                    # default
    "
  `);
  const files = new Files({ "again.yaml": stdout });
  const again = await files.load("again.yaml", { env });
  expect(again.config).toMatchObject({
    name: "table1_gff",
    optimizer: { lr: 0.02 },
    data: { batch_size: 4 },
  });
  const text = stringifyWithOrigins(again);
  expect(text.replaceAll(/ +#.*/g, "")).toBe(stdout.replaceAll(/ +#.*/g, ""));
});

it("shows the keys in which two configs differ", async () => {
  const { code, stdout } = await segfuse(
    ["config", "configs/table1/pspnet.yaml", "--diff", "configs/table2/gff_dfp_ms.yaml"],
    { env },
  );
  expect(code).toBe(0);
  expect(stdout).toMatchInlineSnapshot(`
    "evaluation.scales
      - [1]  # default
      + [0.75,1,1.25,1.5,1.75]  # configs/table2/gff_dfp_ms.yaml:5:22
    model.head.block
      + "bottleneck"  # default
    model.head.dense_channels
      + 128  # configs/table2/gff_dfp.yaml:9:21 ← configs/table2/gff_dfp_ms.yaml:3:9
    model.head.dense_context
      + true  # default
    model.head.dense_size
      + "level"  # default
    model.head.type
      - "ppm"  # configs/_base_/models/pspnet_r101.yaml:7:11 ← configs/table1/pspnet.yaml:4:5
      + "dfp"  # configs/table2/gff_dfp.yaml:7:11 ← configs/table2/gff_dfp_ms.yaml:3:9
    model.neck.channels
      + 256  # configs/table1/gff.yaml:5:37 ← configs/table2/gff_dfp.yaml:3:9 ← configs/table2/gff_dfp_ms.yaml:3:9
    model.neck.gate_channels
      + 1  # default
    model.neck.gate_input
      + "reduced"  # default
    model.neck.refine_convs
      + 2  # configs/table1/gff.yaml:5:56 ← configs/table2/gff_dfp.yaml:3:9 ← configs/table2/gff_dfp_ms.yaml:3:9
    model.neck.type
      - "none"  # configs/_base_/models/pspnet_r101.yaml:5:16 ← configs/table1/pspnet.yaml:4:5
      + "gff"  # configs/table1/gff.yaml:5:22 ← configs/table2/gff_dfp.yaml:3:9 ← configs/table2/gff_dfp_ms.yaml:3:9
    name
      - "table1_pspnet"  # default
      + "table2_gff_dfp_ms"  # default
    "
  `);
});
