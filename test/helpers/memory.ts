import { writeFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs";
import { testCheckpoint } from "../../src/runners/test.ts";
import { silentLogger } from "../../src/util/logger.ts";
import type { HookRuns } from "./hook_run.ts";

/** What is held at one moment. */
export interface MemoryReading {
  /** Updates, or images. */
  readonly at: number;
  readonly tensors: number;
  readonly bytes: number;
  readonly rss: number;
}

function read(at: number, collect: () => void): MemoryReading {
  if (at % 10 === 1) collect();
  const { numTensors: tensors, numBytes: bytes } = tf.memory();
  return { at, tensors, bytes, rss: process.memoryUsage.rss() };
}

/**
 * Trains with evaluations, checkpoints and every hook that keeps tensors, and reads the memory after each update.
 *
 * @param collect called before every tenth reading, from the first on
 */
export async function trainingMemory(
  runs: HookRuns,
  iterations: number,
  collect = () => {},
): Promise<MemoryReading[]> {
  const readings: MemoryReading[] = [];
  const shared = globalThis as { segfuseMemory?: (at: number) => void };
  shared.segfuseMemory = (at) => void readings.push(read(at, collect));
  writeFileSync(
    runs.tiny.path("memory.mjs"),
    `const schema = { type: "object", properties: {}, required: [] };
     const create = () => ({ afterUpdate: ({ iteration }) => globalThis.segfuseMemory(iteration) });
     export default { kind: "hook", type: "memory", description: "reads", stage: "log", schema, create };`,
  );
  try {
    await runs.start(`memory_${iterations}`, [
      `plugins=[${runs.tiny.path("memory.mjs")}]`,
      "hooks=[{type: ema}, {type: profiler}, {type: early_stopping, patience: 9999}, {type: memory}]",
      "log.tensorboard=true",
      "optimizer.clip_norm=10",
      `schedule.iterations=${iterations}`,
      `evaluation.interval=${iterations / 4}`,
      `checkpoint.interval=${iterations / 4}`,
    ]);
  } finally {
    delete shared.segfuseMemory;
  }
  return readings;
}

/** Tests a checkpoint as a user does, and reads the memory after each image. */
export async function evaluationMemory(
  runs: HookRuns,
  checkpoint: string,
  collect = () => {},
): Promise<MemoryReading[]> {
  const readings: MemoryReading[] = [];
  await testCheckpoint({
    loaded: await runs.tiny.load(
      "evaluation.mode=slide",
      "evaluation.scales=[1.0, 1.5]",
      "evaluation.flip=true",
    ),
    checkpoint,
    registry: runs.tiny.registry,
    logger: silentLogger,
    onImage: ({ done }) => void readings.push(read(done, collect)),
  });
  return readings;
}

/** Tensors and bytes of all readings: one entry where they never change. */
export function levels(readings: readonly MemoryReading[]): string[] {
  return [...new Set(readings.map(({ tensors, bytes }) => `${tensors} tensors, ${bytes} bytes`))];
}

/**
 * Growth of resident memory in bytes a step: the median of the slopes between all pairs of readings (Theil 1950, Sen
 * 1968), which single jumps of the allocator and the garbage collector do not move.
 */
export function residentSlope(readings: readonly MemoryReading[]): number {
  const slopes = readings.flatMap((a, i) =>
    readings.slice(i + 1).map((b) => (b.rss - a.rss) / (b.at - a.at)),
  );
  return slopes.sort((a, b) => a - b)[Math.floor(slopes.length / 2)]!;
}

/** Without the first update, at which the moving average still shares the weights' values and no event file is open. */
export function afterFirst(readings: readonly MemoryReading[]): MemoryReading[] {
  return readings.slice(1);
}
