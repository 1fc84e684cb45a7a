import { setPriority } from "node:os";
import { parentPort } from "node:worker_threads";
import { refusal, type OnRefused, type Refusable } from "../util/file_system.ts";
import { toPlainError, type PlainError } from "../util/plain_error.ts";
import type { CheckpointJob } from "./state.ts";
import { storeCheckpoint } from "./store.ts";

/** What became of a job, the checkpoint's folder or why there is none; before that, what the file system refuses. */
export type StoreReply =
  | { readonly folder: string }
  | { readonly error: PlainError }
  | { readonly refused: Refusable; readonly reason: string };

// As for data workers: the training step has the right of way.
if (process.platform === "linux") setPriority(0, 5);

const writeFailed = {
  code: "SEGFUSE_CHECKPOINT_WRITE",
  message: "a checkpoint could not be written",
} as const;

const port = parentPort!;
port.on("message", (job: CheckpointJob) => {
  const onRefused: OnRefused = (refused, cause) =>
    port.postMessage({ refused, reason: refusal(cause) } satisfies StoreReply);
  storeCheckpoint(job, onRefused).then(
    (folder) => port.postMessage({ folder } satisfies StoreReply),
    (error: unknown) => port.postMessage({ error: toPlainError(error, writeFailed) } satisfies StoreReply),
  );
});
