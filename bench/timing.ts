import * as tf from "@tensorflow/tfjs";

/** Median wall time and median processor time (all threads) of one run, in milliseconds. */
export interface Timing {
  wall: number;
  cpu: number;
}

/**
 * Times candidates in turn, so that what else the machine does meets all of them alike. The processor time
 * hardly depends on it.
 */
export function interleaved(
  candidates: Record<string, () => unknown>,
  repetitions: number,
): Record<string, Timing> {
  const samples = Object.fromEntries(
    Object.keys(candidates).map((name) => [name, { wall: [] as number[], cpu: [] as number[] }]),
  );
  for (let i = -2; i < repetitions; i++)
    for (const [name, run] of Object.entries(candidates)) {
      const before = process.cpuUsage();
      const start = performance.now();
      tf.tidy(() => void run());
      const wall = performance.now() - start;
      const { user, system } = process.cpuUsage(before);
      if (i < 0) continue;
      samples[name]!.wall.push(wall);
      samples[name]!.cpu.push((user + system) / 1000);
    }
  return Object.fromEntries(
    Object.entries(samples).map(([name, { wall, cpu }]) => [name, { wall: median(wall), cpu: median(cpu) }]),
  );
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1]!;
}
