import { spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, watch } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { Random } from "../../src/util/random.ts";
import { root, segfuseProgram } from "./built.ts";
import type { TinyRun } from "./tiny_run.ts";

/** Many checkpoints and evaluations, every update in the log, and files that take a moment to write. */
const settings = [
  "evaluation.interval=5",
  "checkpoint.interval=2",
  "checkpoint.keep_every=10",
  "log.interval=1",
  "model.backbone.base_channels=16",
];

export interface Ending {
  /** Null where a signal ended the process. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

/** `segfuse train` (or another program) as a child process that a test can watch and end. */
export class RunProcess {
  /** What it has told so far: its standard error, and standard output where that was asked for. */
  stderr = "";
  readonly ended: Promise<Ending>;
  readonly child: ChildProcess;
  private readonly readers: ((text: string) => void)[] = [];

  /** @param options its environment is added to ours */
  constructor(command: readonly string[], options: SpawnOptions = {}) {
    const [program = "", ...args] = command;
    this.child = spawn(program, args, {
      cwd: root,
      stdio: ["ignore", "ignore", "pipe"],
      ...options,
      env: { ...process.env, ...options.env },
    });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.stderr += text;
        for (const read of this.readers) read(this.stderr);
      });
    this.ended = new Promise((resolve, reject) => {
      this.child.on("error", reject);
      this.child.on("close", (code, signal) => resolve({ code, signal, stderr: this.stderr }));
    });
  }

  /** Calls back once, when what the process has told on standard error matches. */
  onText(pattern: RegExp, action: () => void): void {
    let isDone = false;
    const read = (text: string) => {
      if (isDone || !pattern.test(text)) return;
      isDone = true;
      action();
    };
    this.readers.push(read);
    read(this.stderr);
  }

  /** Waits for a text as {@link onText} does. */
  told(pattern: RegExp): Promise<void> {
    return new Promise((resolve, reject) => {
      this.onText(pattern, resolve);
      void this.ended.then(({ stderr }) => reject(new Error(`ended without ${pattern}:\n${stderr}`)));
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }
}

/** A run that is started again and again. */
export interface Plan {
  readonly tiny: TinyRun;
  readonly iterations: number;
}

/** The arguments that start or go on with the run in `workDir`. */
export function trainArguments({ tiny, iterations }: Plan, workDir: string, ...set: string[]): string[] {
  const options = [...settings, `schedule.iterations=${iterations}`, ...set].flatMap((value) => [
    "--set",
    value,
  ]);
  return ["train", tiny.config, "--work-dir", workDir, "--resume", ...options];
}

/** Starts or goes on with the run in `workDir`. */
export function trainProcess(plan: Plan, workDir: string, ...set: string[]): RunProcess {
  return new RunProcess([...segfuseProgram, ...trainArguments(plan, workDir, ...set)]);
}

export type Moment = "checkpoint" | "iteration" | "evaluation";

/**
 * Trains until a moment that `random` chooses, and kills the process there with SIGKILL.
 *
 * @returns the moment at which it was really killed: a checkpoint that was just whole is an iteration
 */
export async function killAt(
  moment: Moment,
  plan: Plan,
  workDir: string,
  random: Random,
): Promise<Moment | "ended"> {
  const checkpoints = join(workDir, "checkpoints");
  mkdirSync(checkpoints, { recursive: true });
  const before = existsSync(join(workDir, "run.jsonl")) ? lastIteration(workDir) : 0;
  const run = trainProcess(plan, workDir, `data.workers=${1 + random.integer(2)}`);
  const skip = random.integer(2);
  let seen = 0;
  const watcher = watch(checkpoints, (_event, name) => {
    if (moment !== "checkpoint" || name === null || !/^\.iter_\d+\..*\.tmp$/.test(name)) return;
    // The folder's name comes with its making and with its end.
    if (existsSync(join(checkpoints, name)) && seen++ >= skip)
      setTimeout(() => run.kill("SIGKILL"), random.integer(8));
  });
  if (moment === "iteration") {
    const target = before + 1 + random.integer(3);
    run.onText(new RegExp(`iter ${target}/`), () =>
      setTimeout(() => run.kill("SIGKILL"), random.integer(60)),
    );
  }
  if (moment === "evaluation") run.onText(/evaluate {2}1\//, () => run.kill("SIGKILL"));
  const { signal, stderr, code } = await run.ended;
  watcher.close();
  if (code === 0) return "ended";
  expect(signal, stderr).toBe("SIGKILL");
  if (moment !== "checkpoint") return moment;
  return isInsideCheckpoint(checkpoints) ? "checkpoint" : "iteration";
}

/** A temporary folder is left, or `last` does not name the newest checkpoint yet. */
function isInsideCheckpoint(checkpoints: string): boolean {
  const names = readdirSync(checkpoints);
  if (names.some((name) => name.endsWith(".tmp"))) return true;
  const newest = Math.max(...names.map((name) => Number(/^iter_(\d+)$/.exec(name)?.[1] ?? 0)));
  const last = names.includes("last") ? readFileSync(join(checkpoints, "last"), "utf8").trim() : "";
  return last !== `iter_${newest}`;
}

function lastIteration(workDir: string): number {
  return Math.max(0, ...records(workDir).map(({ iteration }) => iteration));
}

interface LogRecord {
  readonly event: string;
  readonly iteration: number;
  readonly [key: string]: unknown;
}

function records(workDir: string): LogRecord[] {
  const lines = readFileSync(join(workDir, "run.jsonl"), "utf8").split("\n");
  return lines.flatMap((line) => {
    try {
      return [JSON.parse(line) as LogRecord];
    } catch {
      return []; // half a line of a run that was killed
    }
  });
}

/** Ends a run and compares all that it leaves with another run's: every byte but times. */
export async function finishAndCompare(plan: Plan, workDir: string, reference: string): Promise<void> {
  const { code, stderr } = await trainProcess(plan, workDir, "data.workers=2").ended;
  expect(code, stderr).toBe(0);
  compareRuns(workDir, reference);
}

/** Weights, optimiser, state but for times, kept checkpoints, pointers, and each update's and evaluation's record. */
export function compareRuns(workDir: string, reference: string): void {
  const [ours, theirs] = [workDir, reference].map((folder) => join(folder, "checkpoints")) as [
    string,
    string,
  ];
  expect(readdirSync(ours).sort()).toEqual(readdirSync(theirs).sort());
  for (const name of readdirSync(theirs)) {
    if (!name.startsWith("iter_")) {
      expect(readFileSync(join(ours, name), "utf8"), name).toBe(readFileSync(join(theirs, name), "utf8"));
      continue;
    }
    for (const file of ["model.safetensors", "optimizer.safetensors"]) {
      const isSame = readFileSync(join(ours, name, file)).equals(readFileSync(join(theirs, name, file)));
      expect(isSame, `${name}/${file}`).toBe(true);
    }
    expect(stateOf(join(ours, name)), name).toEqual(stateOf(join(theirs, name)));
  }
  for (const event of ["train", "evaluate"])
    expect(plainRecords(workDir, event)).toEqual(plainRecords(reference, event));
}

function stateOf(folder: string): unknown {
  const state = JSON.parse(readFileSync(join(folder, "state.json"), "utf8")) as Record<string, unknown>;
  return { ...state, train_seconds: 0, sha256: "" };
}

function plainRecords(workDir: string, event: string): unknown[] {
  const measured = [
    "time",
    "seconds",
    "seconds_per_iteration",
    "data_wait_share",
    "eta_seconds",
    "memory_mb",
  ];
  return records(workDir)
    .filter((record) => record.event === event)
    .map((record) =>
      Object.fromEntries(Object.entries(record).filter(([key]) => ![...measured, "tensors"].includes(key))),
    );
}
