import { SegfuseError } from "../../errors.ts";

/** An image that was not predicted, and why. */
export interface PredictionFailure {
  /** The file, as it was named. */
  readonly image: string;
  readonly error: Error;
}

/** `FILE: an image cannot be decoded (VipsJpeg: premature end)`. */
export function failureText({ image, error }: PredictionFailure): string {
  const found = error instanceof SegfuseError ? error.details.found : undefined;
  return `${image}: ${error.message}${found === undefined ? "" : ` (${found})`}`;
}

/** What a prediction of several images ends with where some failed. */
export function predictionError(failures: readonly PredictionFailure[], total: number): SegfuseError {
  const verb = failures.length === 1 ? "was" : "were";
  const rest = total - failures.length;
  return new SegfuseError(
    "SEGFUSE_PREDICT_FAILED",
    `${failures.length} of ${total} ${total === 1 ? "image" : "images"} ${verb} not predicted`,
    {
      found: failures.map(failureText).join("\n         "),
      ...(rest === 0 ? {} : { advice: "repair these and predict them again; the others are done" }),
      cause: failures[0]?.error,
    },
  );
}
