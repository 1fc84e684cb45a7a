import type { Command } from "commander";
import { examine, formatReport } from "../src/engine/doctor.ts";

/** `segfuse doctor`: what works on this machine, and what to do about the rest. */
export function register(program: Command): void {
  program
    .command("doctor")
    .description(
      "say what works on this machine and what to do about the rest; exit code 1 where no engine works",
    )
    .option("--json", "print one JSON document")
    .action(async (options: { json?: boolean }) => {
      const report = await examine();
      process.stdout.write(`${options.json ? JSON.stringify(report, null, 2) : formatReport(report)}\n`);
      if (report.auto === null) process.exitCode = 1;
    });
}
