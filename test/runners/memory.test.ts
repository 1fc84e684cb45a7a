import { afterAll, beforeAll, expect, it } from "vitest";
import { useEngine } from "../helpers/engine.ts";
import { HookRuns } from "../helpers/hook_run.ts";
import { afterFirst, evaluationMemory, levels, trainingMemory } from "../helpers/memory.ts";

// A small part of memory.long.ts: tensors and bytes are counted exactly, so that few updates show a leak.

let runs: HookRuns;
beforeAll(async () => {
  await useEngine();
  runs = new HookRuns({ val: 12 });
});
afterAll(() => runs.remove());

it("holds the same tensors and bytes after each update and each image", async () => {
  const training = await trainingMemory(runs, 60);
  expect(training).toHaveLength(60);
  expect(levels(afterFirst(training))).toHaveLength(1);
  const evaluation = await evaluationMemory(runs, runs.tiny.path("memory_60"));
  expect(evaluation).toHaveLength(12);
  expect(levels(evaluation)).toHaveLength(1);
});
