import { existsSync } from "node:fs";
import { join } from "node:path";
import type { LoadedStudy, StudyRow } from "../config/study.ts";
import { withSeed, type LoadedConfig } from "../config/load.ts";
import { SegfuseError } from "../errors.ts";
import type { Registry } from "../kinds.ts";
import type { Wiring } from "../registry/scope.ts";
import { unequalMetrics } from "../reports/extra_metrics.ts";
import { saidMetrics } from "../reports/metrics.ts";
import { studyRemarks } from "../reports/facts.ts";
import { percent } from "../reports/numbers.ts";
import { createStudyReport, studyRun, type StudyRowInputs } from "../reports/create.ts";
import { readReport, writeStudyReport } from "../reports/files.ts";
import type { Report } from "../reports/schema.ts";
import type { StudyReport, StudyRun } from "../reports/study_schema.ts";
import { placeFolder } from "../util/file_system.ts";
import { titled, type Logger } from "../util/logger.ts";
import { segfuseVersion } from "../util/versions.ts";
import {
  CheckpointFolder,
  findCheckpoint,
  readState,
  sha256Of,
  verifyCheckpoint,
  weightsFile,
} from "../checkpoints/folder.ts";
import { checkStop } from "../util/interruption.ts";
import type { RunProgress } from "../training/progress.ts";
import { checkTestData } from "./study_data.ts";
import { checkRowWeights, freshClassifier } from "./study_weights.ts";
import { StudyClock } from "./study_clock.ts";
import { drawSamples, SampleKeeper } from "./study_samples.ts";
import { testCheckpoint } from "./test.ts";
import { train } from "./train.ts";
import { checkWorkDir } from "../util/work_dir.ts";
import { pretrainedOf } from "../training/initial_weights.ts";

/** Where a study stands. */
export interface StudyProgress extends RunProgress {
  readonly row: string;
  readonly seed: number;
  /** This run's number, from 1, and how many there are: rows × seeds. */
  readonly run: number;
  readonly runs: number;
  /** Of the whole study; not finite before the first update. */
  readonly studyEtaSeconds: number;
}

export interface StudyInputs {
  readonly study: LoadedStudy;
  readonly workDir: string;
  readonly registry: Registry;
  readonly logger: Logger;
  readonly onProgress?: ((progress: StudyProgress) => void) | undefined;
  /** Go on where a study was left: finished runs are kept, a begun one goes on from its last checkpoint. */
  readonly resume?: boolean | undefined;
  /** Aborted, the study stops as `train` and `testCheckpoint` do, and throws `RunStopped`. */
  readonly stop?: AbortSignal | undefined;
  /** Registers parts in the place of each run's own; called for every training and every evaluation. */
  readonly wire?: Wiring | undefined;
}

/** What a run leaves for the rows behind it and for the table. */
interface FinishedRun {
  readonly report: Report;
  readonly checkpoint: string;
  /** Null where nothing was trained. */
  readonly trainSeconds: number | null;
  /** What earlier sessions of a resumed study have spent on it. */
  readonly earlierSeconds: number;
}

/**
 * Trains and evaluates every row of a study, each after those that it starts from, once a seed, and writes
 * the table: `WORK_DIR/report.{json,md,html}`, each run in `WORK_DIR/ROW/seed_N/`. A row is evaluated with
 * its last checkpoint; nothing is chosen by the split that is reported.
 *
 * @throws SegfuseError of `train` and `testCheckpoint`, and of the output folder
 * @throws RunStopped where `stop` was aborted
 */
export async function runStudy(inputs: StudyInputs): Promise<StudyReport> {
  const { study, workDir, resume = false } = inputs;
  await checkRowWeights(study, inputs.registry);
  await checkWorkDir(workDir, resume);
  await checkTestData(study);
  const started = performance.now();
  const clock = new StudyClock(study.rows, study.seeds.length);
  const finished = new Map<string, FinishedRun>();
  for (const seed of study.seeds) {
    for (const row of study.rows) {
      clock.begin();
      const run = await runRow(inputs, row, seed, finished, clock);
      finished.set(key(row.name, seed), run);
    }
  }
  const earlier = [...finished.values()].reduce((total, run) => total + run.earlierSeconds, 0);
  const seconds = earlier + (performance.now() - started) / 1000;
  return writeTable(inputs, finished, seconds);
}

