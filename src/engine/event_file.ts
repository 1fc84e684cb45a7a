import * as tf from "@tensorflow/tfjs";
import type { Tensor } from "@tensorflow/tfjs";
import { SegfuseError } from "../errors.ts";
import { nativeBackend, type NativeBackend } from "./kernel.ts";

/** tfjs-node's summary writer, the part of its backend behind `tf.node.summaryFileWriter`. */
interface SummaryBackend extends NativeBackend {
  summaryWriter(logdir: string): Tensor;
  createSummaryFileWriter(resource: Tensor, logdir: string): void;
  writeScalarSummary(resource: Tensor, step: number, name: string, value: number): void;
  flushSummaryWriter(resource: Tensor): void;
}

/** Scalars in TensorBoard's format (`events.out.tfevents.…`), written by TensorFlow itself. */
export class EventFile {
  private constructor(
    private readonly backend: SummaryBackend,
    private readonly resource: Tensor,
  ) {}

  /**
   * Begins a file in a folder, which TensorFlow makes where it is missing.
   *
   * @throws SegfuseError `SEGFUSE_TENSORBOARD_ENGINE` where the engine is not the native one
   */
  static open(folder: string): EventFile {
    EventFile.requireEngine();
    const backend = nativeBackend() as unknown as SummaryBackend;
    const resource = tf.keep(tf.tidy(() => backend.summaryWriter(folder)));
    tf.tidy(() => backend.createSummaryFileWriter(resource, folder));
    return new EventFile(backend, resource);
  }

  /** @throws SegfuseError `SEGFUSE_TENSORBOARD_ENGINE` */
  static requireEngine(): void {
    if (nativeBackend() !== null) return;
    throw new SegfuseError("SEGFUSE_TENSORBOARD_ENGINE", "TensorBoard files need the native engine", {
      where: "log.tensorboard",
      expected: "the engine tensorflow, whose library writes them",
      found: `the engine ${tf.getBackend()}`,
      advice: "`segfuse setup`, or log.tensorboard: false: run.jsonl has the same numbers",
    });
  }

  /** @param step the x axis, a whole number */
  scalar(name: string, value: number, step: number): void {
    this.backend.writeScalarSummary(this.resource, step, name, value);
  }

  /** Hands what was written so far to the file. */
  flush(): void {
    this.backend.flushSummaryWriter(this.resource);
  }

  close(): void {
    this.flush();
    this.backend.executeMultipleOutputs("CloseSummaryWriter", [], [this.resource], 0);
    this.resource.dispose();
  }
}
