import type { BestScore, FinishedUpdate, PendingHooks } from "../checkpoints/state.ts";
import type { EvaluationResult } from "../evaluation/contracts.ts";
import { RunStopped } from "../util/interruption.ts";
import type { RunControl } from "./hooks/contracts.ts";
import type { ChangingState } from "./run_checkpoints.ts";
import type { RunRecord } from "./run_log.ts";
import type { Needs } from "./tokens.ts";

/** Data, the step and what happens around it. The hooks are made with the loop: it asks for them when it runs. */
type LoopParts = Needs<
  | "loaded"
  | "resumed"
  | "loader"
  | "step"
  | "hooks"
  | "validation"
  | "best"
  | "checkpoints"
  | "folder"
  | "stop"
>;

export interface TrainingOutcome {
  /** Folder of the last checkpoint. */
  readonly checkpoint: string;
  readonly best: BestScore | null;
  /** The newest update's losses. */
  readonly losses: Readonly<Record<string, number>>;
  /** Wall-clock time, evaluations and checkpoints included, over all resumes. */
  readonly trainSeconds: number;
}

/**
 * The loop over updates. What happens around them is hooks (log, evaluation, checkpoints and a config's own);
 * the loop itself updates, and does what hooks ask of it. Nothing is written before the first update has
 * succeeded, so that a run that cannot work (memory, a single value per channel) leaves nothing.
 */
export class TrainingLoop implements RunControl {
  readonly iterations: number;
  iteration: number;
  lastUpdate: FinishedUpdate | null = null;
  private readonly started = performance.now();
  /** The newest evaluation and checkpoint of this process, by the updates done at that time. */
  private evaluated: { iteration: number; result: EvaluationResult } | null = null;
  private saved: { iteration: number; folder: string } | null = null;
  /** The work folder is made and the log begun. */
  private hasBegun = false;
  private pending: PendingHooks | null = null;
  private stopReason: string | null = null;

  constructor(private readonly parts: LoopParts) {
    this.iterations = parts.loaded.config.schedule.iterations;
    this.iteration = parts.resumed?.state.iteration ?? 0;
  }

  get best(): BestScore | null {
    return this.parts.best.score;
  }

  get isEnding(): boolean {
    return this.iteration >= this.iterations || this.stopReason !== null;
  }

  requestStop(reason: string): void {
    this.stopReason ??= reason;
  }

  /** The hooks' state and tensors are loaded by now. */
  async run(): Promise<TrainingOutcome> {
    const { hooks } = this.parts;
    const first = this.iteration;
    try {
      await hooks.call("beforeRun");
      await this.finishPending();
      while (!this.isEnding) {
        await this.checkStop();
        await hooks.call("beforeUpdate", this.iteration + 1);
        const update = await this.update();
        if (!this.hasBegun) await this.begin(first);
        await this.afterUpdate(update, null);
        await this.tellStored();
      }
      return await this.end();
    } catch (error) {
      await hooks.tellError(error);
      throw error;
    }
  }

  async log(record: RunRecord): Promise<void> {
    await this.parts.hooks.call("onLog", record);
  }

  async evaluate(): Promise<EvaluationResult> {
    const { iteration } = this;
    const { hooks, validation, best } = this.parts;
    const result = await hooks.aroundEvaluation(iteration, () => validation.run(this.lastUpdate));
    this.evaluated = { iteration, result };
    best.see(iteration, result);
    await hooks.call("afterEvaluation", { iteration, result });
    return result;
  }

  async save(): Promise<string> {
    const { iteration } = this;
    const folder = await this.parts.checkpoints.save(this.state());
    this.saved = { iteration, folder };
    return folder;
  }

  saveAside(workDir: string): Promise<string> {
    return this.parts.checkpoints.saveAside(workDir, this.state());
  }

  private state(): ChangingState {
    const { iteration, evaluated, best, pending, stopReason: stopped } = this;
    const metrics = evaluated?.iteration === iteration ? scoresOf(evaluated.result) : null;
    return { iteration, best, metrics, pending, stopped, train_seconds: this.trainSeconds() };
  }

