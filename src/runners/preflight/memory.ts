import { readFileSync } from "node:fs";
import { freemem } from "node:os";
import { SegfuseError } from "../../errors.ts";
import { formatBytes } from "../../util/bytes.ts";
import type { NetworkTrace } from "./network.ts";

// What a run takes beside tensors, measured as a child process's largest resident memory (docs/preflight.md).

/** Node, TensorFlow.js, and TensorFlow's library with its threads' work space. */
const processBytes = 570 * 2 ** 20;
/** One worker of the training loader and one of the evaluation loader. */
const workerBytes = 160 * 2 ** 20;
/** Times a checkpoint's size: first weights and checkpoints are copied outside of the engine, and freed late. */
const checkpointCopies = 3.3;

/** A run is refused where it would take this many times what is free. */
const refusedAbove = 2;

export interface MemoryEstimate {
  /** Resident memory at its highest, in bytes. */
  readonly total: number;
  /** Of it: tensors of a training step with the optimiser's state, or of an evaluation where that is more. */
  readonly tensors: number;
}

/**
 * @param run bytes of the optimiser's state, which lies there through the whole run beside the weights, and of one
 *   checkpoint; `data.workers`
 */
export function estimateMemory(
  trace: NetworkTrace,
  run: { readonly optimizerState: number; readonly checkpoint: number; readonly workers: number },
): MemoryEstimate {
  const tensors = Math.max(trace.training, trace.evaluation) + run.optimizerState;
  const beside = processBytes + run.workers * workerBytes + checkpointCopies * run.checkpoint;
  return { tensors, total: Math.round(tensors + beside) };
}

/**
 * Bytes that this process can still take: what the system has available, or less where its control group is
 * limited.
 */
export function availableMemory(): number {
  const reported = /^MemAvailable:\s+(\d+) kB/m.exec(read("/proc/meminfo"))?.[1];
  const system = reported === undefined ? freemem() : 1024 * Number(reported);
  const group = [
    ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"],
    ["/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"],
  ].map(([limit, usage]) => parseBytes(read(limit!)) - (parseBytes(read(usage!), 0) || 0));
  return Math.min(system, ...group.filter((bytes) => bytes > 0));
}

/**
 * A warning where the estimate is above what is free; null where it fits.
 *
 * @throws SegfuseError SEGFUSE_PREFLIGHT where it is more than twice as much: the system would end the run
 */
export function memoryWarning({ total }: MemoryEstimate, available: number): string | null {
  if (total <= available) return null;
  const advice = "a smaller data.batch_size (with optimizer.accumulate), data.crop_size, or with_cp: true";
  if (total > refusedAbove * available)
    throw new SegfuseError("SEGFUSE_PREFLIGHT", "the run needs far more memory than there is", {
      where: "data.batch_size, data.crop_size",
      expected: `at most ${formatBytes(refusedAbove * available)} (twice what is free: ${formatBytes(available)})`,
      found: `about ${formatBytes(total)}`,
      advice,
    });
  return `the run needs about ${formatBytes(total)} of memory, ${formatBytes(available)} are free: ${advice}`;
}

/** "max" and what cannot be read mean no limit. */
function parseBytes(text: string, otherwise = Infinity): number {
  return /^\d+\s*$/.test(text) ? Number(text) : otherwise;
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
