import { errorText } from "../util/error_text.ts";
import type { Config } from "../config/sections.ts";
import type { ComponentConfig } from "../registry/component_ref.ts";
import type { Logger } from "../util/logger.ts";
import { usualHooks } from "./hooks/index.ts";
import { hookStages, type Hook, type HookContext, type Undo } from "./hooks/contracts.ts";
import type { FinishedUpdate, JsonValue } from "../checkpoints/state.ts";
import type { Needs } from "./tokens.ts";

/** A hook of a run and the name under which checkpoints hold its state. */
export interface NamedHook {
  /** Its type; of several hooks of one type the second is `TYPE.2`, and so on. */
  readonly name: string;
  readonly hook: Hook;
}

/** Methods that are called for all hooks alike. */
type PlainEvent = Exclude<
  keyof Hook,
  "beforeEvaluation" | "onError" | "close" | "state" | "loadState" | "tensors"
>;

/** A run's hooks in the order in which they are called. */
export class HookList {
  constructor(
    readonly hooks: readonly NamedHook[],
    private readonly logger: Logger,
  ) {}

  /** Calls one method of all hooks, one after the other. */
  async call<E extends PlainEvent>(event: E, ...inputs: Parameters<NonNullable<Hook[E]>>): Promise<void> {
    for (const { hook } of this.hooks) {
      await (hook[event] as ((...inputs: unknown[]) => unknown) | undefined)?.(...inputs);
    }
  }

  /**
   * Calls `afterUpdate` of all hooks.
   *
   * @param from the hook to begin with; none is called where the run has it no more
   * @param onHook told of each hook before its turn
   */
  async afterUpdate(
    update: FinishedUpdate,
    from: string | null,
    onHook: (name: string) => void,
  ): Promise<void> {
    const first = from === null ? 0 : this.hooks.findIndex(({ name }) => name === from);
    for (const { name, hook } of first < 0 ? [] : this.hooks.slice(first)) {
      onHook(name);
      await hook.afterUpdate?.(update);
    }
  }

  /** Runs `evaluate` between the hooks' `beforeEvaluation` and what that returned, which is called in reverse order. */
  async aroundEvaluation<T>(iteration: number, evaluate: () => Promise<T>): Promise<T> {
    const undos: Undo[] = [];
    try {
      for (const { hook } of this.hooks) {
        const undo = await hook.beforeEvaluation?.(iteration);
        if (undo !== undefined) undos.push(undo);
      }
      return await evaluate();
    } finally {
      for (const undo of undos.reverse()) undo();
    }
  }

  /** Tells all hooks of the error that ends the run; what they throw themselves must not hide it. */
  async tellError(error: unknown): Promise<void> {
    for (const { name, hook } of this.hooks) {
      try {
        await hook.onError?.(error);
      } catch (other) {
        this.logger.warn(`the hook ${name} failed while the run ended: ${errorText(other)}`);
      }
    }
  }

  /** Closes all hooks, also where one of them fails. @throws the first failure */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (const { hook } of [...this.hooks].reverse()) {
      try {
        await hook.close?.();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  /** What `state.json` holds of the hooks, by name; those without a state are left out. */
  states(): Record<string, JsonValue> {
    const states = this.hooks.map(({ name, hook }) => [name, hook.state?.()] as const);
    return Object.fromEntries(states.filter((entry): entry is [string, JsonValue] => entry[1] !== undefined));
  }

  loadStates(states: Readonly<Record<string, JsonValue>>): void {
    for (const { name, hook } of this.hooks) {
      const state = states[name];
      if (state !== undefined) hook.loadState?.(state);
    }
  }

  /** The hooks that have tensors: a checkpoint's file `NAME.safetensors` each. */
  withTensors(): { name: string; tensors: ReturnType<NonNullable<Hook["tensors"]>> }[] {
    return this.hooks.flatMap(({ name, hook }) =>
      hook.tensors === undefined ? [] : [{ name, tensors: hook.tensors() }],
    );
  }
}

type HookParts = Needs<keyof HookContext | "registry">;

/**
 * Makes a run's hooks: those that every run has and those of the config's list. A usual hook that the list names
 * has the options that stand there.
 */
export function createHooks(parts: HookParts): HookList {
  const { registry, loaded, workDir, engine, info, segmentor, optimizer, logger, onProgress, run, scope } =
    parts;
  const context = { loaded, workDir, engine, info, segmentor, optimizer, logger, onProgress, run, scope };
  const { config } = loaded;
  const made = [...usualHooks(config).filter(isNotIn(config.hooks)), ...config.hooks].map((options) => {
    const record = registry.get("hook", options.type);
    const hook = registry.make("hook", options, context);
    return { type: options.type, stage: record.stage ?? "user", hook };
  });
  const counts = new Map<string, number>();
  const named = made.map(({ type, stage, hook }) => {
    const count = (counts.get(type) ?? 0) + 1;
    counts.set(type, count);
    return { name: count === 1 ? type : `${type}.${count}`, stage, hook };
  });
  const inOrder = hookStages.flatMap((stage) => named.filter((entry) => entry.stage === stage));
  // Last of all, whatever a plug-in's stage: else the state of those behind it would be one update old.
  const isStoring = ({ name }: NamedHook) => name === "checkpoint";
  return new HookList([...inOrder.filter((hook) => !isStoring(hook)), ...inOrder.filter(isStoring)], logger);
}

function isNotIn(listed: Config["hooks"]): (options: ComponentConfig) => boolean {
  return ({ type }) => !listed.some((options) => options.type === type);
}
