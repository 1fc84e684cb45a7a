/**
 * `segfuse setup` in a process of its own, without the rest of the command line: a test kills it, starves it of
 * programs or runs two at once. Prints the result as JSON, or the error's report on standard error.
 */
import { SegfuseError } from "../../src/errors.ts";
import { setUpEngine } from "../../src/engine/setup/setup.ts";
import { ProgressDisplay } from "../../src/util/progress_display.ts";

try {
  process.stdout.write(JSON.stringify(await setUpEngine(new ProgressDisplay())));
} catch (error) {
  if (!(error instanceof SegfuseError)) throw error;
  process.stderr.write(error.report());
  process.exitCode = error.exitCode;
}