  /** Calls the hooks after an update. Told to stop in the middle, the run stores which are left. */
  private async afterUpdate(update: FinishedUpdate, from: string | null): Promise<void> {
    let hook = "";
    try {
      await this.parts.hooks.afterUpdate(update, from, (name) => (hook = name));
    } catch (error) {
      if (!(error instanceof RunStopped)) throw error;
      this.pending = { hook, update };
      await this.save();
      await this.stopNow(error.reason);
    }
    this.pending = null;
  }

  /** What the run that this one goes on from had left of its last iteration. */
  private async finishPending(): Promise<void> {
    const { pending = null, stopped = null } = this.parts.resumed?.state ?? {};
    if (pending === null) return;
    this.stopReason = stopped;
    this.lastUpdate = pending.update;
    await this.begin(this.iteration);
    await this.afterUpdate(pending.update, pending.hook);
  }

  /** @throws RunStopped where the run was told to stop, after a checkpoint of this iteration */
  private async checkStop(): Promise<void> {
    const { stop, resumed } = this.parts;
    if (stop?.aborted !== true) return;
    const isNew = this.iteration !== (resumed?.state.iteration ?? 0);
    if (isNew && this.saved?.iteration !== this.iteration) await this.save();
    await this.stopNow(stop.reason);
  }

  private async stopNow(reason: unknown): Promise<never> {
    await this.parts.checkpoints.finish();
    await this.tellStored();
    const iteration = this.saved?.iteration ?? this.parts.resumed?.state.iteration ?? null;
    throw new RunStopped(iteration, reason);
  }

  /** Tells of the checkpoints that have become whole. @throws SegfuseError `SEGFUSE_CHECKPOINT_WRITE` where one has not */
  private async tellStored(): Promise<void> {
    const { checkpoints, hooks } = this.parts;
    for (const stored of checkpoints.takeStored()) {
      await this.log({ event: "checkpoint", iteration: stored.iteration, best: stored.isBest });
      await hooks.call("afterCheckpoint", stored);
    }
  }

  private async update(): Promise<FinishedUpdate> {
    const { step, loader, hooks } = this.parts;
    const start = performance.now();
    const result = await step.run(
      this.iteration,
      () => loader.next(),
      (pending) => hooks.call("beforeStep", pending),
    );
    // Computing blocks the event loop; here signals, timers and messages of the workers get their turn.
    await new Promise(setImmediate);
    this.iteration++;
    const total = (performance.now() - start) / 1000;
    const { losses, lr, seconds } = result;
    this.lastUpdate = { iteration: this.iteration, losses, lr, seconds: { ...seconds, total } };
    return this.lastUpdate;
  }

  /** Makes the folder and writes what the run is. */
  private async begin(iteration: number): Promise<void> {
    this.hasBegun = true;
    await this.log(await this.parts.folder.begin(iteration));
  }

  private async end(): Promise<TrainingOutcome> {
    const { iteration, best, stopReason } = this;
    // A hook may have asked to stop after the checkpoint's turn.
    if (this.saved?.iteration !== iteration) await this.save();
    await this.parts.checkpoints.finish();
    await this.tellStored();
    const trainSeconds = this.trainSeconds();
    await this.log({ event: "end", iteration, best, stopped: stopReason, train_seconds: trainSeconds });
    await this.parts.hooks.call("afterRun");
    return { checkpoint: this.saved!.folder, best, losses: this.lastUpdate?.losses ?? {}, trainSeconds };
  }

  private trainSeconds(): number {
    return (this.parts.resumed?.state.train_seconds ?? 0) + (performance.now() - this.started) / 1000;
  }
}

function scoresOf({ metrics, loss }: EvaluationResult): Record<string, number | null> {
  return { ...metrics, ...(loss === null ? {} : { val_loss: loss }) };
}
