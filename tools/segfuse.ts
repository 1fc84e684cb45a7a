#!/usr/bin/env node
/** The `segfuse` command: gathers the commands of this folder, runs one, turns errors into text and an exit code. */
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { SegfuseError } from "../src/errors.ts";
import { writeError } from "../src/util/atomic_file.ts";
import { keepHangupIgnored } from "../src/util/hangup.ts";
import { packageRoot } from "../src/util/package_root.ts";
import * as ablate from "./ablate.ts";
import * as config from "./config.ts";
import * as convert from "./convert.ts";
import * as cost from "./cost.ts";
import * as doctor from "./doctor.ts";
import * as graph from "./graph.ts";
import * as init from "./init.ts";
import * as list from "./list.ts";
import * as create from "./new.ts";
import * as predict from "./predict.ts";
import * as report from "./report.ts";
import * as schema from "./schema.ts";
import * as setup from "./setup.ts";
import { outliveReaders } from "./streams.ts";
import * as test from "./test.ts";
import * as train from "./train.ts";

const commands = [
  setup,
  doctor,
  train,
  test,
  ablate,
  report,
  predict,
  cost,
  graph,
  init,
  convert,
  config,
  schema,
  list,
  create,
];

function createProgram(): Command {
  const { version } = JSON.parse(readFileSync(new URL("package.json", packageRoot()), "utf8")) as {
    version: string;
  };
  const program = new Command("segfuse")
    .description(
      "Semantic segmentation from declarative configs: train, evaluate and report whole ablation tables.",
    )
    .version(version)
    .option("--debug", "show stack traces of errors")
    .showHelpAfterError("(segfuse --help lists the commands)")
    .showSuggestionAfterError()
    .exitOverride();
  for (const command of commands) command.register(program);
  for (const command of program.commands) {
    command.option("--debug", "show stack traces of errors").exitOverride();
  }
  return program;
}

/** The exit code for an error, after it was told on standard error. */
function tell(error: unknown, debug: boolean): number {
  if (error instanceof CommanderError) {
    // commander has printed the message itself; asking for help or the version is no failure
    return error.exitCode === 0 ? 0 : 2;
  }
  if (error instanceof SegfuseError) {
    process.stderr.write(`${error.report()}\n`);
    if (debug) process.stderr.write(`${stacks(error)}\n`);
    return error.exitCode;
  }
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(
    `SEGFUSE_INTERNAL: ${message}\n  try: run again with --debug and report the stack trace\n`,
  );
  if (debug && error instanceof Error) process.stderr.write(`${stacks(error)}\n`);
  return 1;
}

/** An error's stack trace, and those of what caused it. */
function stacks({ name, message, stack, cause }: Error): string {
  const own = stack ?? `${name}: ${message}`;
  return cause instanceof Error ? `${own}\ncaused by ${stacks(cause)}` : own;
}

keepHangupIgnored();
const lostOutput = outliveReaders();

// Node's code for a program that ran out of events while it waited: never without a word.
process.on("exit", () => {
  const lost = lostOutput();
  if (lost !== null) process.exitCode = tell(writeError("standard output", lost), false);
  if (process.exitCode !== 13) return;
  process.exitCode = tell(new Error("the command waited for something that never came"), false);
});

try {
  await createProgram().parseAsync();
} catch (error) {
  process.exitCode = tell(error, process.argv.includes("--debug"));
}
