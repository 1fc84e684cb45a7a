import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { decode } from "fast-png";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LoadedConfig } from "../../src/config/load.ts";
import { readImage } from "../../src/datasets/image_file.ts";
import { SegfuseError } from "../../src/errors.ts";
import { writeInitialWeights } from "../../src/runners/init.ts";
import { RunStopped } from "../../src/util/interruption.ts";
import type { PredictionFailure } from "../../src/runners/prediction/failures.ts";
import { countFrames } from "../../src/runners/prediction/frames.ts";
import { inputImages } from "../../src/runners/prediction/input_images.ts";
import { predictFiles, type ImagePrediction, type PredictInputs } from "../../src/runners/predict.ts";
import { testCheckpoint } from "../../src/runners/test.ts";
import { readSafetensors, writeSafetensors } from "../../src/weights/safetensors.ts";
import { evaluationOverrides } from "../../tools/evaluation_flags.ts";
import { MemoryLogger, TinyRun } from "../helpers/tiny_run.ts";

let run: TinyRun;
let checkpoint: string;
beforeAll(async () => {
  run = new TinyRun();
  const out = run.path("fresh.safetensors");
  await writeInitialWeights({
    loaded: await run.load(),
    out,
    registry: run.registry,
    logger: new MemoryLogger(),
  });
  // A classifier that is not close to zero: class maps with edges, which windows and scales move.
  const { tensors, metadata } = await readSafetensors(out);
  for (const [name, { data }] of tensors)
    if (name === "head.classifier.weight") (data as Float32Array).forEach((v, i, all) => (all[i] = 60 * v));
  checkpoint = run.path("weights.safetensors");
  await writeSafetensors(checkpoint, Object.fromEntries(tensors), metadata);
}, 120_000);
afterAll(() => run.remove());

interface Outcome {
  readonly lines: readonly string[];
  readonly failures: readonly PredictionFailure[];
  readonly predictions: readonly ImagePrediction[];
  readonly done: readonly string[];
}

async function predict(
  images: readonly string[],
  { loaded, ...more }: Partial<PredictInputs> & { loaded?: LoadedConfig } = {},
): Promise<Outcome> {
  const logger = new MemoryLogger();
  const failures: PredictionFailure[] = [];
  const predictions: ImagePrediction[] = [];
  const done: string[] = [];
  await predictFiles({
    loaded: loaded ?? (await run.load()),
    checkpoint,
    images,
    outDir: null,
    registry: run.registry,
    logger,
    onFailure: (failure) => failures.push(failure),
    onImage: (prediction) => void predictions.push(prediction),
    onProgress: ({ phase, iteration, iterations }) => done.push(`${phase} ${iteration}/${iterations}`),
    ...more,
  });
  const lines = logger.lines
    .filter((line) => !line.startsWith("engine"))
    .map((line) => line.replaceAll(run.folder, "ROOT"));
  return { lines, failures, predictions, done };
}

describe("predictions are those that the evaluation counts", () => {
  const maps = new Map<string, string>();
  it.each([
    ["whole", [], "whole images, scale 1"],
    [
      "slide",
      ["evaluation.window=[24, 20]", "evaluation.stride=[10, 12]", ...evaluationOverrides({ slide: true })],
      "windows of 24×20, stride 10×12, scale 1",
    ],
    [
      "tta",
      evaluationOverrides({ tta: true }),
      "whole images, scales 0.75, 1, 1.25, 1.5, 1.75, mirrored as well",
    ],
    // The network sees another size, and the class map is at the image's own.
    [
      "resized",
      ["data.test.transforms=[{type: resize, size: [33, 37], label: false}]"],
      "whole images, scale 1",
    ],
  ])("%s", async (name, set, text) => {
    const loaded = await run.load("data.test.split=val", ...set);
    const outDir = run.path(name);
    const inputs = { loaded, checkpoint, registry: run.registry, logger: new MemoryLogger() };
    await testCheckpoint({ ...inputs, outDir });
    const report = JSON.parse(readFileSync(`${outDir}/report.json`, "utf8")) as { confusion: number[][] };

    const { lines, done } = await predict([`${run.data}/images/val`], { loaded, outDir });
    expect(lines).toEqual([`predicting 3 images: ${text}`]);
    expect(done).toEqual(["predict 1/3", "predict 2/3", "predict 3/3"]);
    const confusion = [0, 1, 2].map(() => [0, 0, 0]);
    for (const file of readdirSync(`${run.data}/masks/val`)) {
      const mask = decode(readFileSync(`${run.data}/masks/val/${file}`)).data;
      const classes = decode(readFileSync(`${outDir}/${basename(file, ".png")}_classes.png`)).data;
      mask.forEach((label, p) => confusion[label]![classes[p]!]!++);
    }
    expect(confusion).toEqual(report.confusion);
    maps.set(name, JSON.stringify(confusion));
  });

  it("which differ by setting, so that the tests above can tell", () => {
    expect(new Set(maps.values()).size).toBe(4);
  });
});