async function runRow(
  inputs: StudyInputs,
  row: StudyRow,
  seed: number,
  finished: ReadonlyMap<string, FinishedRun>,
  clock: StudyClock,
): Promise<FinishedRun> {
  const { study, registry, onProgress, resume = false, stop, wire } = inputs;
  checkStop(stop);
  const runDir = runFolder(inputs.workDir, row.name, seed);
  const name = study.seeds.length > 1 ? `${row.name}, seed ${seed}` : row.name;
  const logger = titled(`[${clock.run}/${clock.runs}] ${name}`, inputs.logger);
  const loaded = withSeed(row.loaded, seed);
  const source = row.initFrom ?? row.weightsFrom;
  const from = source === null ? undefined : finished.get(key(source, seed));
  const show = (progress: RunProgress) => {
    const studyEtaSeconds = clock.left(progress);
    onProgress?.({ ...progress, row: row.name, seed, run: clock.run, runs: clock.runs, studyEtaSeconds });
  };

  const initialWeights = resume ? await weightsOf(row, loaded, from) : [];
  const isSame = resume && (await isRunOf(runDir, row, loaded.hash, initialWeights));
  const kept = isSame ? await finishedRun(runDir, loaded.hash, row, from) : null;
  if (kept !== null) {
    logger.info("finished already");
    return kept;
  }
  if (resume && !isSame) putAside(runDir, logger);
  const shared = { loaded, registry, logger, onProgress: show, stop, wire };
  let checkpoint = from?.checkpoint;
  let trainSeconds: number | null = null;
  let earlierSeconds = 0;
  if (row.weightsFrom === null) {
    const result = await train({
      ...shared,
      workDir: runDir,
      initFrom: from?.checkpoint,
      // The classifier's input is the row's own: it has as many maps as the neck makes.
      allowFresh: row.initFrom === null ? [] : [freshClassifier],
      resume: isSame,
    });
    ({ checkpoint, trainSeconds, earlierSeconds } = result);
  }
  if (checkpoint === undefined) {
    throw new SegfuseError("SEGFUSE_INTERNAL", `the row '${row.name}' has no weights`, { where: study.path });
  }
  const keeper = new SampleKeeper(runDir);
  const report = await testCheckpoint({
    ...shared,
    checkpoint,
    outDir: runDir,
    workDir: inputs.workDir,
    onImage: keeper.keep,
  });
  const { mIoU, aAcc } = report.metrics;
  logger.info(`${report.dataset.split}: mIoU ${percent(mIoU)}, aAcc ${percent(aAcc)}`);
  return { report, checkpoint, trainSeconds, earlierSeconds };
}

/** SHA-256 of the files that a row's first weights come from, in the order in which `initialiseWeights` reads them. */
async function weightsOf(
  row: StudyRow,
  { config, registry }: LoadedConfig,
  from: FinishedRun | undefined,
): Promise<string[]> {
  const initFrom = from?.checkpoint ?? config.init_from;
  const files = [
    ...(row.weightsFrom === null ? [pretrainedOf(config, registry).pretrained] : []),
    initFrom === null ? null : (await findCheckpoint(initFrom, "last")).weights,
  ];
  return Promise.all(files.filter((file) => file !== null).map(sha256Of));
}

/**
 * Whether the folder holds a run of this config, finished or begun, that started from these weights and was made by
 * this version of segfuse. A checkpoint that cannot be read is left to `train`, which falls back to the one before.
 */
async function isRunOf(
  runDir: string,
  row: StudyRow,
  hash: string,
  initialWeights: readonly string[],
): Promise<boolean> {
  if (row.weightsFrom !== null) {
    const found = await readReport(runDir).catch(() => null);
    if (found?.kind !== "report") return true;
    const { checkpoint, versions, config } = found.report;
    const isSame = config.hash === hash && checkpoint?.sha256 === initialWeights[0];
    return isSame && versions["segfuse"] === segfuseVersion();
  }
  const folder = new CheckpointFolder(runDir);
  const iterations = await folder.iterations();
  for (const iteration of iterations) {
    const state = await readState(folder.of(iteration)).catch(() => null);
    if (state === null) continue;
    const isSame = state.config_hash === hash && state.initial_weights.join() === initialWeights.join();
    return isSame && state.version === segfuseVersion();
  }
  // A run that was stopped before its first checkpoint has nothing that is worth keeping.
  return iterations.length === 0;
}

/** Renames a folder whose run started from other weights, had another config or is of another version: it is kept, and the row runs anew. */
function putAside(runDir: string, logger: Logger): void {
  if (!existsSync(runDir)) return;
  for (let n = 1; ; n++) {
    const aside = `${runDir}.old_${n}`;
    if (existsSync(aside)) continue;
    placeFolder(runDir, aside, []);
    logger.info(
      `another config, other first weights or another version: the earlier run is kept as ${aside}`,
    );
    return;
  }
}

