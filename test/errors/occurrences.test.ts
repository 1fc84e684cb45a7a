import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { openTrainLoader } from "../../src/datasets/loader.ts";
import { assertSpace } from "../../src/engine/setup/files.ts";
import { assertSupported } from "../../src/engine/setup/platform.ts";
import { unpackWheel } from "../../src/engine/setup/unpack.ts";
import { SegfuseError } from "../../src/errors.ts";
import { Confusion } from "../../src/evaluation/confusion.ts";
import { createRegistry } from "../../src/builtin.ts";
import type { CheckpointJob } from "../../src/checkpoints/state.ts";
import { storeCheckpoint } from "../../src/checkpoints/store.ts";
import { readState, verifyCheckpoint } from "../../src/checkpoints/folder.ts";
import { predictFiles } from "../../src/runners/predict.ts";
import { convertWeights } from "../../src/weights/convert.ts";
import { segfuse } from "../helpers/cli.ts";
import { MemoryLogger, TinyRun } from "../helpers/tiny_run.ts";

// Codes with examples that nobody can load and that no other test provokes.

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
  expect(text).toMatchInlineSnapshot(`
    "SEGFUSE_LABEL_VALUE: a label of the evaluated images has the value 9
      expected: 0..2, or 255 for pixels that count nowhere
      found: 9
      try: check the data set's class list and its ignore_index"
  `);
});

it("images of many sizes in a batch", async () => {
  const { config } = await run.load("data.train.transforms=[{type: random_scale, range: [0.5, 2]}]");
  const loader = await openTrainLoader({ config, seed: 1, firstIteration: 0, iterations: 2 });
  const text = await report(() => loader.next());
  await loader.close();
  expect(text).toContain("SEGFUSE_DATA_OPTION");
  expect(text.replaceAll(/\d+x\d+/g, "WxH").replaceAll(/(sample|as) \d/g, "$1 N")).toMatchInlineSnapshot(`
    "SEGFUSE_DATA_OPTION: the images and labels of a batch differ in size
      at: data.train.transforms (sample N)
      expected: WxH, as N
      found: an image of WxH, a label of WxH
      try: end the transforms that resize with random_crop or resize"
  `);
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
  expect(text).toMatchInlineSnapshot(`
    "SEGFUSE_PREDICT_IMAGES: two images have the same name
      at: b/1.png
      found: a/1.png as well
      try: predict them into different folders; or name the folder above both: the results keep its folders"
  `);
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
  expect(texts.join("\n\n").replace(/found: [\d.]+ GB/, "found: N GB")).toMatchInlineSnapshot(`
    "SEGFUSE_SETUP_PLATFORM: segfuse has no TensorFlow to download for darwin arm64
      expected: linux x64 with glibc 2.27 or newer
      try: try the stock installer: \`npm rebuild @tensorflow/tfjs-node-gpu --ignore-scripts=false\`; or compute without the native engine: \`--set engine.type=wasm\`

    SEGFUSE_SETUP_DISK: the disk of the cache folder has too little space
      at: ROOT
      expected: 1152921504.6 GB free
      found: N GB
      try: free some space, or set SEGFUSE_CACHE to another folder

    SEGFUSE_SETUP_UNPACK: the wheel could not be unpacked
      at: ROOT/tensorflow.whl
      found: File is not a zip file
      try: run \`segfuse setup\` again; \`python3 --version\` should say 3.6 or newer"
  `);
});

