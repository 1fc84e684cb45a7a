import type { Config } from "../config/sections.ts";
import { SegfuseError } from "../errors.ts";
import { metricNames } from "../evaluation/metrics.ts";
import type { Segmentor } from "../models/segmentor.ts";
import { freeBytes } from "./work_dir.ts";

/**
 * What a run checks of its network and its output folder before the first iteration (`checkData` checks the data).
 *
 * @throws SegfuseError `SEGFUSE_PREFLIGHT`
 */
export async function checkTraining(config: Config, segmentor: Segmentor, workDir: string): Promise<void> {
  checkCrop(config, segmentor);
  checkMetric(config);
  await checkSpace(config, segmentor, workDir);
}

/** A crop below the largest stride leaves the deepest level one pixel, made of padding for the most part. */
function checkCrop(config: Config, segmentor: Segmentor): void {
  const stride = Math.max(...segmentor.backbone.levels.map((level) => level.stride));
  const [height, width] = config.data.crop_size;
  if (Math.min(height, width) >= stride) return;
  throw new SegfuseError("SEGFUSE_PREFLIGHT", "training crops are smaller than the backbone's stride", {
    where: "data.crop_size",
    expected: `at least ${stride} in both directions`,
    found: `[${height}, ${width}]`,
  });
}

function checkMetric({ checkpoint: { best } }: Config): void {
  const names: readonly string[] = metricNames;
  if (best === null || names.includes(best)) return;
  throw new SegfuseError(
    "SEGFUSE_PREFLIGHT",
    "the best checkpoint cannot be told by a metric that is not counted",
    {
      where: "checkpoint.best",
      expected: `one of ${names.join(", ")}, or null`,
      found: best,
    },
  );
}

/** Two checkpoints must fit: the old one stays until the new one is whole. */
async function checkSpace(
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
