import type { Config } from "../../config/sections.ts";
import type { ComponentConfig } from "../../registry/component_ref.ts";
import checkpoint from "./checkpoint.ts";
import earlyStopping from "./early_stopping.ts";
import ema from "./ema.ts";
import evaluation from "./evaluation.ts";
import finiteGuard from "./finite_guard.ts";
import jsonl from "./jsonl.ts";
import textLog from "./log.ts";
import profiler from "./profiler.ts";
import progress from "./progress.ts";
import tensorboard from "./tensorboard.ts";
import type { HookRecord } from "./contracts.ts";

/** The built-in hooks, in the order of their stages. */
export const hooks: readonly HookRecord[] = [
  finiteGuard,
  ema,
  progress,
  textLog,
  jsonl,
  tensorboard,
  profiler,
  evaluation,
  earlyStopping,
  checkpoint,
];

/** The hooks that every run has, with their default options; most of their settings have config sections of their own. */
export function usualHooks({ log }: Config): ComponentConfig[] {
  return [
    { type: "finite_guard" },
    { type: "progress" },
    { type: "log" },
    { type: "jsonl" },
    ...(log.tensorboard ? [{ type: "tensorboard" }] : []),
    { type: "evaluation" },
    { type: "checkpoint" },
  ];
}
