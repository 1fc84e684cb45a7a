import type { Command } from "commander";
import { exifModes, type ExifMode } from "../src/datasets/orientation.ts";
import type { PredictionFailure } from "../src/runners/prediction/failures.ts";
import type { PredictedImage } from "../src/runners/predict.ts";
import { RunStopped, stopSignals, type StopSignal } from "../src/util/interruption.ts";
import { addEvaluationFlags, evaluationOverrides, type EvaluationFlags } from "./evaluation_flags.ts";
import { collect, keyDescription, oneOf } from "./options.ts";
import { showRun } from "./progress.ts";
import { watchStopSignals } from "./stop.ts";

interface PredictOptions extends EvaluationFlags {
  out: string;
  logits?: string;
  exif?: ExifMode;
  key?: string;
  set: string[];
  overlay: string[];
  json?: boolean;
}

/** `segfuse predict`: class maps of images without labels. */
export function register(program: Command): void {
  const command = program
    .command("predict")
    .argument("<config>", "a config file")
    .argument("<checkpoint>", "an iteration's folder, a work folder or a weight file")
    .argument("<image...>", "image files, folders of images, or patterns such as 'frames/**/*.png'")
    .description("segment images: coloured overlays and PNGs of class numbers")
    .requiredOption("--out <folder>", "output folder")
    .option("--logits <file>", "raw logits of one whole-image forward as safetensors (images of one size)")
    .option(
      "--exif <mode>",
      "EXIF orientations: apply, ignore or refuse (default: the data set's)",
      oneOf(exifModes),
    )
    .option("--key <key>", keyDescription);
  addEvaluationFlags(command)
    .option("--set <key=value>", "change a value of the config (repeatable)", collect, [])
    .option("--overlay <file>", "an overlay above the config (repeatable)", collect, [])
    .option("--json", "print what was written, and what failed, as JSON")
    .action(predict);
}

async function predict(
  path: string,
  checkpoint: string,
  images: string[],
  options: PredictOptions,
): Promise<void> {
  const { loadConfig } = await import("../src/config/load.ts");
  const { createRegistry } = await import("../src/builtin.ts");
  const { ensureEngine } = await import("../src/engine/setup/ensure.ts");
  const { ProgressDisplay } = await import("../src/util/progress_display.ts");
  const { failureText, predictionError } = await import("../src/runners/prediction/failures.ts");
  const { overlay: overlays, out: outDir, logits, exif, key, json = false } = options;
  const registry = createRegistry();
  const set = [...options.set, ...evaluationOverrides(options)];
  const loaded = await loadConfig(path, { set, overlays, registry, allowUnsetEnv: true });
  const results: Result[] = [];
  const display = new ProgressDisplay();
  const watch = watchStopSignals(display, "finishing the image");
  let isComplete = false;
  try {
    await ensureEngine(display, loaded.config.engine.type);
    const { predictFiles } = await import("../src/runners/predict.ts");
    await predictFiles({
      ...{ loaded, checkpoint, key, images, outDir, logits, exif },
      ...{ registry, logger: display, stop: watch.signal },
      onWritten: (image) => results.push(image),
      onFailure: (failure) => {
        results.push(failure);
        display.warn(`left out: ${failureText(failure)}`);
      },
      onProgress: showRun(display),
    });
    isComplete = true;
  } catch (error) {
    if (!(error instanceof RunStopped)) throw error;
    display.info("stopped: the images that come after those below are not predicted");
    process.exitCode = stopSignals[error.reason as StopSignal];
  } finally {
    watch.dispose();
    display.stop();
    // What is done is listed, whatever ended the work.
    if (isComplete || results.length > 0) process.stdout.write(listing(results, json));
  }
  const failures = results.filter(hasFailed);
  if (failures.length > 0) throw predictionError(failures, results.length);
}

type Result = PredictedImage | PredictionFailure;

const hasFailed = (result: Result): result is PredictionFailure => "error" in result;

function listing(results: readonly Result[], json: boolean): string {
  if (json) {
    const plain = results.map((r) => (hasFailed(r) ? { image: r.image, error: r.error.message } : r));
    return `${JSON.stringify(plain)}\n`;
  }
  return results.map((r) => (hasFailed(r) ? "" : `${r.image}: ${r.overlay}, ${r.classes}\n`)).join("");
}
