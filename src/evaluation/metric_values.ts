import { inPart } from "../engine/operation_error.ts";
import { SegfuseError, type ErrorDetails } from "../errors.ts";
import { placeIn } from "../util/place_in.ts";
import { oneLine } from "../util/printable.ts";
import { show } from "../util/show.ts";
import type { Metric } from "./contracts.ts";

// What a metric gives is checked: a plug-in's may give anything.

/** Whose metric it is. */
export interface MetricOwner {
  readonly name: string;
  /** `segfuse` or a plug-in's path. */
  readonly source: string;
  /** Of what it was computed, where that is no evaluation: `of made-up counts`. */
  readonly occasion?: string | undefined;
}

/** The metric that a record's `create` gives. @throws SegfuseError `SEGFUSE_METRIC` */
export function metricOf(owner: MetricOwner, create: () => unknown): Metric {
  const metric = called(owner, "create", create) as Partial<Metric> | null | undefined;
  const isMetric =
    typeof metric?.compute === "function" &&
    (metric.perClass === undefined || typeof metric.perClass === "function");
  if (isMetric) return metric as Metric;
  throw failure(owner, "is made of something else", {
    expected: "create() that returns { compute(counts) }, with perClass(counts) or without",
    found: show(metric),
  });
}

/** What `compute` gives. @throws SegfuseError `SEGFUSE_METRIC` */
export function numberOf(owner: MetricOwner, compute: () => unknown): number {
  const value = called(owner, "compute", compute);
  if (isScore(value)) return value;
  throw failure(owner, "gives no number", {
    expected: "a finite number from compute(), or NaN where the score is not defined",
    found: show(value),
  });
}

/** What `perClass` gives. @throws SegfuseError `SEGFUSE_METRIC` */
export function numbersOf(owner: MetricOwner, count: number, compute: () => unknown): readonly number[] {
  const values = called(owner, "perClass", compute);
  if (Array.isArray(values) && values.length === count) {
    const wrong = values.findIndex((value) => !isScore(value));
    if (wrong < 0) return values as number[];
    throw failure(owner, "gives no number for a class", {
      expected: "finite numbers from perClass(), or NaN where the score is not defined",
      found: `${show(values[wrong])} for class ${wrong}`,
    });
  }
  throw failure(owner, "gives no number for each class", {
    expected: `a list of ${count} numbers from perClass(), one a class`,
    found: Array.isArray(values) ? `a list of ${values.length}` : show(values),
  });
}

/** Freezes plain data with all its parts, and returns it. */
export function deepFreeze<T extends object>(data: T): Readonly<T> {
  for (const part of Object.values(data) as unknown[]) {
    if (typeof part === "object" && part !== null && !Object.isFrozen(part)) deepFreeze(part);
  }
  return Object.freeze(data);
}

/** An error of segfuse's own kind passes: who throws it has said what is wrong. */
function called(owner: MetricOwner, method: string, call: () => unknown): unknown {
  try {
    return call();
  } catch (cause) {
    if (cause instanceof SegfuseError) throw inPart(cause, `${placeIn(owner.source, cause)}, in ${method}()`);
    const text = cause instanceof Error ? `${cause.name}: ${cause.message}` : show(cause);
    throw failure(owner, "failed", { found: `${oneLine(text, 400)}, in ${method}()`, cause });
  }
}

function isScore(value: unknown): value is number {
  return typeof value === "number" && (Number.isFinite(value) || Number.isNaN(value));
}

function failure(
  owner: MetricOwner,
  problem: string,
  details: ErrorDetails & { found: string },
): SegfuseError {
  const { name, source, occasion } = owner;
  return new SegfuseError("SEGFUSE_METRIC", `the metric '${name}' ${problem}`, {
    where: source,
    ...details,
    found: occasion === undefined ? details.found : `${details.found}, ${occasion}`,
  });
}