describe("images that cannot be predicted", () => {
  it("are left out and told, and the others are predicted", async () => {
    writeFileSync(run.path("bad.jpg"), "no image");
    const good = [`${run.data}/images/val/0.png`, `${run.data}/images/val/1.png`];
    const { failures, predictions, done } = await predict([
      good[0]!,
      run.path("bad.jpg"),
      run.path("none.png"),
      good[1]!,
    ]);
    expect(predictions.map(({ image }) => image)).toEqual(good);
    expect(failures.map(({ image, error }) => [image, (error as SegfuseError).code])).toEqual([
      [run.path("bad.jpg"), "SEGFUSE_DATA_IMAGE"],
      [run.path("none.png"), "SEGFUSE_DATA_FILE"],
    ]);
    expect(done.at(-1)).toBe("predict 4/4");
  });

  it("end the call where nobody listens", async () => {
    const calling = predict([run.path("none.png")], { onFailure: undefined });
    await expect(calling).rejects.toMatchObject({ code: "SEGFUSE_DATA_FILE" });
  });

  it("leave no file of logits without them", async () => {
    const logits = run.path("part.safetensors");
    const images = [`${run.data}/images/val/0.png`, run.path("none.png")];
    const { failures, predictions, lines } = await predict(images, { logits });
    expect([failures.length, predictions.length, existsSync(logits)]).toEqual([1, 1, false]);
    expect(lines.at(-1)).toBe("warning: ROOT/part.safetensors is not written: it would not hold all images");
  });
});

it("logits are of whole images, which is told where the class maps are not", async () => {
  const image = `${run.data}/images/val/0.png`;
  const logits = async (name: string, ...set: string[]) => {
    const file = run.path(name);
    const { lines } = await predict([image], { loaded: await run.load(...set), logits: file });
    return { lines, logits: (await readSafetensors(file)).tensors.get("logits") };
  };
  const whole = await logits("whole.safetensors");
  const slide = await logits("slide.safetensors", "evaluation.mode=slide");
  expect(slide.logits).toEqual(whole.logits);
  expect(whole.lines).toHaveLength(1);
  expect(slide.lines.at(-1)).toBe(
    "--logits are of one forward pass of whole images, not of windows of 32×32, stride 21×21, scale 1",
  );
});

it("ends between two images when it is told to stop", async () => {
  const stop = new AbortController();
  const written: string[] = [];
  const predicting = predict([`${run.data}/images/val`], {
    outDir: run.path("stopped"),
    onWritten: ({ classes }) => {
      written.push(classes);
      stop.abort("SIGINT");
    },
    stop: stop.signal,
  });
  await expect(predicting).rejects.toBeInstanceOf(RunStopped);
  expect(written).toEqual([run.path("stopped/0_classes.png")]);
});

it("a checkpoint that was trained with other means is told", async () => {
  const loaded = await run.load("model.preprocess.mean=[1, 2, 3]");
  const { lines } = await predict([`${run.data}/images/val/0.png`], { loaded });
  expect(lines[0]).toMatchInlineSnapshot(
    `"warning: ROOT/weights.safetensors was trained with model.preprocess mean [123.675,116.28,103.53], std [58.395,57.12,57.375], and the config says mean [1,2,3], std [58.395,57.12,57.375]: images are made as the config says"`,
  );
});

describe("files of several pictures", () => {
  const fixture = JSON.parse(readFileSync(new URL("../fixtures/frames.json", import.meta.url), "utf8")) as {
    size: [number, number];
    files: Record<string, { file: string; frames: number; first: string }>;
  };
  const entries = Object.entries(fixture.files);

  it.each(entries)("%s: as PIL counts, and the first is read", async (name, { file, frames, first }) => {
    const path = run.path(name);
    writeFileSync(path, Buffer.from(file, "base64"));
    expect((await countFrames(path)).count).toBe(frames);
    const { height, width, data } = await readImage(path);
    expect([height, width]).toEqual(fixture.size);
    expect(Buffer.from(data).equals(Buffer.from(first, "base64"))).toBe(true);
  });

  it("are told with what was predicted", async () => {
    const { lines, predictions } = await predict(entries.map(([name]) => run.path(name)));
    expect(predictions.map(({ frames }) => frames)).toEqual(entries.map(([, { frames }]) => frames));
    expect(lines.join("\n")).toMatchInlineSnapshot(`
      "predicting 8 images: whole images, scale 1
      warning: ROOT/three.gif holds 3 frames: the first is predicted, the others are not
      warning: ROOT/two.webp holds 2 frames: the first is predicted, the others are not
      warning: ROOT/three.png holds 3 frames: the first is predicted, the others are not
      warning: ROOT/four.tif holds 4 pages: the first is predicted, the others are not"
    `);
  });
});

