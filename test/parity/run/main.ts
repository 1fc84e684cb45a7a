/**
 * Compares networks at full width with PyTorch, which computes its side on the spot:
 *
 *     npm run parity
 *
 * PSPNet and GFF with the dense feature pyramid on ResNet-50-V1c, default widths, 19 classes. Weights are those of
 * `segfuse init`; a second set, changed by PyTorch, goes through `segfuse predict --logits`. Needs a Python 3 with
 * torch, torchvision, numpy, safetensors and pillow (`SEGFUSE_PYTHON`, else python3), about 8 GB of memory and
 * some minutes. Exit code 1 where a tolerance is not met, 2 where the reference cannot be made.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encode } from "fast-png";
import { openEngine } from "../../../src/engine/engine.ts";
import { textTable } from "../../../src/reports/table.ts";
import { loadWeights } from "../../../src/weights/load.ts";
import { readSafetensors } from "../../../src/weights/safetensors.ts";
import { segfuse } from "../../helpers/cli.ts";
import { readFixture, recipe, relativeToLargest } from "../../helpers/fixtures.ts";
import { compare } from "../compare.ts";
import { readReference, sizesOf, type Job } from "../job.ts";
import { measure, networkOf } from "../measure.ts";
import { NoReference, requirePython, runReference } from "../python.ts";

const networks: Record<string, Pick<Job["model"], "neck" | "head">> = {
  pspnet: { neck: { type: "none" }, head: { type: "ppm" } },
  "gff + dfp": { neck: { type: "gff" }, head: { type: "dfp", dense_channels: 128 } },
};

const preprocess = { mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] };
const classes = 19;
const context = { channels: 512, bins: [1, 2, 3, 6], dropout: 0.1 };

function jobOf({ neck, head }: Pick<Job["model"], "neck" | "head">) {
  return {
    model: {
      backbone: {
        type: "resnet",
        depth: 50,
        stem: "v1c",
        style: "pytorch",
        output_stride: 8,
        base_channels: 64,
      },
      neck: neck.type === "none" ? neck : { ...neck, channels: 256, refine_convs: 2 },
      head: { ...head, ...context },
      auxiliary_head: { level: 3, channels: 256, dropout: 0.1 },
      align_corners: false,
    },
    classes,
    eval: [1, 256, 256],
    train: [2, 129, 161],
    draw: "",
    offsets: true,
    seed: 0,
    sgd: {
      lr: 1e-3,
      momentum: 0.9,
      weight_decay: 1e-4,
      power: 0.9,
      iterations: 100,
      steps: 5,
      // Five updates are chaotic otherwise: see docs/parity.md.
      norm_eval: true,
    },
    // Of each tensor: all logits are millions.
    cap: {
      "eval.logits": 100_000,
      "train.logits": 100_000,
      "train.auxiliary": 100_000,
      losses: 1,
      gradients: 10_000,
      running: 10_000,
      "updates.losses": 1,
      "updates.changes": 10_000,
      "updates.running": 10_000,
    },
    runs: 2,
    preprocess,
  } satisfies Job & Record<string, unknown>;
}

interface Row {
  quantity: string;
  error: number;
  tolerance: number;
  /** PyTorch's own, where it was measured. */
  float32Error?: number;
  passes: boolean;
  /** The tensor of the worst error. */
  tensor: string;
}

/** A data set of one image, which `segfuse init` and `predict` ask for its classes, and a config of the job. */
function writeConfig(folder: string, job: ReturnType<typeof jobOf>): string {
  const list = Array.from({ length: classes }, (_, i) => `{name: class${i}, color: [${i}, ${i}, ${i}]}`);
  const path = join(folder, "config.yaml");
  const { auxiliary_head, ...model } = job.model;
  writeFileSync(
    path,
    `model: ${JSON.stringify({ ...model, preprocess, auxiliary_head: { type: "fcn", ...auxiliary_head } })}
data:
  dataset: {type: folder, root: ${JSON.stringify(join(folder, "data"))}, classes: [${list.join(", ")}]}
`,
  );
  return path;
}

