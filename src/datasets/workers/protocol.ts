import { errorCodes, SegfuseError, type ErrorCode, type ErrorDetails } from "../../errors.ts";
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

/** A SegfuseError as it crosses threads, where classes and causes are lost. */
export interface PlainError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: Omit<ErrorDetails, "cause">;
  readonly stack: string | undefined;
}

/** @param where named where the error itself says nothing of the place */
export function toPlainError(error: unknown, where?: string): PlainError {
  if (error instanceof SegfuseError) {
    const details = { ...error.details };
    delete details.cause;
    if (where !== undefined) details.where ??= where;
    return {
      code: error.code,
      message: error.message,
      details,
      stack: error.stack,
    };
  }
  const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return {
    code: "SEGFUSE_DATA_WORKER",
    message: "a data worker failed",
    details: { found: reason, ...(where === undefined ? {} : { where }) },
    stack: error instanceof Error ? error.stack : undefined,
  };
}

export function fromPlainError({ code, message, details, stack }: PlainError): SegfuseError {
  const known = Object.hasOwn(errorCodes, code) ? code : "SEGFUSE_DATA_WORKER";
  const error = new SegfuseError(known, message, details);
  if (stack !== undefined) error.stack = stack;
  return error;
}
