import { join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { Type, type Static } from "typebox";
import { writeFileAtomic } from "../../util/atomic_file.ts";
import { defineHook, type FinishedEvaluation, type Hook, type HookContext } from "./contracts.ts";
import type { FinishedUpdate } from "../../checkpoints/state.ts";

const schema = Type.Object({
  skip: Type.Integer({
    minimum: 0,
    default: 1,
    description: "first updates that are left out: the engine allocates and prepares there",
  }),
});

/** `profile.json`: where a run's time and memory went; of a resumed run since it was resumed. */
export interface Profile {
  /** Updates that were measured. */
  readonly updates: number;
  /** From the first measured update to the end. */
  readonly seconds: number;
  readonly parts: Readonly<Record<ProfilePart, PartTime>>;
  readonly memory: {
    /** Resident memory of the process after updates and evaluations. */
    readonly rss_mb: { readonly first: number; readonly largest: number; readonly last: number };
    /** What TensorFlow.js holds between updates: weights, optimiser state and the like. */
    readonly tensors: { readonly first: number; readonly last: number };
    readonly tensor_mb: { readonly first: number; readonly last: number };
  };
}

export interface PartTime {
  readonly seconds: number;
  /** Of all seconds, 0..1. */
  readonly share: number;
  /** Times that it was measured. */
  readonly count: number;
  readonly mean_ms: number;
  /** Null of `other`, which is no single measurement. */
  readonly max_ms: number | null;
}

/** `other` is what remains: checkpoints, logging, hooks. */
export type ProfilePart = "data" | "forward" | "backward" | "update" | "evaluation" | "other";

/** Measures where the time goes; at the end a table in the log and `WORK_DIR/profile.json`. */
export default defineHook({
  type: "profiler",
  description:
    "Measures time in data, forward, backward, update and evaluation, and memory; a table at the end.",
  stage: "log",
  schema,
  create: (options, context) => new Profiler(options, context),
});

const updateParts = ["data", "forward", "backward", "update"] as const;

class Profiler implements Hook {
  private readonly times = new Map<ProfilePart, { seconds: number; count: number; max: number }>();
  private readonly memory = { rss: new Range(), tensors: new Range(), bytes: new Range() };
  private updates = 0;
  private skipped = 0;
  private started = 0;

  constructor(
    private readonly options: Static<typeof schema>,
    private readonly context: HookContext,
  ) {}

  beforeUpdate(): void {
    if (this.updates === 0) this.started = performance.now();
  }

  afterUpdate({ seconds }: FinishedUpdate): void {
    if (this.skipped < this.options.skip) {
      this.skipped++;
      return;
    }
    this.updates++;
    for (const part of updateParts) this.add(part, seconds[part]);
    this.readMemory();
  }

  afterEvaluation({ result }: FinishedEvaluation): void {
    if (this.updates === 0) return;
    this.add("evaluation", result.seconds);
    this.readMemory();
  }

  async afterRun(): Promise<void> {
    if (this.updates === 0) return;
    const profile = this.profile();
    await writeFileAtomic(
      join(this.context.workDir, "profile.json"),
      `${JSON.stringify(profile, null, 2)}\n`,
    );
    for (const line of tableOf(profile)) this.context.logger.info(line);
  }

  private add(part: ProfilePart, seconds: number): void {
    const before = this.times.get(part) ?? { seconds: 0, count: 0, max: 0 };
    this.times.set(part, {
      seconds: before.seconds + seconds,
      count: before.count + 1,
      max: Math.max(before.max, seconds),
    });
  }

  private readMemory(): void {
    const { numTensors, numBytes } = tf.memory();
    this.memory.rss.add(process.memoryUsage.rss() / 2 ** 20);
    this.memory.tensors.add(numTensors);
    this.memory.bytes.add(numBytes / 2 ** 20);
  }

  private profile(): Profile {
    const seconds = (performance.now() - this.started) / 1000;
    const measured = [...this.times.values()].reduce((sum, part) => sum + part.seconds, 0);
    const other = Math.max(0, seconds - measured);
    const part = (name: ProfilePart): PartTime => {
      const nothing = { seconds: 0, count: 0, max: 0 };
      const rest = { seconds: other, count: this.updates, max: null };
      const { seconds: own, count, max } = name === "other" ? rest : (this.times.get(name) ?? nothing);
      return {
        seconds: own,
        share: own / seconds,
        count,
        mean_ms: count === 0 ? 0 : (1000 * own) / count,
        max_ms: max === null ? null : 1000 * max,
      };
    };
    const { rss, tensors, bytes } = this.memory;
    return {
      updates: this.updates,
      seconds,
      parts: {
        data: part("data"),
        forward: part("forward"),
        backward: part("backward"),
        update: part("update"),
        evaluation: part("evaluation"),
        other: part("other"),
      },
      memory: {
        rss_mb: { first: rss.first, largest: rss.largest, last: rss.last },
        tensors: { first: tensors.first, last: tensors.last },
        tensor_mb: { first: bytes.first, last: bytes.last },
      },
    };
  }
}

/** Of numbers that come one by one. */
class Range {
  first = NaN;
  last = NaN;
  largest = -Infinity;

  add(value: number): void {
    if (Number.isNaN(this.first)) this.first = value;
    this.last = value;
    this.largest = Math.max(this.largest, value);
  }
}

function tableOf({ updates, seconds, parts, memory }: Profile): string[] {
  const row = (name: string, cells: readonly string[]) =>
    `  ${name.padEnd(10)}${cells.map((cell) => cell.padStart(10)).join("")}`;
  const { rss_mb: rss, tensors, tensor_mb: bytes } = memory;
  return [
    `profile of ${updates} updates in ${seconds.toFixed(1)} s`,
    row("", ["seconds", "share", "mean ms", "max ms"]),
    ...Object.entries(parts).map(([name, { seconds, share, mean_ms: mean, max_ms: max }]) =>
      row(name, [
        seconds.toFixed(2),
        `${(100 * share).toFixed(1)} %`,
        mean.toFixed(1),
        max?.toFixed(1) ?? "–",
      ]),
    ),
    `  memory: ${rss.last.toFixed(0)} MiB resident (at most ${rss.largest.toFixed(0)}), ` +
      `${tensors.last} tensors with ${bytes.last.toFixed(1)} MiB between updates`,
  ];
}