/** A run that an earlier study finished with the same config, or null. */
async function finishedRun(
  runDir: string,
  hash: string,
  row: StudyRow,
  from: FinishedRun | undefined,
): Promise<FinishedRun | null> {
  const found = await readReport(runDir).catch(() => null);
  if (found?.kind !== "report" || found.report.config.hash !== hash) return null;
  const { report } = found;
  const { evaluation_seconds: evaluationSeconds } = report.times;
  if (row.weightsFrom !== null) {
    const { checkpoint } = from ?? {};
    if (checkpoint === undefined) return null;
    return { report, checkpoint, trainSeconds: null, earlierSeconds: evaluationSeconds };
  }
  const checkpoint = await new CheckpointFolder(runDir).named("last");
  if (checkpoint === null) return null;
  const state = await verifyCheckpoint(checkpoint).catch(() => null);
  if (state === null || report.checkpoint?.sha256 !== state.files[weightsFile(state)]?.sha256) return null;
  const { train_seconds: trainSeconds } = state;
  return { report, checkpoint, trainSeconds, earlierSeconds: trainSeconds + evaluationSeconds };
}

async function writeTable(
  { study, workDir, logger }: StudyInputs,
  finished: ReadonlyMap<string, FinishedRun>,
  seconds: number,
): Promise<StudyReport> {
  const [firstSeed] = study.seeds;
  const runsOf = (row: StudyRow) => study.seeds.map((seed) => finished.get(key(row.name, seed))!);
  const byName = new Map(study.rows.map((row) => [row.name, row]));
  const rows = study.rows.map((row): StudyRowInputs => {
    const runs = runsOf(row);
    return {
      name: row.name,
      label: row.label,
      paper: { ...row.paper },
      init_from: row.initFrom,
      weights_from: row.weightsFrom,
      iterations: ownIterations(row),
      total_iterations: totalIterations(row, byName),
      parameters: runs[0]!.report.parameters,
      runs: runs.map(({ report, trainSeconds }): StudyRun => studyRun(report, trainSeconds)),
    };
  });
  const last = study.rows.at(-1)!;
  const { report } = runsOf(last)[0]!;
  const places = study.rows.map(({ name, label }) => ({
    label,
    runDir: runFolder(workDir, name, firstSeed!),
  }));
  const { samples, pictures } = await drawSamples(last.loaded, places);
  const { type, split, fingerprint, images, classes, palette } = report.dataset;
  const reports = study.rows.flatMap(runsOf).map((run) => run.report);
  const extra = saidMetrics(...reports);
  const table = createStudyReport({
    title: study.title,
    metric: study.metric,
    baseline: study.baseline,
    seeds: [...study.seeds],
    dataset: { type, split, fingerprint, images, classes, palette },
    ...(extra.length > 0 && { extra_metrics: extra }),
    rows,
    constant_guess: report.constant_guess,
    notes: [
      ...settings(study),
      ...unequalMetrics(reports),
      ...studyRemarks(
        study.rows.map((row) => ({ label: row.label, reports: runsOf(row).map((run) => run.report) })),
      ),
    ],
    samples,
    engine: report.engine,
    versions: report.versions,
    seconds,
  });
  await writeStudyReport(workDir, table, pictures);
  logger.info(`reports: ${join(workDir, "report.html")}, report.md, report.json`);
  return table;
}

/** The settings that make the numbers what they are, one note for each group of rows that share them. */
function settings(study: LoadedStudy): string[] {
  const groups = new Map<string, string[]>();
  for (const { label, loaded, weightsFrom } of study.rows) {
    const { model, data, optimizer, schedule } = loaded.config;
    const text =
      weightsFrom !== null
        ? `no training, the weights of ${weightsFrom}`
        : `${model.backbone.type}${typeof model.backbone["depth"] === "number" ? ` ${model.backbone["depth"]}` : ""}, ` +
          `${schedule.iterations} iterations of ${data.batch_size * optimizer.accumulate} images, ` +
          `crop ${data.crop_size.join("×")}, learning rate ${optimizer.lr}`;
    groups.set(text, [...(groups.get(text) ?? []), label]);
  }
  return [...groups].map(([text, labels]) => `${labels.join(", ")}: ${text}.`);
}

function ownIterations({ weightsFrom, loaded }: StudyRow): number {
  return weightsFrom === null ? loaded.config.schedule.iterations : 0;
}

function totalIterations(row: StudyRow, byName: ReadonlyMap<string, StudyRow>): number {
  const source = byName.get(row.initFrom ?? row.weightsFrom ?? "");
  return ownIterations(row) + (source === undefined ? 0 : totalIterations(source, byName));
}

function runFolder(workDir: string, row: string, seed: number): string {
  return join(workDir, row, `seed_${seed}`);
}

function key(row: string, seed: number): string {
  return `${row}/${seed}`;
}