async function command(...args: string[]): Promise<void> {
  const { code, stderr } = await segfuse(args);
  if (code !== 0) throw new Error(`segfuse ${args.join(" ")} ended with ${code}:\n${stderr}`);
}

async function check(folder: string, name: string, network: (typeof networks)[string]): Promise<Row[]> {
  const path = (file: string) => join(folder, file);
  const job = jobOf(network);
  const config = writeConfig(folder, job);
  writeFileSync(path("job.json"), JSON.stringify(job));
  process.stderr.write(`${name}: fresh weights\n`);
  await command("init", config, "--out", path("init.safetensors"));

  process.stderr.write(`${name}: PyTorch's side\n`);
  await runReference("measure", path("job.json"), path("init.safetensors"), path("reference.safetensors"));
  process.stderr.write(`${name}: segfuse's side\n`);
  const fixture = readFixture(path("reference.safetensors"));
  const reference = readReference(fixture, sizesOf(networkOf(job, { normEval: false }), fixture));
  const measured = await measure(job, async (segmentor) => {
    await loadWeights(segmentor, path("init.safetensors"), { complete: true });
  });

  process.stderr.write(`${name}: a checkpoint that PyTorch changed\n`);
  const images = ["one", "two"].map((image) => {
    const [height, width] = [129, 161];
    const file = path(`${image}.png`);
    const data = Uint8Array.from(recipe(image, height * width * 3, 0, 256));
    writeFileSync(file, encode({ width, height, data, channels: 3 }));
    return file;
  });
  const [changed, expectedPath, logitsPath] = ["changed", "expected", "logits"].map((file) =>
    path(`${file}.safetensors`),
  ) as [string, string, string];
  await runReference("change", path("job.json"), path("init.safetensors"), changed, expectedPath, ...images);
  await command("predict", config, changed, ...images, "--out", path("out"), "--logits", logitsPath);
  const expected = readFixture(expectedPath).tensors.get("logits")!;
  const actual = (await readSafetensors(logitsPath)).tensors.get("logits")!;
  const error = relativeToLargest(actual.data, expected.values);

  return [
    ...compare(reference, measured),
    {
      quantity: "predict --logits",
      error,
      tolerance: 1e-4,
      passes: error <= 1e-4,
      tensor: "changed in PyTorch",
    },
  ];
}

async function main(): Promise<boolean> {
  requirePython();
  const engine = await openEngine({ type: "tensorflow", threads: null });
  process.stdout.write(
    `TensorFlow ${engine.version} (${engine.device}) against PyTorch's float64, ResNet-50-V1c\n`,
  );
  let passed = true;
  for (const [name, network] of Object.entries(networks)) {
    const folder = mkdtempSync(join(tmpdir(), "segfuse-parity-"));
    try {
      writePair(folder);
      const rows = await check(folder, name, network);
      passed &&= rows.every(({ passes }) => passes);
      process.stdout.write(`\n${table(name, rows)}`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  return passed;
}

/** One image with its mask in each split, so that the data set exists. */
function writePair(folder: string): void {
  for (const split of ["train", "val"]) {
    for (const [kind, channels] of [
      ["images", 3],
      ["masks", 1],
    ] as const) {
      mkdirSync(join(folder, "data", kind, split), { recursive: true });
      const data = new Uint8Array(8 * 8 * channels);
      writeFileSync(
        join(folder, "data", kind, split, "0.png"),
        encode({ width: 8, height: 8, data, channels }),
      );
    }
  }
}

function table(name: string, rows: readonly Row[]): string {
  const columns = [
    { header: name, align: "left" },
    { header: "worst error", align: "right" },
    { header: "tolerance", align: "right" },
    { header: "PyTorch's float32", align: "right" },
    { header: "verdict", align: "left" },
    { header: "of", align: "left" },
  ] as const;
  const text = rows.map(({ quantity, error, tolerance, float32Error, passes, tensor }) => [
    quantity,
    error.toExponential(1),
    tolerance.toExponential(1),
    float32Error?.toExponential(1) ?? "",
    passes ? "ok" : "FAILED",
    tensor,
  ]);
  return `${textTable({ columns, rows: text })}\n`;
}

try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  if (!(error instanceof NoReference)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
