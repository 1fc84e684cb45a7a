import type { Config } from "../config/sections.ts";
import { SegfuseError } from "../errors.ts";
import type { Segmentor } from "../models/segmentor.ts";
import { freeBytes } from "./work_dir.ts";

/**
 * Checks that the disk has room for a run's checkpoints. Two of them must always fit: an old one stays until
 * the new one is whole.
 *
 * @throws SegfuseError `SEGFUSE_PREFLIGHT`
 */
export async function checkDiskSpace(
  { checkpoint, schedule }: Config,
  segmentor: Segmentor,
  workDir: string,
): Promise<void> {
  let numbers = 0;
  for (const [, { size, trainable }] of segmentor.namedParameters()) numbers += trainable ? 2 * size : size;
  const bytes = 4 * numbers;
  const made = Math.ceil(schedule.iterations / checkpoint.interval);
  const needed = bytes * Math.min(made, checkpoint.keep_last + 1);
  const free = await freeBytes(workDir);
  if (free === null || free >= needed) return;
  const megabytes = (n: number) => `${Math.ceil(n / 2 ** 20)} MiB`;
  throw new SegfuseError("SEGFUSE_PREFLIGHT", "the disk is too full for the run's checkpoints", {
    where: workDir,
    expected: `${megabytes(needed)} (checkpoints of ${megabytes(bytes)})`,
    found: `${megabytes(free)} free`,
    advice: "make room, another --work-dir, or a smaller checkpoint.keep_last",
  });
}
