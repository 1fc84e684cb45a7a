import { expect, it } from "vitest";
import { createRegistry } from "../../src/builtin.ts";
import { checkRowWeights } from "../../src/runners/study_weights.ts";
import { Files, small } from "../config/files.ts";

it("a row that cannot take another row's weights is told of before anything is trained", async () => {
  const files = new Files({
    "small.yaml": small,
    "more_classes.yaml": "_base_: small.yaml\ndata: {dataset: {classes: [a, b, c]}}\n",
    "wide.yaml": "_base_: small.yaml\nmodel: {backbone: {base_channels: 32}}\n",
    "gff.yaml": "_base_: small.yaml\nmodel: {neck: {type: gff}, auxiliary_head: {type: fcn}}\n",
    "fresh.yaml": "_base_: wide.yaml\nallow_fresh: ['*']\n",
  });
  const mobile =
    "backbone: {type: mobilenet_v2, output_stride: 8}, head: {type: ppm, context: {type: ppm, channels: 8, bins: [1]}}";
  files.write("mobile.yaml", `_base_: small.yaml\nallow_fresh: ['*']\nmin_loaded: 0.1\nmodel: {${mobile}}\n`);
  files.write("most.yaml", "_base_: gff.yaml\nmin_loaded: 0.9\n");
  const check = async (config: string, key: string) => {
    const rows = `[{name: a, config: small.yaml}, {name: b, config: ${config}.yaml, ${key}: a}]`;
    files.write("study.yaml", `title: T\nrows: ${rows}\n`);
    await checkRowWeights(await files.study("study.yaml"), createRegistry());
  };
  expect(await files.report(check("more_classes", "weights_from"))).toMatchInlineSnapshot(`
    "SEGFUSE_STUDY_WEIGHTS: the row 'b' cannot take the weights of 'a'
      at: ROOT/study.yaml
      expected: a network whose weights have the same shapes
      found: head.classifier.weight is [1,1,512,2] and should be [1,1,512,3], head.classifier.bias is [2] and should be [3]
      try: the same model and classes in both configs"
  `);
  expect(await files.report(check("gff", "weights_from"))).toMatchInlineSnapshot(`
    "SEGFUSE_STUDY_WEIGHTS: the row 'b' cannot take the weights of 'a'
      at: ROOT/study.yaml
      expected: a network whose weights have the same shapes
      found: neck.reduce.0.conv.weight is not there and should be [1,1,64,256], neck.reduce.0.bn.weight is not there and should be [256], neck.reduce.0.bn.bias is not there and should be [256], and 66 more
      try: the same model and classes in both configs"
  `);
  expect(await files.report(check("wide", "init_from"))).toMatchInlineSnapshot(`
    "SEGFUSE_STUDY_WEIGHTS: the row 'b' cannot take the weights of 'a'
      at: ROOT/study.yaml
      expected: a network whose weights have the same shapes
      found: backbone.stem.0.weight is [3,3,3,32] and should be [3,3,3,16], backbone.stem.1.weight is [32] and should be [16], backbone.stem.1.bias is [32] and should be [16], and 112 more
      try: the same model in both configs, or allow_fresh with patterns of what may start fresh"
  `);
  await check("small", "weights_from");
  await check("more_classes", "init_from");
  await check("gff", "init_from");
  await check("fresh", "init_from");
  expect(await files.report(check("mobile", "init_from"))).toMatchInlineSnapshot(`
    "SEGFUSE_STUDY_WEIGHTS: the row 'b' would take too little of 'a'
      at: ROOT/study.yaml
      expected: at least 27 of 267 tensors: backbone.features.0.0.weight, backbone.features.0.1.weight, backbone.features.0.1.bias, … (267 in all)
      found: 1; the row 'a' has 137: backbone.stem.0.weight, backbone.stem.1.weight, backbone.stem.1.bias, … (137 in all)
      try: another row, the same backbone in both configs, or a smaller min_loaded"
  `);
  expect(await files.report(check("most", "init_from"))).toMatchInlineSnapshot(`
    "SEGFUSE_STUDY_WEIGHTS: the row 'b' would take too little of 'a'
      at: ROOT/study.yaml
      expected: at least 191 of 212 tensors: backbone.stem.0.weight, backbone.stem.1.weight, backbone.stem.1.bias, … (212 in all)
      found: 136; the row 'a' has 137: backbone.stem.0.weight, backbone.stem.1.weight, backbone.stem.1.bias, … (137 in all)
      try: another row, the same backbone in both configs, or a smaller min_loaded"
  `);
});
