import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SegfuseError } from "../../src/errors.ts";
import { BatchNorm2d, Conv2d, Module, NetworkContext } from "../../src/nn/index.ts";
import { convertWeights, describeConversion } from "../../src/weights/convert.ts";
import { loadWeights, storedTensors, type LoadOptions } from "../../src/weights/load.ts";
import torchvision from "../../src/weights/maps/torchvision.ts";
import { readSafetensors, writeSafetensors } from "../../src/weights/safetensors.ts";
import { useEngine } from "../helpers/engine.ts";
import { fixturePath } from "../helpers/fixtures.ts";

// Files that PyTorch, mmengine and Lightning wrote (test/fixtures/make_checkpoints.py): in each, value j of tensor i
// of the network is i + j, and 100 + i + j in moving averages.

class Backbone extends Module {
  readonly conv1 = new Conv2d({ in: 2, out: 3, kernel: 1, bias: false });
  readonly bn1 = new BatchNorm2d(3, new NetworkContext({ alignCorners: false }));
}

class Head extends Module {
  readonly classifier = new Conv2d({ in: 3, out: 2, kernel: 1, bias: true });
}

class Net extends Module {
  readonly backbone = new Backbone();
  readonly head = new Head();
}

/** First value by name: the tensor's place in PyTorch's state dict, in which `num_batches_tracked` is the sixth. */
const values = {
  "backbone.conv1.weight": 0,
  "backbone.bn1.weight": 1,
  "backbone.bn1.bias": 2,
  "backbone.bn1.running_mean": 3,
  "backbone.bn1.running_var": 4,
  "head.classifier.weight": 6,
  "head.classifier.bias": 7,
};

