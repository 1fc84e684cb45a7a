import { shortList } from "../util/short_list.ts";
import { basename } from "node:path";
import { decisiveConfig } from "../config/hash.ts";
import type { LoadedConfig } from "../config/load.ts";
import { SegfuseError } from "../errors.ts";
import { fileShape } from "../weights/layout.ts";
import { SafetensorsFile } from "../weights/safetensors.ts";
import { assign } from "../weights/load.ts";
import type { Parameter } from "../nn/parameter.ts";
import { globMatcher } from "../util/glob.ts";
import type { Logger } from "../util/logger.ts";
import { CheckpointFolder, checkpointFolder, verifyCheckpoint, type CheckpointState } from "./folder.ts";

/** A whole checkpoint that a run goes on from. */
export interface ResumePoint {
  readonly folder: string;
  readonly state: CheckpointState;
}

/** Which run is asked to go on. */
export interface ResumeInputs {
  readonly workDir: string;
  /** From the work folder's newest whole checkpoint; null is returned where there is none. */
  readonly resume: boolean;
  /** From this checkpoint or the `last` of this work folder, which must be whole. */
  readonly resumeFrom: string | undefined;
  readonly logger: Logger;
}

/**
 * Finds what a run goes on from, and compares every byte of it with what was written. With `resume` a damaged
 * checkpoint is named and the one before it is taken.
 *
 * @throws SegfuseError `SEGFUSE_CHECKPOINT`, `SEGFUSE_CHECKPOINT_DAMAGED`
 */
export async function findResumePoint(inputs: ResumeInputs): Promise<ResumePoint | null> {
  const { workDir, resume, resumeFrom, logger } = inputs;
  if (resumeFrom !== undefined) {
    const folder = await checkpointFolder(resumeFrom, "last");
    if (folder !== null) return { folder, state: await verifyCheckpoint(folder) };
    throw new SegfuseError("SEGFUSE_CHECKPOINT", "a weight file is no place to resume from", {
      where: resumeFrom,
      expected: "an iter_N folder, which holds the optimiser's state as well",
      advice: "init_from starts a new run from the weights",
    });
  }
  if (!resume) return null;
  const point = await newestWhole(workDir, logger);
  if (point === null) logger.info(`nothing to resume in ${workDir}: starting from the beginning`);
  return point;
}

async function newestWhole(workDir: string, logger: Logger): Promise<ResumePoint | null> {
  const checkpoints = new CheckpointFolder(workDir);
  const last = await checkpoints.named("last");
  const newest = last === null ? Infinity : Number(basename(last).replace(/\D/g, ""));
  // What is newer than `last` is of a run that was left for an earlier checkpoint, or was not pointed to yet.
  const folders = (await checkpoints.iterations())
    .filter((iteration) => iteration < newest)
    .map((iteration) => checkpoints.of(iteration));
  if (last !== null) folders.unshift(last);
  for (const folder of folders) {
    try {
      return { folder, state: await verifyCheckpoint(folder) };
    } catch (error) {
      if (!(error instanceof SegfuseError) || error.code !== "SEGFUSE_CHECKPOINT_DAMAGED") throw error;
      const { where, found, expected } = error.details;
      const wanted = expected === undefined ? "" : `, expected ${expected}`;
      logger.warn(`${folder} is damaged and passed over: ${where}: ${found}${wanted}`);
    }
  }
  if (folders.length === 0) return null;
  throw new SegfuseError("SEGFUSE_CHECKPOINT_DAMAGED", "no checkpoint of the run is whole", {
    where: checkpoints.folder,
    found: `${folders.map((folder) => basename(folder)).join(", ")}, all damaged`,
    advice: "start again in another --work-dir; init_from may still read a weight file",
  });
}

/** What may differ between a checkpoint's config and the one that goes on: it leaves the training alone. */
const free = ["evaluation", "checkpoint", "hooks", "engine", "allow_fresh", "data.val", "data.test"];

/**
 * Refuses to go on with another model, data set, optimiser, schedule or seed. What else differs is told.
 *
 * @param fingerprint of the training split
 * @param allowed patterns of keys that may differ all the same
 * @throws SegfuseError `SEGFUSE_RESUME_MISMATCH` naming the keys
 */
export function checkSameRun(
  { folder, state }: ResumePoint,
  loaded: LoadedConfig,
  fingerprint: string,
  allowed: readonly string[],
  logger: Logger,
): void {
  const isAllowed = allowed.map(globMatcher);
  const changes = differences(state.config, decisiveConfig(loaded.config, loaded.paths));
  if (state.data_fingerprint !== fingerprint) {
    changes.push({ key: "data.train", before: state.data_fingerprint, now: `${fingerprint} (the samples)` });
  }
  const isFree = ({ key }: Difference) =>
    free.some((part) => key === part || key.startsWith(`${part}.`)) ||
    isAllowed.some((matches) => matches(key));
  const wrong = changes.filter((change) => !isFree(change));
  if (wrong.length > 0) {
    const list = (side: "before" | "now") =>
      shortList(wrong.map((change) => `${change.key} ${change[side]}`));
    throw new SegfuseError("SEGFUSE_RESUME_MISMATCH", "the checkpoint is of another run", {
      where: folder,
      expected: list("before"),
      found: list("now"),
      advice:
        "the config that it was trained with; init_from to start a new run from its weights; or " +
        `${wrong
          .slice(0, 2)
          .map(({ key }) => `--allow-change ${key}`)
          .join(" ")} to go on all the same`,
    });
  }
  for (const { key, before, now } of changes)
    logger.warn(`${key} was ${before} up to here, from here on it is ${now}`);
}

interface Difference {
  /** Dotted path. */
  readonly key: string;
  readonly before: string;
  readonly now: string;
}

/** Where two configs differ. Of components of another type only the type is told: their options have nothing in common. */
function differences(before: unknown, now: unknown, key = ""): Difference[] {
  if (JSON.stringify(before) === JSON.stringify(now)) return [];
  if (!isRecord(before) || !isRecord(now)) return [{ key, before: shownValue(before), now: shownValue(now) }];
  const inner = (name: string) => (key === "" ? name : `${key}.${name}`);
  if (before.type !== now.type) return differences(before.type, now.type, inner("type"));
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  return names.flatMap((name) => differences(before[name], now[name], inner(name)));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function shownValue(value: unknown): string {
  if (value === undefined) return "absent";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/**
 * Gives parameters the values that a checkpoint's file holds for them.
 *
 * @throws SegfuseError `SEGFUSE_WEIGHTS_SHAPE` where a tensor is missing or has another shape
 */
export async function loadState(parameters: ReadonlyMap<string, Parameter>, path: string): Promise<void> {
  const file = await SafetensorsFile.open(path);
  try {
    for (const [name, parameter] of parameters) {
      const wanted = fileShape(parameter.layout, parameter.shape);
      const found = file.entries.get(name)?.shape;
      if (found?.join() !== wanted.join()) {
        throw new SegfuseError("SEGFUSE_WEIGHTS_SHAPE", "a checkpoint's state does not fit the config", {
          where: path,
          expected: `${name} [${wanted.join(", ")}]`,
          found: found === undefined ? "nothing of that name" : `[${found.join(", ")}]`,
        });
      }
      assign(parameter, await file.readFloats(name));
    }
  } finally {
    await file.close();
  }
}
