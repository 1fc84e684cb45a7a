import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testCheckpoint } from "../../../src/runners/test.ts";
import { silentLogger } from "../../../src/util/logger.ts";
import { readSafetensors } from "../../../src/weights/safetensors.ts";
import { useEngine } from "../../helpers/engine.ts";
import { HookRuns } from "../../helpers/hook_run.ts";

let runs: HookRuns;
beforeAll(async () => {
  await useEngine();
  runs = new HookRuns();
});
afterAll(() => runs.remove());

const every = ["checkpoint.interval=1", "checkpoint.keep_last=10"];

async function tensors(name: string, iteration: number, file: string): Promise<Map<string, Float32Array>> {
  const path = runs.tiny.path(`${name}/checkpoints/iter_${iteration}/${file}.safetensors`);
  const { tensors } = await readSafetensors(path);
  return new Map([...tensors].map(([key, { data }]) => [key, Float32Array.from(data)]));
}

/** The average of a run's six stored weights in double precision, by the formula of mmengine and PyTorch. */
async function expected(name: string, share: (step: number) => number): Promise<Map<string, Float64Array>> {
  const averages = new Map<string, Float64Array>();
  for (let step = 0; step < 6; step++) {
    for (const [key, weights] of await tensors(name, step + 1, "model")) {
      const isCopied = step === 0 || key.includes("running_");
      const average = averages.get(key);
      const momentum = isCopied ? 1 : share(step);
      averages.set(
        key,
        Float64Array.from(weights, (w, i) =>
          momentum === 1 ? w : average![i]! + momentum * (w - average![i]!),
        ),
      );
    }
  }
  return averages;
}

function largestError(found: Map<string, Float32Array>, wanted: Map<string, Float64Array>): number {
  expect([...found.keys()].sort()).toEqual([...wanted.keys()].sort());
  let largest = 0;
  for (const [key, values] of wanted) {
    const scale = Math.max(...values.map(Math.abs), 1e-3);
    for (const [i, value] of values.entries()) {
      largest = Math.max(largest, Math.abs(found.get(key)![i]! - value) / scale);
    }
  }
  return largest;
}

describe("a moving average of the weights", () => {
  beforeAll(async () => {
    await runs.start("ema", [...every, "hooks=[{type: ema, momentum: 0.1}]"]);
    await runs.start("plain", every);
  });

  it("is what its formula says", async () => {
    const found = await tensors("ema", 6, "ema");
    expect(largestError(found, await expected("ema", () => 0.1))).toBeLessThan(1e-6);
    // and not the weights themselves
    expect(largestError(await tensors("ema", 6, "model"), await expected("ema", () => 0.1))).toBeGreaterThan(
      1e-2,
    );
  });

  it("with a warm-up, an interval and statistics", async () => {
    const warm = "{type: ema, momentum: 0.1, gamma: 3}";
    await runs.start("warm", [...every, `hooks=[${warm}]`]);
    const share = (step: number) => 0.1 + 0.9 * Math.exp(-(1 + step) / 3);
    expect(largestError(await tensors("warm", 6, "ema"), await expected("warm", share))).toBeLessThan(1e-6);
    await runs.start("seldom", [...every, "hooks=[{type: ema, momentum: 0.1, interval: 2}]"]);
    const seldom = await expected("seldom", (step) => (step % 2 === 0 ? 0.1 : 0));
    expect(largestError(await tensors("seldom", 6, "ema"), seldom)).toBeLessThan(1e-6);
  });

  it("leaves the training as it is without", async () => {
    for (const file of ["model", "optimizer"]) {
      expect(await tensors("ema", 6, file)).toEqual(await tensors("plain", 6, file));
    }
  });

  it("is what evaluation and `test` use", async () => {
    const evaluated = runs.log("ema").filter(({ event }) => event === "evaluate");
    const loaded = await runs.tiny.load(...every);
    const inputs = { loaded, registry: runs.tiny.registry, logger: silentLogger };
    const folder = runs.tiny.path("ema/checkpoints/iter_6");
    const report = await testCheckpoint({ ...inputs, checkpoint: folder });
    expect(report.checkpoint!.path).toBe("checkpoints/iter_6/ema.safetensors");
    expect(report.metrics).toMatchObject(evaluated.at(-1)!.metrics as object);
    const plain = runs.log("plain").filter(({ event }) => event === "evaluate");
    expect(plain.at(-1)!.val_loss).not.toBe(evaluated.at(-1)!.val_loss);
    const raw = await testCheckpoint({ ...inputs, checkpoint: `${folder}/model.safetensors` });
    expect(raw.metrics).toMatchObject(plain.at(-1)!.metrics as object);
  });

  it("goes on in a resumed run, bit for bit", async () => {
    await runs.start("resumed", [...every, "hooks=[{type: ema, momentum: 0.1}]"], {
      resumeFrom: runs.tiny.path("ema/checkpoints/iter_4"),
    });
    for (const file of ["model", "ema", "optimizer"]) {
      const path = `checkpoints/iter_6/${file}.safetensors`;
      expect(runs.bytes("resumed", path).equals(runs.bytes("ema", path)), file).toBe(true);
    }
    type State = { hooks: Record<string, unknown> };
    expect(runs.json<State>("resumed/checkpoints/iter_6/state.json").hooks.ema).toEqual({ steps: 6 });
  });

  it("begins anew where the checkpoint has none", async () => {
    const { MemoryLogger } = await import("../../helpers/tiny_run.ts");
    const logger = new MemoryLogger();
    await runs.start("late", [...every, "hooks=[{type: ema, momentum: 0.1}]"], {
      resumeFrom: runs.tiny.path("plain/checkpoints/iter_5"),
      logger,
    });
    expect(logger.lines.filter((line) => line.includes("the hook ema"))).toEqual([
      "warning: the checkpoint holds nothing of the hook ema, which begins anew",
    ]);
    const path = "late/checkpoints/iter_6";
    // The first step takes the weights as they are.
    expect(await tensors("late", 6, "ema")).toEqual(await tensors("late", 6, "model"));
    expect(runs.json<{ hooks: object }>(path, "state.json").hooks).toMatchObject({ ema: { steps: 1 } });
  });
});
