import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Batch, EvaluationSample } from "../../src/datasets/contracts.ts";
import { openEvaluationLoader, openTrainLoader } from "../../src/datasets/loader.ts";
import type { DataConfig } from "../../src/datasets/source.ts";
import { program } from "../helpers/built.ts";
import { complaint, dataConfig, folderOptions, makeFolder, put } from "./support.ts";

let root: string;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "segfuse-loader-"));
  await makeFolder(root, "train", 7);
  await makeFolder(root, "val", 5);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const config = (more: object = {}): DataConfig =>
  dataConfig({ type: "folder", root, ...folderOptions }, more);

async function batches(config: DataConfig, firstIteration: number, iterations: number): Promise<Batch[]> {
  const loader = await openTrainLoader({ config, seed: 3, firstIteration, iterations });
  try {
    const count = (iterations - firstIteration) * config.optimizer.accumulate;
    const made: Batch[] = [];
    for (let i = 0; i < count; i++) made.push(await loader.next());
    await expect(loader.next()).rejects.toThrow("no more batches");
    expect(loader.waitSeconds).toBeGreaterThan(0);
    return made;
  } finally {
    await loader.close();
  }
}

describe("training batches", () => {
  test("are the same, bit for bit, with 0, 1, 2 and 3 workers, and after a restart at any update", async () => {
    const alone = await batches(config(), 0, 6);
    for (const workers of [1, 2, 3]) expect(await batches(config({ workers }), 0, 6)).toEqual(alone);
    expect(await batches(config({ workers: 2 }), 4, 6)).toEqual(alone.slice(4));
    const { images, labels, ids } = alone[0]!;
    expect([ids.length, images.length, labels.length]).toEqual([3, 3 * 24 * 32 * 3, 3 * 24 * 32]);
    expect(images.some((v) => v !== 0)).toBe(true);
  });

  test("take every sample once an epoch, in an order of its own", async () => {
    const ids = (await batches(config(), 0, 7)).flatMap((batch) => batch.ids);
    const epochs = [ids.slice(0, 7), ids.slice(7, 14), ids.slice(14, 21)];
    for (const epoch of epochs) expect(new Set(epoch).size).toBe(7);
    expect(new Set(epochs.map((epoch) => epoch.join())).size).toBe(3);
  });

  test("an update in several batches has the samples of the update in one", async () => {
    const whole = await batches(config({ batch_size: 4 }), 0, 3);
    const parts = await batches({ ...config({ batch_size: 2 }), optimizer: { accumulate: 2 } }, 0, 3);
    expect(parts.map((b) => Array.from(b.images)).flat()).toEqual(
      whole.map((b) => Array.from(b.images)).flat(),
    );
    expect(parts.flatMap((b) => b.ids)).toEqual(whole.flatMap((b) => b.ids));
  });

  test.each([0, 2])("a broken file ends in its own complaint, %i workers", async (workers) => {
    const broken = mkdtempSync(join(tmpdir(), "segfuse-broken-"));
    await makeFolder(broken, "train", 4);
    put(`${broken}/images/train/s2.jpg`, "no image");
    const dataset = { type: "folder", ...folderOptions, root: broken };
    const loader = await openTrainLoader({
      config: dataConfig(dataset, { workers }),
      seed: 0,
      firstIteration: 0,
      iterations: 9,
    });
    const report = await complaint(async () => {
      for (;;) await loader.next();
    }, broken);
    expect(report).toContain(
      "SEGFUSE_DATA_IMAGE: a file under an image's name is no image\n  at: ROOT/images/train/s2.jpg",
    );
    await loader.close();
    rmSync(broken, { recursive: true });
  });

  test("images of different sizes make no batch", async () => {
    const train = { split: "train", transforms: [{ type: "random_scale", range: [0.5, 2] }] };
    expect(await complaint(() => batches(config({ train }), 0, 2), root)).toContain("differ in size");
  });
});

test("closing waits for the workers, whatever they still send", async () => {
  const [node, child] = program("test/helpers/loader_child.ts");
  const { stdout } = await promisify(execFile)(node, [child, JSON.stringify(config({ workers: 2 }))]);
  expect(stdout).toBe("closed");
});

describe("plug-ins", () => {
  const plugin = (text: string) => {
    const path = join(root, `plugin${text.length}.mjs`);
    writeFileSync(
      path,
      `export default { kind: "transform", type: "custom", description: "-", schema: { type: "object", properties: {} }, create: () => ({ apply(sample) { ${text} return sample; } }) };`,
    );
    return path;
  };
  const withPlugin = (path: string): DataConfig => ({
    ...config({
      workers: 2,
      train: {
        split: "train",
        transforms: [{ type: "random_crop", size: null, cat_max_ratio: 1 }, { type: "custom" }],
      },
    }),
    plugins: [path],
  });

  test("transforms from outside run in the workers", async () => {
    const [batch] = await batches(withPlugin(plugin("sample.label.fill(2);")), 0, 1);
    expect(new Set(batch!.labels)).toEqual(new Set([2]));
  });

  test("what they throw names the sample; a worker that ends is an error and no wait for ever", async () => {
    const thrown = await complaint(
      () => batches(withPlugin(plugin("throw new TypeError('oops');")), 0, 1),
      root,
    );
    expect(thrown.replace(/plugin\d+/, "plugin").replace(/sample s\d/, "sample s#")).toMatchInlineSnapshot(`
      "SEGFUSE_PLUGIN_FAILED: the transform 'custom' of a plug-in failed
        at: ROOT/plugin.mjs:1:154
        found: TypeError: oops, in apply() of sample s#
        try: --debug shows how it came there"
    `);
    const ended = await complaint(() => batches(withPlugin(plugin("process.exit(3);")), 0, 1), root);
    expect(ended).toBe(
      "SEGFUSE_DATA_WORKER: a data worker ended unexpectedly\n  at: sample s6\n  found: exit code 3",
    );
  });
});

describe("evaluation samples", () => {
  const all = async (config: DataConfig, limit?: number) => {
    const loader = await openEvaluationLoader({
      config,
      section: "val",
      ...(limit === undefined ? {} : { limit }),
    });
    const samples: EvaluationSample[] = [];
    for await (const sample of loader.samples()) samples.push(sample);
    expect(samples.length).toBe(loader.length);
    await loader.close();
    return samples;
  };

  test("come whole and in order, the label at its own size", async () => {
    const val = { split: "val", transforms: [{ type: "resize", size: [15, 20], label: false }] };
    const samples = await all(config({ workers: 2, val }));
    expect(samples.map((s) => s.id)).toEqual(["s0", "s1", "s2", "s3", "s4"]);
    expect(samples[0]).toMatchObject({ height: 15, width: 20, labelHeight: 30, labelWidth: 40 });
    expect(samples).toEqual(await all(config({ val })));
    expect((await all(config(), 2)).map((s) => s.index)).toEqual([0, 2]);
  });

  test("may be left early and asked for again", async () => {
    const loader = await openEvaluationLoader({ config: config({ workers: 1 }), section: "val" });
    for (const last of [1, 2]) for await (const sample of loader.samples()) if (sample.index === last) break;
    await loader.close();
    await expect(loader.samples()[Symbol.asyncIterator]().next()).rejects.toThrow("ended unexpectedly");
  });
});
