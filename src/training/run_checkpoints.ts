import { decisiveConfig } from "../config/hash.ts";
import { segfuseVersion } from "../util/versions.ts";
import { toMetadata } from "../weights/metadata.ts";
import { join } from "node:path";
import { checkpointName } from "../checkpoints/names.ts";
import type { CheckpointJob, RunState } from "../checkpoints/state.ts";
import { storeCheckpoint } from "../checkpoints/store.ts";
import type { FinishedCheckpoint } from "../checkpoints/state.ts";
import { copyTensors } from "../checkpoints/writer.ts";
import { CheckpointFolder } from "../checkpoints/folder.ts";
import type { Needs } from "./tokens.ts";

type CheckpointParts = Needs<
  | "workDir"
  | "loaded"
  | "info"
  | "fingerprint"
  | "resumed"
  | "weights"
  | "segmentor"
  | "optimizer"
  | "hooks"
  | "checkpointWriter"
>;

/** The part of a checkpoint's state that changes while a run goes on. */
export type ChangingState = Pick<
  RunState,
  "iteration" | "best" | "metrics" | "pending" | "stopped" | "train_seconds"
>;

/** Makes a run's checkpoints: gathers what belongs into one and has it written while training goes on. */
export class RunCheckpoints {
  constructor(private readonly parts: CheckpointParts) {}

  /**
   * Copies everything as it is now and begins to write it, after the checkpoint before.
   *
   * @returns the folder where it will be
   * @throws SegfuseError `SEGFUSE_CHECKPOINT_WRITE` of the checkpoint before
   */
  async save(state: ChangingState): Promise<string> {
    const { workDir, loaded, checkpointWriter: writer } = this.parts;
    const { folder } = new CheckpointFolder(workDir);
    const { keep_last: keepLast, keep_every: keepEvery } = loaded.config.checkpoint;
    // At most one checkpoint is in memory beside the network.
    await writer.finish();
    writer.write({ ...this.gather(state), folder, retention: { keepLast, keepEvery } });
    return join(folder, checkpointName(state.iteration));
  }

  /**
   * Writes a checkpoint of everything as it is now to another work folder, and waits for it.
   *
   * @returns the checkpoint's folder
   * @throws SegfuseError `SEGFUSE_CHECKPOINT_WRITE`
   */
  saveAside(workDir: string, state: ChangingState): Promise<string> {
    const { folder } = new CheckpointFolder(workDir);
    return storeCheckpoint({ ...this.gather(state), folder, retention: { keepLast: 1, keepEvery: null } });
  }

  private gather(state: ChangingState): Pick<CheckpointJob, "files" | "state"> {
    const { loaded, info, segmentor, optimizer, hooks, fingerprint, resumed, weights } = this.parts;
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
        initial_weights: resumed?.state.initial_weights ?? weights?.sha256 ?? [],
        hooks: hooks.states(),
        ...state,
      },
    };
  }

  /** What became whole since this was last asked. @throws SegfuseError `SEGFUSE_CHECKPOINT_WRITE` */
  takeStored(): FinishedCheckpoint[] {
    return this.parts.checkpointWriter.takeStored();
  }

  /** Waits until everything is written. @throws SegfuseError `SEGFUSE_CHECKPOINT_WRITE` */
  finish(): Promise<void> {
    return this.parts.checkpointWriter.finish();
  }
}
