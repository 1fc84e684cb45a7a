import { decisiveConfig } from "../config/hash.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { DatasetInfo } from "../datasets/contracts.ts";
import type { Segmentor } from "../models/segmentor.ts";
import type { Logger } from "../util/logger.ts";
import { segfuseVersion } from "../util/versions.ts";
import { toMetadata } from "../weights/metadata.ts";
import { join } from "node:path";
import { checkpointName } from "../checkpoints/names.ts";
import type { CheckpointJob, RunState } from "../checkpoints/state.ts";
import { storeCheckpoint } from "../checkpoints/store.ts";
import type { FinishedCheckpoint } from "../checkpoints/state.ts";
import { copyTensors, CheckpointWriter } from "../checkpoints/writer.ts";
import { CheckpointFolder } from "../checkpoints/folder.ts";
import type { HookList } from "./hook_list.ts";
import type { Optimizer } from "./optimizers/contracts.ts";

export interface RunCheckpointsInputs {
  readonly workDir: string;
  readonly loaded: LoadedConfig;
  readonly info: DatasetInfo;
  /** Of the training split. */
  readonly fingerprint: string;
  /** SHA-256 of the files that the run's first weights came from. */
  readonly initialWeights: readonly string[];
  readonly segmentor: Segmentor;
  readonly optimizer: Optimizer;
  readonly logger: Logger;
}

/** The part of a checkpoint's state that changes while a run goes on. */
export type ChangingState = Pick<
  RunState,
  "iteration" | "best" | "metrics" | "pending" | "stopped" | "train_seconds"
>;

/** Makes a run's checkpoints: gathers what belongs into one and has it written while training goes on. */
export class RunCheckpoints {
  private readonly folder: string;
  private readonly writer: CheckpointWriter;

  constructor(private readonly inputs: RunCheckpointsInputs) {
    this.folder = new CheckpointFolder(inputs.workDir).folder;
    this.writer = new CheckpointWriter(inputs.logger);
  }

  /**
   * Copies everything as it is now and begins to write it, after the checkpoint before.
   *
   * @returns the folder where it will be
   * @throws SegfuseError `SEGFUSE_CHECKPOINT_WRITE` of the checkpoint before
   */
  async save(state: ChangingState, hooks: HookList): Promise<string> {
    // At most one checkpoint is in memory beside the network.
    await this.writer.finish();
    const { keep_last: keepLast, keep_every: keepEvery } = this.inputs.loaded.config.checkpoint;
    this.writer.write({
      ...this.gather(state, hooks),
      folder: this.folder,
      retention: { keepLast, keepEvery },
    });
    return join(this.folder, checkpointName(state.iteration));
  }

  /**
   * Writes a checkpoint of everything as it is now to another work folder, and waits for it.
   *
   * @returns the checkpoint's folder
   * @throws SegfuseError `SEGFUSE_CHECKPOINT_WRITE`
   */
  saveAside(workDir: string, state: ChangingState, hooks: HookList): Promise<string> {
    const { folder } = new CheckpointFolder(workDir);
    return storeCheckpoint({
      ...this.gather(state, hooks),
      folder,
      retention: { keepLast: 1, keepEvery: null },
    });
  }

  private gather(state: ChangingState, hooks: HookList): Pick<CheckpointJob, "files" | "state"> {
    const { loaded, info, segmentor, optimizer, fingerprint, initialWeights } = this.inputs;
    const { model, seed } = loaded.config;
    const metadata = toMetadata({
      info,
      preprocess: model.preprocess,
      version: segfuseVersion(),
      iteration: state.iteration,
      configHash: loaded.hash,
    });
    const ofHooks = hooks
      .withTensors()
      .map(({ name, tensors }) => ({ name: `${name}.safetensors`, metadata, tensors: copyTensors(tensors) }));
    return {
      files: [
        { name: "model.safetensors", metadata, tensors: copyTensors(segmentor.namedParameters()) },
        {
          name: "optimizer.safetensors",
          metadata: { format: "pt" },
          tensors: copyTensors(optimizer.state()),
        },
        ...ofHooks,
      ],
      state: {
        seed,
        config_hash: loaded.hash,
        config: decisiveConfig(loaded.config, loaded.paths),
        data_fingerprint: fingerprint,
        version: segfuseVersion(),
        initial_weights: initialWeights,
        hooks: hooks.states(),
        ...state,
      },
    };
  }

  /** What became whole since this was last asked. @throws SegfuseError `SEGFUSE_CHECKPOINT_WRITE` */
  takeStored(): FinishedCheckpoint[] {
    return this.writer.takeStored();
  }

  /** Waits until everything is written. @throws SegfuseError `SEGFUSE_CHECKPOINT_WRITE` */
  finish(): Promise<void> {
    return this.writer.finish();
  }

  /** Waits for what is being written and ends the thread; what went wrong is not told any more. */
  close(): Promise<void> {
    return this.writer.close();
  }
}
