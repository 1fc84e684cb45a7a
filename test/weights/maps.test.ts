import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SegfuseError } from "../../src/errors.ts";
import mobilenetV2 from "../../src/models/backbones/mobilenet_v2.ts";
import resnet from "../../src/models/backbones/resnet.ts";
import { NetworkContext } from "../../src/nn/index.ts";
import type { BackboneRecord } from "../../src/models/backbones/contracts.ts";
import { convertWeights, describeConversion } from "../../src/weights/convert.ts";
import { fileShape } from "../../src/weights/layout.ts";
import mmseg from "../../src/weights/maps/mmseg.ts";
import torchvision from "../../src/weights/maps/torchvision.ts";
import { readSafetensors, writeSafetensors, type StoredTensor } from "../../src/weights/safetensors.ts";
import { withDefaults } from "../models/backbones/defaults.ts";

// Only torchvision's models are used, and none of the compiled operations that its wheel brings.
const script = `
import json, torch
library = torch.library.Library("torchvision", "DEF")
library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
from torchvision import models
names = ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "mobilenet_v2"]
with torch.device("meta"):
    print(json.dumps({n: {k: list(v.shape) for k, v in getattr(models, n)().state_dict().items()} for n in names}))`;
const { status, stdout } = spawnSync("python3", ["-c", script], { encoding: "utf8" });
if (status !== 0) process.stderr.write("skipped: python3 with torchvision is not there\n");
const nets = (status === 0 ? JSON.parse(stdout) : {}) as Record<string, Record<string, number[]>>;

