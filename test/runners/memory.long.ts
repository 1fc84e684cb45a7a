import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, expect, it } from "vitest";
import { useEngine } from "../helpers/engine.ts";
import { HookRuns } from "../helpers/hook_run.ts";
import { afterFirst, evaluationMemory, levels, residentSlope, trainingMemory } from "../helpers/memory.ts";

let runs: HookRuns;
beforeAll(async () => {
  await useEngine();
  runs = new HookRuns({ val: 500 });
});
afterAll(() => runs.remove());

// Garbage is collected when V8 likes to, which is no leak: here before each reading that counts.
setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Every tenth reading after a quarter of them: until then caches and the heap find their size. */
const settled = <T>(readings: readonly T[]) =>
  readings.filter((_, i) => i >= readings.length / 4 && i % 10 === 0);

it("stays flat over 2,000 updates, with evaluations, checkpoints and hooks", async () => {
  const readings = await trainingMemory(runs, 2000, collect);
  expect(readings).toHaveLength(2000);
  expect(levels(afterFirst(readings))).toHaveLength(1);
  const slope = residentSlope(settled(readings));
  console.log(
    `training: ${levels(afterFirst(readings)).join()}, resident ${slope.toFixed(0)} bytes an update`,
  );
  // Falling is no leak. One gradient of the smallest layers kept by mistake would be more: the network's are 0.3 MB an update.
  expect(slope).toBeLessThan(2048);
});

it("stays flat over an evaluation of 500 images", async () => {
  await runs.start("evaluated", ["schedule.iterations=1"]);
  const checkpoint = runs.tiny.path("evaluated");
  // The first one is warm-up: the heap of JavaScript finds its size in some 300 images.
  await evaluationMemory(runs, checkpoint);
  const readings = await evaluationMemory(runs, checkpoint, collect);
  expect(readings).toHaveLength(500);
  expect(levels(readings)).toHaveLength(1);
  const slope = residentSlope(settled(readings));
  console.log(`evaluation: ${levels(readings).join()}, resident ${slope.toFixed(0)} bytes an image`);
  // One image's labels are 2 kB, its pixels 23 kB.
  expect(slope).toBeLessThan(8192);
});
