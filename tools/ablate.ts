import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { lineWidth } from "../src/util/terminal.ts";
import { collect, integers, names } from "./options.ts";
import { showStudy } from "./progress.ts";
import { stoppable } from "./stop.ts";

interface AblateOptions {
  rows?: string[];
  seeds?: number[];
  workDir?: string;
  resume?: boolean;
  set: string[];
  overlay: string[];
  json?: boolean;
}

export function register(program: Command): void {
  program
    .command("ablate")
    .argument("<study>", "a study file")
    .description("train and evaluate all rows of a study, then print the table beside the paper's")
    .option("--rows <names>", "only these rows and those that they start from (a,b)", names)
    .option("--seeds <numbers>", "instead of the study's (0,1,2)", integers)
    .option("--work-dir <folder>", "output folder (default: work_dirs/STUDY, numbered where that exists)")
    .option("--resume", "go on with the study in the work folder: finished rows are kept")
    .option("--set <key=value>", "change a value of every row's config (repeatable)", collect, [])
    .option("--overlay <file>", "an overlay above the study's configs (repeatable)", collect, [])
    .option("--json", "print the report as JSON")
    .action(ablate);
}

async function ablate(path: string, options: AblateOptions): Promise<void> {
  const { loadStudy } = await import("../src/config/study.ts");
  const { createRegistry } = await import("../src/builtin.ts");
  const { ensureEngine } = await import("../src/engine/setup/ensure.ts");
  const { ProgressDisplay } = await import("../src/util/progress_display.ts");
  const registry = createRegistry();
  const { rows, seeds, set, overlay: overlays } = options;
  const study = await loadStudy(path, { rows, seeds, set, overlays, registry });
  const workDir = options.workDir ?? freeFolder(join("work_dirs", study.name), options.resume === true);
  const display = new ProgressDisplay();
  try {
    await ensureEngine(display, study.rows[0]!.loaded.config.engine.type);
    display.info(`study: ${study.title}\nwork folder: ${workDir}`);
    const { runStudy } = await import("../src/runners/study.ts");
    const report = await stoppable(display, workDir, (stop) =>
      runStudy({
        study,
        workDir,
        registry,
        // the progress lines below tell of the whole study; each update's losses are in the run's run.jsonl
        logger: {
          info: (message) => display.info(message),
          warn: (message) => display.warn(message),
          step: () => {},
        },
        onProgress: showStudy(display),
        resume: options.resume,
        stop,
      }),
    );
    display.stop();
    if (report === null) return;
    const { formatStudyTable } = await import("../src/reports/text.ts");
    const text = options.json ? JSON.stringify(report) : formatStudyTable(report, lineWidth(process.stdout));
    process.stdout.write(`${text}\n`);
  } finally {
    display.stop();
  }
}

/** A folder that no earlier study used: nobody's results are written over, and the same command runs twice. */
function freeFolder(folder: string, resume: boolean): string {
  if (resume) return folder;
  for (let n = 1; ; n++) {
    const candidate = n === 1 ? folder : `${folder}_${n}`;
    if (!existsSync(candidate)) return candidate;
  }
}
