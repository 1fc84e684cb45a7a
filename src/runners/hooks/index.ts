import type { Config } from "../../config/sections.ts";
import type { HookRecord } from "../../registry/component.ts";
import type { ComponentConfig } from "../../registry/component_ref.ts";
import checkpoint from "./checkpoint.ts";
import earlyStopping from "./early_stopping.ts";
import ema from "./ema.ts";
import evaluation from "./evaluation.ts";
import finiteGuard from "./finite_guard.ts";
import jsonl from "./jsonl.ts";
import log from "./log.ts";
import progress from "./progress.ts";

/** The built-in hooks, in the order of their stages. */
export const hooks: readonly HookRecord[] = [
  finiteGuard,
  ema,
  progress,
  log,
  jsonl,
  evaluation,
  earlyStopping,
  checkpoint,
];

/** The hooks that every run has, with their default options; most of their settings have config sections of their own. */
export function usualHooks(_config: Config): ComponentConfig[] {
  return [
    { type: "finite_guard" },
    { type: "progress" },
    { type: "log" },
    { type: "jsonl" },
    { type: "evaluation" },
    { type: "checkpoint" },
  ];
}