describe
  .skipIf(status !== 0)
  .each(["resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "mobilenet_v2"])(
  "torchvision's %s",
  (net) => {
    it("has just our backbone's names and shapes, and a classifier that is dropped", () => {
      const record: BackboneRecord = net === "mobilenet_v2" ? mobilenetV2 : resnet;
      const options = net === "mobilenet_v2" ? {} : { depth: Number(net.slice(6)), stem: "v1" };
      const context = new NetworkContext({ alignCorners: false });
      const backbone = record.create(withDefaults(record, options), { inChannels: 3 }, context);
      const ours = new Map(
        [...backbone.namedParameters()].map(([name, { layout, shape }]) => [
          `backbone.${name}`,
          fileShape(layout, shape),
        ]),
      );
      const map = torchvision.create({});
      const dropped: string[] = [];
      for (const [name, shape] of Object.entries(nets[net]!)) {
        const translated = map.toOurs(name);
        if (translated === null) {
          dropped.push(name);
          continue;
        }
        expect(translated, name).toBeDefined();
        expect(map.toTheirs(translated!)).toBe(name);
        if (name.endsWith("num_batches_tracked")) continue;
        expect(ours.get(translated!), name).toEqual(shape);
        ours.delete(translated!);
      }
      expect([...ours.keys()]).toEqual([]);
      const groups = [...new Set(dropped.map((name) => name.replace(/\.[^.]*$/, "")))];
      expect(groups).toEqual(
        net === "mobilenet_v2" ? ["features.18.0", "features.18.1", "classifier.1"] : ["fc"],
      );
    });
  },
);

describe("convertWeights", () => {
  let folder: string;
  beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "segfuse-convert-"))));
  afterAll(() => rmSync(folder, { recursive: true }));

  const one: StoredTensor = { shape: [1], data: Float32Array.of(1) };
  const maps = { torchvision: torchvision.create({}), mmseg: mmseg.create({}) };

  async function convert(
    names: readonly string[],
    type: keyof typeof maps,
    reverse = false,
  ): Promise<string> {
    const [from, to] = [join(folder, "from.safetensors"), join(folder, "to.safetensors")];
    await writeSafetensors(from, new Map(names.map((name) => [name, one])));
    try {
      const result = await convertWeights({ from, to, map: { type, names: maps[type] }, reverse });
      return `${[...(await readSafetensors(to)).tensors.keys()].join(" ")}: ${describeConversion(result)}`;
    } catch (error) {
      if (error instanceof SegfuseError) return error.report().replaceAll(folder, "FOLDER");
      throw error;
    }
  }

  it("names what it dropped, and refuses a map that does not fit", async () => {
    const told = [
      await convert(["conv1.weight", "bn1.running_var", "fc.weight", "fc.bias", "odd"], "torchvision"),
      await convert(["backbone.conv1.weight", "head.classifier.weight"], "torchvision", true),
      await convert(["encoder.conv1.weight"], "torchvision"),
      await convert(["features.0.weight", "features.2.weight", "classifier.0.weight"], "torchvision"),
      await convert(["decode_head.conv_seg.bias", "auxiliary_head.1.conv_seg.bias"], "mmseg"),
      await convert(["backbone.bn1.weight", "head.classifier.weight"], "mmseg"),
      await convert(["backbone.bn1.weight", "decode_head.conv_seg.weight"], "mmseg", true),
      await convert([], "mmseg"),
    ];
    expect(told.join("\n")).toMatchInlineSnapshot(`
      "backbone.bn1.running_var backbone.conv1.weight: 2 tensors, 2 dropped (fc.bias, fc.weight), 1 unknown to the map and left out (odd)
      conv1.weight: 1 tensors, 1 dropped (head.classifier.weight)
      SEGFUSE_NAME_MAP: the name map does not fit the weights
        at: FOLDER/from.safetensors
        expected: names of torchvision
        found: encoder.conv1.weight
        try: another --map (segfuse list name_map)
      SEGFUSE_NAME_MAP: the name map does not fit the weights
        at: FOLDER/from.safetensors
        expected: names of torchvision
        found: features.0.weight, features.2.weight
        try: another --map (segfuse list name_map)
      auxiliary_head.1.classifier.bias head.classifier.bias: 2 tensors
      SEGFUSE_NAME_MAP: the name map does not fit the weights
        at: FOLDER/from.safetensors
        expected: names of mmseg
        found: head.classifier.weight
        try: with --reverse: the file has names of segfuse
      SEGFUSE_NAME_MAP: the name map does not fit the weights
        at: FOLDER/from.safetensors
        expected: names of segfuse that mmseg has as well
        found: decode_head.conv_seg.weight
        try: without --reverse: the file has names of mmseg
      SEGFUSE_NAME_MAP: the name map does not fit the weights
        at: FOLDER/from.safetensors
        expected: names of mmseg
        found: no tensors
        try: another --map (segfuse list name_map)"
    `);
  });

  it("writes safetensors alone", async () => {
    const inputs = { from: join(folder, "from.safetensors"), to: join(folder, "to.pth") };
    await expect(convertWeights(inputs)).rejects.toMatchObject({ code: "SEGFUSE_CONVERT_OUT" });
  });

  it.skipIf(status !== 0)("rounds to F16 as PyTorch does, and refuses what becomes infinite", async () => {
    const [from, to] = [join(folder, "wide.safetensors"), join(folder, "half.safetensors")];
    const make = `
import sys, torch
from safetensors.torch import save_file
g = torch.Generator().manual_seed(0)
every = torch.arange(65536, dtype=torch.int32).to(torch.int16).view(torch.float16).float()
bits = torch.randint(0, 0x47800000, (200000,), generator=g, dtype=torch.int32)
near = torch.cat([(every.view(torch.int32) + d).view(torch.float32) for d in (-1, 1, 0xfff, 0x1000, 0x1001)])
x = torch.cat([every, bits.view(torch.float32), -bits.view(torch.float32), near])
x = x[(x.half().isinf() == x.isinf()) & ~x.isnan()]
save_file({"x": x, "double": x.double(), "bf": x.bfloat16()[:5], "i": torch.tensor([2**40])}, sys.argv[1])`;
    execFileSync("python3", ["-c", make, from]);
    await convertWeights({ from, to, dtype: "F16" });
    const check = `
import sys, torch
from safetensors.torch import load_file
a, b = load_file(sys.argv[1]), load_file(sys.argv[2])
for n in ("x", "double", "bf"): print(n, b[n].dtype, torch.equal(a[n].half().view(torch.int16), b[n].view(torch.int16)))
print(b["i"].dtype, b["i"].item() == 2**40)`;
    expect(execFileSync("python3", ["-c", check, from, to], { encoding: "utf8" })).toMatchInlineSnapshot(`
      "x torch.float16 True
      double torch.float16 True
      bf torch.float16 True
      torch.int64 True
      "
    `);
    await writeSafetensors(from, { x: { shape: [2], data: Float32Array.of(1, -65520) } });
    await expect(convertWeights({ from, to, dtype: "F16" })).rejects.toMatchObject({
      code: "SEGFUSE_WEIGHTS_DTYPE",
      details: { found: "-65520" },
    });
  });
});