describe("folders and patterns", () => {
  const put = (...names: string[]) => {
    for (const name of names) {
      const path = run.path(`tree/${name}`);
      mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
      writeFileSync(path, "");
    }
  };
  const expand = async (
    images: readonly string[],
    outDir: string | null = null,
    logger = new MemoryLogger(),
  ) => {
    const found = await inputImages(images, outDir, logger);
    const shown = found.map(({ file, name }) => `${file} → ${name}`);
    return [...shown, ...logger.lines].map((line) => line.replaceAll(run.folder, "ROOT"));
  };
  const refusal = (images: readonly string[], outDir: string | null = null) =>
    expand(images, outDir).then(
      () => "nothing was refused",
      (error: SegfuseError) => error.report().replaceAll(run.folder, "ROOT"),
    );

  beforeAll(() => {
    put(
      "a.JPG",
      "b.png",
      "notes.txt",
      ".hidden.png",
      "in/a.tif",
      "in/deep/x y.webp",
      ".cache/c.png",
      "out/b_classes.png",
    );
    put("[1].png", "elsewhere/l.gif");
    symlinkSync(run.path("tree/elsewhere"), run.path("tree/in/link"));
    execFileSync("mkfifo", [run.path("tree/pipe.png")]); // reading it would never end
    symlinkSync(run.path("tree"), run.path("tree/in/deep/up"));
  });

  it("a folder is its images, whose results keep its folders", async () => {
    expect((await expand([run.path("tree")], run.path("tree/out"))).join("\n")).toMatchInlineSnapshot(`
      "ROOT/tree/[1].png → [1]
      ROOT/tree/a.JPG → a
      ROOT/tree/b.png → b
      ROOT/tree/elsewhere/l.gif → elsewhere/l
      ROOT/tree/in/a.tif → in/a
      ROOT/tree/in/deep/x y.webp → in/deep/x y
      warning: ROOT/tree/in/deep/up is left out: it leads to ROOT/tree, which was read already
      warning: ROOT/tree/in/link is left out: it leads to ROOT/tree/elsewhere, which was read already"
    `);
  });

  it("an image that is named twice is predicted once, and a file's own name is no pattern", async () => {
    const images = [run.path("tree/[1].png"), run.path("tree/b.png"), run.path("tree/*.png")];
    expect(await expand(images)).toEqual(["ROOT/tree/[1].png → [1]", "ROOT/tree/b.png → b"]);
  });

  it("what makes no sense is refused, before anything is read", async () => {
    put("empty/notes.txt", "b_overlay.png");
    const told = [
      await refusal([run.path("tree/empty")]),
      await refusal([run.path("tree/none*.png")]),
      await refusal([run.path("tree/a.JPG"), run.path("tree/in/a.tif")], run.path("tree/out")),
      await refusal([run.path("tree/b.png"), run.path("tree/b_overlay.png")], run.path("tree")),
    ];
    expect(told.join("\n")).toContain("SEGFUSE_PREDICT_IMAGES");
    expect(told.join("\n\n")).toMatchInlineSnapshot(`
      "SEGFUSE_PREDICT_IMAGES: a folder has no image
        at: ROOT/tree/empty
        expected: a file that ends in one of .jpg, .jpeg, .png, .webp, .tif, .tiff, .gif
        found: notes.txt
        try: name files of another ending one by one

      SEGFUSE_PREDICT_IMAGES: a pattern has no image
        at: ROOT/tree/none*.png
        expected: a file that ends in one of .jpg, .jpeg, .png, .webp, .tif, .tiff, .gif
        found: none

      SEGFUSE_PREDICT_IMAGES: two images have the same name
        at: ROOT/tree/in/a.tif
        found: ROOT/tree/a.JPG as well
        try: predict them into different folders; or name the folder above both: the results keep its folders

      SEGFUSE_PREDICT_IMAGES: a result would overwrite an image
        at: ROOT/tree/b_overlay.png
        found: the result of ROOT/tree/b.png
        try: another output folder"
    `);
  });
});
