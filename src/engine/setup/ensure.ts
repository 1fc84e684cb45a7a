import { SegfuseError } from "../../errors.ts";
import type { Logger } from "../../util/logger.ts";
import { ProgressDisplay } from "../../util/progress_display.ts";
import type { EngineType } from "../engine.ts";
import { findReady, setUpEngine } from "./setup.ts";

/**
 * Sets the native engine up where a command is going to compute with it and it is not there: for the types
 * `auto` and `tensorflow`. Where it is there, this takes some milliseconds. With `auto` a set-up that fails is
 * told as a warning, since wasm is left; with `tensorflow` it is an error.
 *
 * @throws SegfuseError `SEGFUSE_SETUP_…`
 */
export async function ensureEngine(logger: Logger, type: EngineType = "auto"): Promise<void> {
  if (type === "wasm" || type === "cpu" || findReady() !== null) return;
  const progress = new ProgressDisplay();
  try {
    await setUpEngine(progress);
  } catch (error) {
    if (type === "tensorflow") throw error;
    progress.stop();
    if (!(error instanceof SegfuseError)) throw error;
    logger.warn(`the native engine could not be set up\n${error.report()}`);
  } finally {
    progress.stop();
  }
}
