import type { PlainError, UnexpectedError } from "../../util/plain_error.ts";
import type { Sample } from "../contracts.ts";

/** One sample to be made. `number` counts the jobs of a pool. */
export interface Job {
  readonly number: number;
  /** The data set's sample. */
  readonly index: number;
  /** What its random choices depend on. */
  readonly keys: readonly (string | number)[];
}

export type Reply =
  | { readonly number: number; readonly sample: Sample }
  | { readonly number: number; readonly error: PlainError };

/** What an error is called that a data set or transform did not foresee. */
export const workerFailed: UnexpectedError = {
  code: "SEGFUSE_DATA_WORKER",
  message: "a data worker failed",
};
