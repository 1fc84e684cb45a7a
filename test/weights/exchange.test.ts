import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SegfuseError } from "../../src/errors.ts";
import { writeInitialWeights } from "../../src/runners/init.ts";
import { networkFor } from "../../src/runners/network.ts";
import { loadWeights } from "../../src/weights/load.ts";
import { readSafetensors } from "../../src/weights/safetensors.ts";
import { segfuse } from "../helpers/cli.ts";
import { useEngine } from "../helpers/engine.ts";
import { relativeToLargest } from "../helpers/fixtures.ts";
import { MemoryLogger, TinyRun } from "../helpers/tiny_run.ts";

const hasPython = spawnSync("python3", ["-c", "import torch, safetensors.torch, PIL, numpy"]).status === 0;
if (!hasPython)
  process.stderr.write("skipped: python3 with torch, safetensors, numpy and pillow is not there\n");

const script = fileURLToPath(new URL("exchange.py", import.meta.url));

// No number here is compared with our own: PyTorch computes the logits, with a network of its own.
describe.skipIf(!hasPython)("weights that go to PyTorch and come back", () => {
  const model = ["model.neck.type=none", "model.backbone.stem=v1c"];
  const info = { classes: ["a", "b", "c"], palette: [], ignoreIndex: 255 };
  let run: TinyRun;
  let network: string[];
  beforeAll(async () => {
    run = new TinyRun();
    network = [run.config, ...model.flatMap((setting) => ["--set", setting])];
    await useEngine();
    const loaded = await run.load(...model);
    const { registry } = run;
    const half = { out: run.path("init_f16.safetensors"), dtype: "F16" } as const;
    await writeInitialWeights({ loaded, registry, logger: new MemoryLogger(), ...half });
    await cli("init", ...network, "--out", run.path("init.safetensors"));
    python("make");
  });
  afterAll(() => run.remove());

  const python = (action: string) =>
    execFileSync("python3", [script, action, run.folder], { encoding: "utf8" });

  async function cli(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await segfuse(args);
    expect(code, stderr).toBe(0);
    return stdout.replaceAll(run.folder, "FOLDER");
  }

  const tensor = async (file: string, name: string) =>
    (await readSafetensors(run.path(file))).tensors.get(name)!;

  /** Our logits with these weights against PyTorch's, as a share of the largest. */
  async function logitsError(weights: string, expected: string): Promise<number> {
    const segmentor = networkFor((await run.load(...model)).config, info, run.registry);
    const report = await loadWeights(segmentor, run.path(weights), { complete: true });
    expect(report.unused).toEqual([]);
    segmentor.context.training = false;
    const { shape, data } = await tensor("input.safetensors", "image");
    const logits = tf.tidy(() => {
      const image = tf.tensor4d(data as Float32Array, shape as [number, number, number, number]);
      return segmentor.forward(image).dataSync();
    });
    segmentor.dispose();
    return relativeToLargest(logits, (await tensor(expected, "logits")).data);
  }

  it("give the same logits on both sides: fresh, changed, and from both of PyTorch's formats", async () => {
    expect(await logitsError("init.safetensors", "init_logits.safetensors")).toBeLessThan(1e-4);
    expect(await logitsError("changed.pth", "changed_logits.safetensors")).toBeLessThan(1e-4);
    expect(await logitsError("changed_legacy.pt", "changed_logits.safetensors")).toBeLessThan(1e-4);
  });

  it("are predicted with from the command line", async () => {
    const [config, ...set] = network;
    const out = ["--out", run.path("predicted"), "--logits", run.path("logits.safetensors")];
    await cli("predict", config!, run.path("changed.pth"), run.path("image.png"), ...out, ...set);
    const [ours, theirs] = [
      await tensor("logits.safetensors", "logits"),
      await tensor("changed_logits.safetensors", "logits"),
    ];
    expect(ours.shape).toEqual(theirs.shape);
    expect(relativeToLargest(ours.data, theirs.data)).toBeLessThan(1e-4);
  });

  it("come from mmsegmentation's PSPNet and go back bit for bit", async () => {
    const [theirs, ours, back] = ["mmseg.pth", "ours.safetensors", "back.safetensors"].map((name) =>
      run.path(name),
    );
    const told = [
      await cli("convert", theirs!, ours!, "--map", "mmseg"),
      await cli("convert", ours!, back!, "--map", "mmseg", "--reverse", "--json"),
      python("compare"),
    ];
    expect(told.join("")).toMatchInlineSnapshot(`
      "FOLDER/ours.safetensors: 160 tensors
      {"from":"FOLDER/ours.safetensors","to":"FOLDER/back.safetensors","written":160,"dropped":[],"unknown":[]}
      160 tensors are the same
      "
    `);
    expect(await logitsError("ours.safetensors", "mmseg_logits.safetensors")).toBeLessThan(1e-4);
  });

  it("are refused for another number of classes, unless the classifiers may start fresh", async () => {
    const { config } = await run.load(...model);
    const segmentor = networkFor(config, { ...info, classes: ["a", "b", "c", "d"] }, run.registry);
    const error = await loadWeights(segmentor, run.path("changed.pth")).catch((cause: SegfuseError) => cause);
    expect((error as SegfuseError).report().replaceAll(run.folder, "FOLDER")).toMatchInlineSnapshot(`
      "SEGFUSE_WEIGHTS_CLASSES: the weights are for another number of classes
        at: FOLDER/changed.pth
        expected: 4 classes, as the network has
        found: 3
        try: --allow-fresh 'head.classifier.*' --allow-fresh 'auxiliary_head.classifier.*' (allow_fresh in the config) keeps all but the classifier"
    `);
    const classes =
      "data.dataset.classes=[{name: a, color: [200, 40, 40]}, {name: b, color: [40, 200, 40]}, {name: c, color: [40, 40, 200]}, {name: d, color: [2, 2, 2]}]";
    const allowed = await segfuse([
      ...["train", ...network, "--work-dir", run.path("work"), "--check", "--set", classes],
      ...["--set", `init_from=${run.path("changed.pth")}`],
      ...["--allow-fresh", "head.classifier.*", "--allow-fresh", "auxiliary_head.classifier.*"],
    ]);
    expect(allowed.code, allowed.stderr).toBe(0);
    expect(allowed.stderr.replaceAll(run.folder, "FOLDER")).toContain(
      "weights from FOLDER/changed.pth: 130 loaded, 4 fresh (head.classifier.weight, head.classifier.bias, auxiliary_head.classifier.weight, auxiliary_head.classifier.bias), 0 unused",
    );
    expect(existsSync(run.path("work"))).toBe(false);
  });
});