let folder: string;
beforeAll(async () => {
  await useEngine();
  folder = mkdtempSync(join(tmpdir(), "segfuse-checkpoints-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const checkpoint = (name: string) => fixturePath(`checkpoints/${name}`);

/** Loads a file and checks every value; gives what is told of it. */
async function load(name: string, { start = 0, ...options }: LoadOptions & { start?: number } = {}) {
  const net = new Net();
  const part = options.prefix === "backbone" ? net.backbone : net;
  const { notes, loaded, unused } = await loadWeights(part, checkpoint(name), options);
  expect(loaded.length, name).toBe(part === net ? 7 : 5);
  for (const [parameter, { shape, data }] of await storedTensors(part.namedParameters())) {
    const full = part === net ? parameter : `backbone.${parameter}`;
    const first = values[full as keyof typeof values] + start;
    const expected = Float32Array.from(data, (_, j) => first + j);
    expect(data, `${name}: ${full} ${shape.join("×")}`).toEqual(expected);
  }
  net.dispose();
  return { notes, unused };
}

async function complaint(name: string, options: LoadOptions = {}): Promise<string> {
  const net = new Net();
  const part = options.prefix === "backbone" ? net.backbone : net;
  try {
    await loadWeights(part, checkpoint(name), options);
  } catch (error) {
    expect([...net.namedParameters()].some(([, parameter]) => parameter.isMaterialised)).toBe(false);
    if (error instanceof SegfuseError)
      return error.report().replaceAll(checkpoint(""), "").replaceAll(folder, "FOLDER");
    throw error;
  }
  throw new Error(`${name} was read`);
}

describe("checkpoints of training code", () => {
  it.each(["mmengine.pth", "mmengine.legacy.pth"])(
    "%s gives its weights, or the moving average",
    async (name) => {
      expect((await load(name)).notes).toEqual([
        "the state dict state_dict (8 tensors) is taken; the file has others, by key: ema_state_dict (9 tensors)",
        "objects in the file that weights do not need are left as names: mmengine.logging.history_buffer.HistoryBuffer, " +
          "numpy._core.multiarray._reconstruct, numpy.ndarray, builtins.getattr",
      ]);
      const average = await load(name, { key: "ema_state_dict", start: 100, complete: true });
      expect(average.unused).toEqual(["n_averaged"]);
      expect(average.notes[0]).toContain("ema_state_dict (9 tensors) is taken");
    },
  );

  it.each(["torchvision.pth", "torchvision.legacy.pth"])("%s does so too", async (name) => {
    expect((await load(name)).notes).toEqual([
      "the state dict model (8 tensors) is taken; the file has others, by key: model_ema (9 tensors)",
      "objects in the file that weights do not need are left as names: argparse.Namespace",
    ]);
    await load(name, { key: "model_ema", start: 100, complete: true });
  });

  it("Lightning's, in which the network is an attribute of the module", async () => {
    expect(await load("lightning.ckpt", { complete: true })).toEqual({
      notes: [
        "objects in the file that weights do not need are left as names: pathlib.PosixPath",
        'its names are read without "model." before them',
      ],
      unused: ["criterion.weight"],
    });
  });

  it.each([
    ["compiled_parallel.pth", ""],
    ["parallel_compiled.pth", ""],
    ["compiled_part.pth", ""],
    ["averaged.pth", ""],
    ["nested.pth", "net.model."],
    ["fabric.pth", "model."],
  ])("%s, of a network in wrappers", async (name, prefix) => {
    const told = prefix === "" ? [] : [`its names are read without "${prefix}" before them`];
    expect((await load(name, { complete: true })).notes).toEqual(told);
    await load(name, { prefix: "backbone", complete: true });
  });

  it("a backbone's, with its prefix, without it, and in a wrapper", async () => {
    for (const name of ["backbone.pth", "backbone_in_wrapper.pth", "mmengine.pth", "lightning.ckpt"]) {
      await load(name, { prefix: "backbone", complete: true });
    }
  });

  it("safetensors of a network in wrappers", async () => {
    const from = checkpoint("nested.pth");
    const to = join(folder, "nested.safetensors");
    await convertWeights({ from, to });
    expect((await readSafetensors(to)).tensors.has("net.model.module.head.classifier.bias")).toBe(true);
    const net = new Net();
    expect((await loadWeights(net, to, { complete: true })).loaded.length).toBe(7);
    expect((await loadWeights(net, to, { key: "net.model" })).notes).toEqual([]);
    await expect(loadWeights(net, to, { key: "nets" })).rejects.toMatchObject({
      code: "SEGFUSE_WEIGHTS_KEY",
    });
    net.dispose();
  });

  it("several networks: the one that fits, or the one that is asked for", async () => {
    await load("gan.pth");
    await load("gan.pth", { key: "generator" });
    await load("unusual_key.pth");
    await load("segmentor.pth", { key: "segmentor", complete: true });
    await load("student_teacher.pth", { key: "student" });
    await load("student_teacher.pth", { key: "state_dict.teacher", start: 100 });
    await load("two_parts.pth", { key: "net", start: 100 });
    const told = [
      await complaint("gan.pth", { key: "critic" }),
      await complaint("gan.pth", { key: "discriminator" }),
      await complaint("two_parts.pth"),
      await complaint("student_teacher.pth"),
    ];
    expect(told.join("\n")).toMatchInlineSnapshot(`
      "SEGFUSE_WEIGHTS_KEY: a file has no such state dict
        at: gan.pth
        expected: one of generator (8 tensors), discriminator (1 tensors)
        found: critic
        try: --key KEY; in a config init_key, or pretrained_key of the backbone
      SEGFUSE_WEIGHTS_FIT: nothing of a weight file fits the network
        at: gan.pth
        expected: 7 tensors: backbone.conv1.weight, backbone.bn1.weight, backbone.bn1.bias, backbone.bn1.running_mean, … (7 in all)
        found: 0 of them; the file has 1: w
        try: no key: of all state dicts in the file the one is taken that fits
      SEGFUSE_WEIGHTS_KEY: several parts of a weight file fit the network
        at: two_parts.pth
        expected: one of model, net
        try: --key KEY; in a config init_key, or pretrained_key of the backbone
      SEGFUSE_WEIGHTS_FIT: nothing of a weight file fits the network
        at: student_teacher.pth
        expected: 7 tensors: backbone.conv1.weight, backbone.bn1.weight, backbone.bn1.bias, backbone.bn1.running_mean, … (7 in all)
        found: 0 of them; the file has 14: student.backbone.conv1.weight, student.backbone.bn1.weight, student.backbone.bn1.bias, student.backbone.bn1.running_mean, … (14 in all)
        try: --key student or --key teacher (init_key, pretrained_key): the names fit after it"
    `);
  });

  it("whole modules need code: what to save instead is told", async () => {
    await load("module_beside.legacy.pth");
    const told = [
      await complaint("module.pth"),
      await complaint("module_in_dict.pth"),
      await complaint("module_in_dict.legacy.pth"),
      await complaint("arrays.pth"),
    ];
    expect(told.join("\n")).toMatchInlineSnapshot(`
      "SEGFUSE_WEIGHTS_GLOBAL: a PyTorch file needs code, and none of it is run
        at: module.pth
        expected: tensors, containers, numbers and text
        found: the name models.net.Net
        try: in PyTorch: torch.save(model.state_dict(), …), plain tensors without the objects around them
      SEGFUSE_WEIGHTS_GLOBAL: a PyTorch file needs code, and none of it is run
        at: module_in_dict.pth
        expected: tensors, containers, numbers and text
        found: no tensors but objects: model is models.net.Net
        try: in PyTorch: torch.save(model.state_dict(), …), plain tensors without the objects around them
      SEGFUSE_WEIGHTS_GLOBAL: a PyTorch file needs code, and none of it is run
        at: module_in_dict.legacy.pth
        expected: tensors, containers, numbers and text
        found: no tensors but objects: model is models.net.Net
        try: in PyTorch: torch.save(model.state_dict(), …), plain tensors without the objects around them
      SEGFUSE_WEIGHTS_GLOBAL: a PyTorch file needs code, and none of it is run
        at: arrays.pth
        expected: tensors, containers, numbers and text
        found: no tensors but objects: state_dict.backbone.conv1.weight is numpy._core.multiarray._reconstruct, state_dict.backbone.bn1.weight is numpy._core.multiarray._reconstruct, state_dict.backbone.bn1.bias is numpy._core.multiarray._reconstruct, state_dict.backbone.bn1.running_mean is numpy._core.multiarray._reconstruct, … (8 in all)
        try: in PyTorch: torch.save(model.state_dict(), …), plain tensors without the objects around them"
    `);
  });

  it("quantised, sparse and complex tensors are an error where they are due, and only there", async () => {
    const { unused } = await load("odd_beside.pth");
    expect(unused).toEqual(["quantised", "sparse", "complex", "float8", "meta", "array"]);
    await load("odd_beside.legacy.pth");
    expect(await complaint("odd_in_place.pth")).toMatchInlineSnapshot(`
      "SEGFUSE_WEIGHTS_GLOBAL: a PyTorch file needs code, and none of it is run
        at: odd_in_place.pth
        expected: tensors, containers, numbers and text
        found: head.classifier.bias is torch._utils._rebuild_qtensor
        try: in PyTorch: torch.save(model.state_dict(), …), plain tensors without the objects around them"
    `);
    // as fresh weights they may be passed over
    const net = new Net();
    const options = { allowFresh: ["head.classifier.bias"] };
    expect((await loadWeights(net, checkpoint("odd_in_place.pth"), options)).fresh).toEqual(
      options.allowFresh,
    );
    net.dispose();
    const to = join(folder, "odd.safetensors");
    await expect(convertWeights({ from: checkpoint("odd_beside.pth"), to })).rejects.toMatchObject({
      code: "SEGFUSE_WEIGHTS_GLOBAL",
      details: { found: "quantised is torch._utils._rebuild_qtensor" },
    });
    expect(existsSync(to)).toBe(false);
  });
});

describe("files whose pickles call functions", () => {
  it.each(["hostile.pth", "hostile.protocol4.pth", "hostile.legacy.pth"])("%s runs none", async (name) => {
    const { notes } = await load(name);
    expect(notes.join().replace("commands.Popen", "subprocess.Popen")).toBe(
      "objects in the file that weights do not need are left as names: posix.mkdir, posix.system, builtins.eval, " +
        "subprocess.Popen, builtins.getattr, builtins.__import__, … (7 in all)",
    );
    expect(existsSync("segfuse_pickle_was_run")).toBe(false);
  });

  it("are refused where a weight is due", async () => {
    expect(await complaint("hostile_in_place.pth")).toMatchInlineSnapshot(`
      "SEGFUSE_WEIGHTS_GLOBAL: a PyTorch file needs code, and none of it is run
        at: hostile_in_place.pth
        expected: tensors, containers, numbers and text
        found: head.classifier.bias is posix.mkdir
        try: in PyTorch: torch.save(model.state_dict(), …), plain tensors without the objects around them"
    `);
    expect(existsSync("segfuse_pickle_was_run")).toBe(false);
  });
});

describe("weights of which nothing fits", () => {
  it("are an error with the names of both sides, and what to do", async () => {
    const other = { shape: [1], data: Float32Array.of(1) };
    const mmseg = join(folder, "mmseg.safetensors");
    await writeSafetensors(mmseg, {
      "decode_head.conv_seg.bias": other,
      "decode_head.conv_seg.weight": other,
    });
    const map = await loadWeights(new Net(), mmseg).catch((error: SegfuseError) => error.report());
    const told = [
      await complaint("backbone.pth"),
      await complaint("gan.pth", { prefix: "backbone", key: "discriminator" }),
      (map as string).replaceAll(folder, "FOLDER"),
      await complaint("backbone_in_wrapper.pth", { minLoaded: 0.9 }),
    ];
    expect(told.join("\n")).toMatchInlineSnapshot(`
      "SEGFUSE_WEIGHTS_FIT: nothing of a weight file fits the network
        at: backbone.pth
        expected: 7 tensors: backbone.conv1.weight, backbone.bn1.weight, backbone.bn1.bias, backbone.bn1.running_mean, … (7 in all)
        found: 0 of them; the file has 5: conv1.weight, bn1.weight, bn1.bias, bn1.running_mean, … (5 in all)
        try: model.backbone.pretrained: these are the names of a backbone alone
      SEGFUSE_WEIGHTS_FIT: nothing of a weight file fits the network
        at: gan.pth
        expected: 5 tensors: conv1.weight, bn1.weight, bn1.bias, bn1.running_mean, … (5 in all)
        found: 0 of them; the file has 1: w
        try: no key: of all state dicts in the file the one is taken that fits
      SEGFUSE_WEIGHTS_FIT: nothing of a weight file fits the network
        at: FOLDER/mmseg.safetensors
        expected: 7 tensors: backbone.conv1.weight, backbone.bn1.weight, backbone.bn1.bias, backbone.bn1.running_mean, … (7 in all)
        found: 0 of them; the file has 2: decode_head.conv_seg.bias, decode_head.conv_seg.weight
        try: segfuse convert FOLDER/mmseg.safetensors OUT.safetensors --map mmseg, and OUT here
      SEGFUSE_WEIGHTS_FIT: too little of a weight file fits the network
        at: backbone_in_wrapper.pth
        expected: at least 7 of 7 tensors: backbone.conv1.weight, backbone.bn1.weight, backbone.bn1.bias, backbone.bn1.running_mean, … (7 in all)
        found: 5 of them; the file has 5: backbone.conv1.weight, backbone.bn1.weight, backbone.bn1.bias, backbone.bn1.running_mean, … (5 in all)
        try: min_loaded below 0.71 (now 0.9), or other weights"
    `);
  });

  it("as are weights of which everything that fits may stay fresh", async () => {
    const net = new Net();
    const path = join(folder, "small.safetensors");
    await writeSafetensors(path, { "head.classifier.bias": { shape: [5], data: new Float32Array(5) } });
    const allowFresh = ["head.classifier.*"];
    await expect(loadWeights(net, path, { allowFresh })).rejects.toMatchObject({
      code: "SEGFUSE_WEIGHTS_FIT",
    });
  });

  it("but a share is enough where it is asked for", async () => {
    const net = new Net();
    const report = await loadWeights(net, checkpoint("backbone_in_wrapper.pth"), { minLoaded: 5 / 7 });
    expect(report.fresh).toEqual(["head.classifier.weight", "head.classifier.bias"]);
    net.dispose();
  });
});

describe("convert", () => {
  const to = () => join(folder, "converted.safetensors");

  it("takes the state dict that is asked for, or that fits the map", async () => {
    const run = async (name: string, more: { key?: string; map?: boolean } = {}) => {
      const map = more.map === true ? { type: "torchvision", names: torchvision.create({}) } : undefined;
      const result = await convertWeights({ from: checkpoint(name), to: to(), key: more.key, map });
      const names = [...(await readSafetensors(to())).tensors.keys()];
      return [describeConversion(result), ...result.notes, names[0]].join("\n  ");
    };
    const told = [
      await run("mmengine.pth", { key: "ema_state_dict" }),
      await run("lightning.ckpt", { map: true }),
      await run("backbone.pth", { map: true }),
      await run("two_parts.pth", { key: "net" }),
      await run("gan.pth").catch((error: SegfuseError) => error.code),
      await run("two_parts.pth", { map: true }).catch((error: SegfuseError) => error.code),
    ];
    expect(told.join("\n")).toMatchInlineSnapshot(`
      "9 tensors
        the state dict ema_state_dict (9 tensors) is taken; the file has others, by key: state_dict (8 tensors)
        objects in the file that weights do not need are left as names: mmengine.logging.history_buffer.HistoryBuffer, numpy._core.multiarray._reconstruct, numpy.ndarray, builtins.getattr
        module.backbone.bn1.num_batches_tracked
      6 tensors, 3 unknown to the map and left out (model.head.classifier.weight, model.head.classifier.bias, criterion.weight)
        objects in the file that weights do not need are left as names: pathlib.PosixPath
        its names are read without "model.backbone." before them
        backbone.bn1.num_batches_tracked
      6 tensors
        backbone.bn1.num_batches_tracked
      8 tensors
        the state dict net (8 tensors) is taken; the file has others, by key: state_dict (16 tensors)
        backbone.bn1.num_batches_tracked
      SEGFUSE_WEIGHTS_KEY
      SEGFUSE_WEIGHTS_KEY"
    `);
  });
});

it("what is downloaded in a weight file's place is told", async () => {
  const told: string[] = [];
  for (const [name, text] of [
    ["pointer.pth", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"],
    ["page.safetensors", "\n<!DOCTYPE html><html></html>"],
  ] as const) {
    writeFileSync(join(folder, name), text);
    const error = await loadWeights(new Net(), join(folder, name)).catch((cause: SegfuseError) => cause);
    told.push((error as SegfuseError).report().replaceAll(folder, "FOLDER"));
  }
  expect(told.join("\n")).toMatchInlineSnapshot(`
    "SEGFUSE_WEIGHTS_FILE: this is no weight file
      at: FOLDER/pointer.pth
      found: a Git LFS pointer
      try: git lfs pull: it fetches the file itself
    SEGFUSE_WEIGHTS_FILE: this is no weight file
      at: FOLDER/page.safetensors
      found: a web page
      try: look at it in a browser: it may say why the download failed"
  `);
});
