import type { Config } from "../../config/sections.ts";
import { runTraced } from "../../engine/trace/index.ts";
import { SegfuseError } from "../../errors.ts";
import type { Segmentor } from "../../models/segmentor.ts";
import type { Registry } from "../../kinds.ts";
import { formatBytes } from "../../util/bytes.ts";
import { freeBytes } from "../../util/work_dir.ts";
import { trainableParameters } from "../../training/initial_weights.ts";

/** What a run will write, in bytes. */
export interface DiskEstimate {
  /** Of one checkpoint: weights, the optimiser's state, and the copies of weights that hooks keep. */
  readonly checkpoint: number;
  /** Checkpoints that lie on the disk at one time, the one that is being written included. */
  readonly checkpoints: number;
  readonly total: number;
  /** What can still be written; null where the system does not tell. */
  readonly free: number | null;
}

/** What a run's checkpoints will take, and what there is. */
export async function estimateDisk(
  config: Config,
  segmentor: Segmentor,
  registry: Registry,
  workDir: string,
): Promise<DiskEstimate> {
  const { checkpoint, schedule, hooks } = config;
  let model = 0;
  for (const [, { size }] of segmentor.namedParameters()) model += 4 * size;
  const copies = hooks.reduce((sum, { type }) => sum + (registry.get("hook", type).weightCopies ?? 0), 0);
  const one = model * (1 + copies) + optimizerBytes(config, segmentor, registry);
  const made = Math.ceil(schedule.iterations / checkpoint.interval);
  const forEver =
    checkpoint.keep_every === null ? 0 : Math.floor(schedule.iterations / checkpoint.keep_every);
  // An old one stays until the new one is whole; the best one may be older than all of them.
  const kept = checkpoint.keep_last + 1 + forEver + (checkpoint.best === null ? 0 : 1);
  const checkpoints = Math.min(made + (checkpoint.best === null ? 0 : 1), kept);
  return { checkpoint: one, checkpoints, total: one * checkpoints, free: await freeBytes(workDir) };
}

/** Of an optimiser's state, which is made from shapes alone. */
export function optimizerBytes({ optimizer }: Config, segmentor: Segmentor, registry: Registry): number {
  const { result } = runTraced(() => {
    const parameters = trainableParameters(segmentor);
    const made = registry.make("optimizer", optimizer, { parameters });
    let bytes = 0;
    for (const { size } of made.state().values()) bytes += 4 * size;
    made.dispose();
    return bytes;
  });
  return result;
}

/** @throws SegfuseError SEGFUSE_PREFLIGHT where the checkpoints do not fit */
export function requireDisk({ checkpoint, total, free }: DiskEstimate, workDir: string): void {
  if (free === null || free >= total) return;
  throw new SegfuseError("SEGFUSE_PREFLIGHT", "the disk is too full for the run's checkpoints", {
    where: workDir,
    expected: `${formatBytes(total)} (checkpoints of ${formatBytes(checkpoint)})`,
    found: `${formatBytes(free)} free`,
    advice: "make room, another --work-dir, or a smaller checkpoint.keep_last",
  });
}
