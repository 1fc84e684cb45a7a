import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { afterAll, expect, it } from "vitest";
import { openTrainLoader } from "../../src/datasets/loader.ts";
import { assertSpace } from "../../src/engine/setup/files.ts";
import { assertSupported } from "../../src/engine/setup/platform.ts";
import { unpackWheel } from "../../src/engine/setup/unpack.ts";
import { runTraced } from "../../src/engine/trace/index.ts";
import { SegfuseError } from "../../src/errors.ts";
import { Confusion } from "../../src/evaluation/confusion.ts";
import { predictFiles } from "../../src/runners/predict.ts";
import { segfuse } from "../helpers/cli.ts";
import { MemoryLogger, TinyRun } from "../helpers/tiny_run.ts";

// Codes of docs/errors/runs.yaml that no other test provokes.

const folder = mkdtempSync(join(tmpdir(), "segfuse-errors-"));
const run = new TinyRun();
afterAll(() => {
  rmSync(folder, { recursive: true });
  run.remove();
});

/** The text that a user sees when `action` fails. */
async function report(action: () => unknown): Promise<string> {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof SegfuseError)) throw error;
    return error.report().replaceAll(folder, "ROOT").replaceAll(run.folder, "ROOT");
  }
  throw new Error("nothing was thrown");
}

it("labels that a program gives", async () => {
  const confusion = new Confusion(3, 255);
  const text = await report(() => confusion.add(Uint8Array.of(1, 1), Uint8Array.of(255, 9)));
  expect(text).toContain("SEGFUSE_LABEL_VALUE");
  expect(text).toMatchInlineSnapshot();
});

it("images of many sizes in a batch", async () => {
  const { config } = await run.load("data.train.transforms=[{type: random_scale, range: [0.5, 2]}]");
  const loader = await openTrainLoader({ config, seed: 1, firstIteration: 0, iterations: 2 });
  const text = await report(() => loader.next());
  await loader.close();
  expect(text).toContain("SEGFUSE_DATA_OPTION");
  expect(text.replaceAll(/\d+x\d+/g, "WxH").replaceAll(/(sample|as) \d/g, "$1 N")).toMatchInlineSnapshot();
});

it("images that would overwrite each other's prediction", async () => {
  const loaded = await run.load();
  const { registry } = run;
  const inputs = {
    loaded,
    registry,
    logger: new MemoryLogger(),
    checkpoint: folder,
    outDir: join(folder, "out"),
  };
  const text = await report(() => predictFiles({ ...inputs, images: ["a/1.png", "b/1.png"] }));
  expect(text).toContain("SEGFUSE_PREDICT_IMAGES");
  expect(text).toMatchInlineSnapshot();
});

it("operations that a trace does not know, and values that it does not have", async () => {
  const unknown = await report(() =>
    runTraced((trace) => {
      tf.erf(trace.tensor("input", "x", [2, 2]));
    }),
  );
  const read = await report(() =>
    runTraced((trace) => {
      trace.tensor("input", "x", [2, 2]).dataSync();
    }),
  );
  expect(unknown).toContain("SEGFUSE_TRACE_OPERATION");
  expect(read).toContain("SEGFUSE_TRACE_VALUES");
  expect([unknown, read].join("\n\n")).toMatchInlineSnapshot();
});

it("machines without a TensorFlow, full disks and wheels that are none", async () => {
  const wheel = join(folder, "tensorflow.whl");
  writeFileSync(wheel, "no zip file");
  const texts = [
    await report(() => assertSupported({ platform: "darwin", arch: "arm64", glibc: null })),
    await report(() => assertSpace(folder, 2 ** 60)),
    await report(() => unpackWheel({ python: ["python3"], wheel, folder: join(folder, "unpacked") })),
  ];
  for (const code of ["SEGFUSE_SETUP_PLATFORM", "SEGFUSE_SETUP_DISK", "SEGFUSE_SETUP_UNPACK"])
    expect(texts.join("\n")).toContain(code);
  expect(texts.join("\n\n").replace(/found: [\d.]+ GB/, "found: N GB")).toMatchInlineSnapshot();
});

it("a plug-in that throws what segfuse does not know", async () => {
  writeFileSync(
    join(folder, "neck.mjs"),
    `export default {
  kind: "neck", type: "broken", description: "throws", schema: { type: "object", properties: {} },
  create() { throw new RangeError("a mistake of the plug-in"); },
};
`,
  );
  const set = [`plugins=[${join(folder, "neck.mjs")}]`, "model.neck.type=broken"].flatMap((pair) => [
    "--set",
    pair,
  ]);
  const { code, stdout, stderr } = await segfuse([
    "init",
    run.config,
    "--out",
    join(folder, "w.safetensors"),
    ...set,
  ]);
  expect([code, stdout]).toEqual([1, ""]);
  expect(stderr).toContain("SEGFUSE_INTERNAL");
  expect(stderr.replaceAll(folder, "ROOT")).toMatchInlineSnapshot();
});
