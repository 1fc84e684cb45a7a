import { errorCodes, SegfuseError, type ErrorCode, type ErrorDetails } from "../errors.ts";

/** A SegfuseError as it crosses threads, where classes and causes are lost. */
export interface PlainError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: Omit<ErrorDetails, "cause">;
  readonly stack: string | undefined;
}

/** What an error is called that is no SegfuseError. */
export interface UnexpectedError {
  readonly code: ErrorCode;
  readonly message: string;
}

/** @param where named where the error itself says nothing of the place */
export function toPlainError(error: unknown, unexpected: UnexpectedError, where?: string): PlainError {
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
    ...unexpected,
    details: { found: reason, ...(where === undefined ? {} : { where }) },
    stack: error instanceof Error ? error.stack : undefined,
  };
}

export function fromPlainError({ code, message, details, stack }: PlainError): SegfuseError {
  const known = Object.hasOwn(errorCodes, code) ? code : "SEGFUSE_INTERNAL";
  const error = new SegfuseError(known, message, details);
  if (stack !== undefined) error.stack = stack;
  return error;
}