it("checkpoints that are damaged, of another run, or cannot be written", async () => {
  const train = async (...more: string[]) => {
    const args = ["train", run.config, "--work-dir", run.path("work"), "--set", "engine.type=cpu", ...more];
    const { code, stderr } = await segfuse([...args, "--set", "schedule.iterations=2"]);
    const at = stderr.indexOf("SEGFUSE_");
    return { code, text: at < 0 ? "" : stderr.slice(at).replaceAll(run.folder, "ROOT") };
  };
  expect((await train()).code).toBe(0);
  const other = await train("--resume", "--set", "optimizer.lr=0.1");
  expect(other.code).toBe(2);
  expect(other.text).toContain("SEGFUSE_RESUME_MISMATCH");
  expect(other.text).toMatchInlineSnapshot(`
    "SEGFUSE_RESUME_MISMATCH: the checkpoint is of another run
      at: ROOT/work/checkpoints/iter_2
      expected: optimizer.lr 0.05
      found: optimizer.lr 0.1
      try: the config that it was trained with; init_from to start a new run from its weights; or --allow-change optimizer.lr to go on all the same
    "
  `);

  const checkpoint = join(run.path("work"), "checkpoints", "iter_2");
  writeFileSync(join(checkpoint, "model.safetensors"), "cut");
  const damaged = await report(() => verifyCheckpoint(checkpoint));
  expect(damaged).toContain("SEGFUSE_CHECKPOINT_DAMAGED");
  expect(damaged.replace(/\d+ bytes$/m, "N bytes")).toMatchInlineSnapshot(`
    "SEGFUSE_CHECKPOINT_DAMAGED: a checkpoint is not what was written
      at: ROOT/work/checkpoints/iter_2/model.safetensors
      expected: N bytes
      found: 3 bytes
      try: another checkpoint in ROOT/work/checkpoints; train --resume goes on from the newest whole one"
  `);

  const state = await readState(checkpoint);
  const retention = { keepLast: 1, keepEvery: null };
  const job: CheckpointJob = { folder: join(run.config, "checkpoints"), state, retention, files: [] };
  const unwritten = await report(() => storeCheckpoint(job));
  expect(unwritten).toContain("SEGFUSE_CHECKPOINT_WRITE");
});

it("weights that are converted", async () => {
  const from = join(folder, "a.safetensors");
  const header = Buffer.from(
    JSON.stringify({ "x.weight": { dtype: "F32", shape: [1], data_offsets: [0, 4] } }),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const number = Buffer.alloc(4);
  number.writeFloatLE(1e9); // above what F16 holds
  writeFileSync(from, Buffer.concat([length, header, number]));
  const record = createRegistry().get("name_map", "torchvision");
  const map = { type: record.type, names: record.create({}) };
  const texts = [
    await report(() => convertWeights({ from, to: join(folder, "b.pth") })),
    await report(() => convertWeights({ from, to: join(folder, "b.safetensors"), map })),
    await report(() => convertWeights({ from, to: join(folder, "b.safetensors"), dtype: "F16" })),
  ];
  for (const code of ["SEGFUSE_CONVERT_OUT", "SEGFUSE_NAME_MAP", "SEGFUSE_WEIGHTS_DTYPE"])
    expect(texts.join("\n")).toContain(code);
  expect(texts.join("\n\n")).toMatchInlineSnapshot(`
    "SEGFUSE_CONVERT_OUT: weights are written as safetensors alone
      at: ROOT/b.pth
      expected: a name that ends in .safetensors
      try: PyTorch reads them: safetensors.torch.load_file(path)

    SEGFUSE_NAME_MAP: the name map does not fit the weights
      at: ROOT/a.safetensors
      expected: names of torchvision
      found: x.weight
      try: another --map (segfuse list name_map)

    SEGFUSE_WEIGHTS_DTYPE: a weight is too large for F16
      at: ROOT/a.safetensors, tensor x.weight
      expected: numbers between -65504 and 65504
      found: 1000000000
      try: F32"
  `);
});

it("what nobody foresaw", async () => {
  writeFileSync(
    join(folder, "neck.mjs"),
    `export default {
  kind: "neck", type: "broken", description: "throws", create() {},
  schema: { type: "object", get properties() { throw new RangeError("a schema that throws"); } },
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
  expect(stderr.replaceAll(folder, "ROOT")).toMatchInlineSnapshot(`
    "SEGFUSE_INTERNAL: a schema that throws
      try: run again with --debug and report the stack trace
    "
  `);
});

it("a command that waits for what never comes", async () => {
  writeFileSync(join(folder, "never.mjs"), "export default await new Promise(() => {});\n");
  const { code, stdout, stderr } = await segfuse(["list", "neck", "--plugin", join(folder, "never.mjs")]);
  expect([code, stdout]).toEqual([1, ""]);
  // Node 22 and later print a warning of their own beside it.
  expect(stderr).toContain(
    "SEGFUSE_INTERNAL: the command waited for something that never came\n" +
      "  try: run again with --debug and report the stack trace\n",
  );
});
