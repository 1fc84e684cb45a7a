import { closeSync } from "node:fs";
import { isatty } from "node:tty";

/**
 * Lets the command outlive those who read along: a pipe's reader that goes away (`segfuse list | head`), a terminal that
 * is closed, and a log's disk that fills up are no reasons to end a training.
 *
 * @returns why results could not be written to standard output, asked for at the end; null where nothing was lost or
 *   nobody was there to read them
 */
export function outliveReaders(): () => Error | null {
  let lost: Error | null = null;
  process.stderr.on("error", () => {});
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE" && error.code !== "EIO") lost ??= error;
  });
  const terminals = [0, 1, 2].filter((stream) => isatty(stream));
  process.on("exit", () => {
    // Node sets a terminal's modes back as it ends, and aborts where the terminal is gone.
    for (const stream of terminals) if (!isatty(stream)) closeSync(stream);
  });
  return () => lost;
}
