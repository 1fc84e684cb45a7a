import { join } from "node:path";
import type { Tensor } from "@tensorflow/tfjs";
import * as tf from "@tensorflow/tfjs";
import { Type, type Static } from "typebox";
import { SegfuseError, type ErrorCode } from "../../errors.ts";
import { writeFileAtomic } from "../../util/atomic_file.ts";
import { WeightSnapshot } from "../weight_snapshot.ts";
import { diagnose, type Diagnosis } from "./divergence.ts";
import {
  type BatchLosses,
  defineHook,
  type Hook,
  type HookContext,
  type PendingUpdate,
} from "./contracts.ts";

const schema = Type.Object({
  gradients: Type.Boolean({ default: true, description: "look at the gradients as well as at the loss" }),
  max_loss: Type.Union([Type.Number({ exclusiveMinimum: 0 }), Type.Null()], {
    default: 1e4,
    description:
      "a larger loss counts as diverged (a guess among 1000 classes costs 7); null: any finite loss",
  }),
});

/**
 * Ends the run before an update that would spoil it: a loss that is infinite, no number or absurdly large, or a
 * gradient that is not finite. Such a run never recovers, because momentum and running statistics carry it on.
 *
 * `WORK_DIR/diverged/` gets `report.json` (the samples, losses, learning rate, and by part of the network the norms
 * of gradients and weights) and a checkpoint of the state before the update, running statistics included.
 */
export default defineHook({
  type: "finite_guard",
  description: "Stops the run before an update whose loss or gradient is not finite, and reports where.",
  stage: "guard",
  schema,
  create: (options, context) => new FiniteGuard(options, context),
});

/** Why an update must not be made. */
interface Fault {
  readonly code: ErrorCode;
  readonly what: string;
  /** The first batch that shows it; null: the gradients of all of them. */
  readonly batch: BatchLosses | null;
}

class FiniteGuard implements Hook {
  /** Running statistics before the update: the forward pass changes them. */
  private before: WeightSnapshot | null = null;

  constructor(
    private readonly options: Static<typeof schema>,
    private readonly context: HookContext,
  ) {}

  beforeUpdate(): void {
    this.before?.dispose();
    const parameters = [...this.context.segmentor.namedParameters()].map(([, parameter]) => parameter);
    this.before = new WeightSnapshot(parameters.filter(({ role }) => role.startsWith("running_")));
  }

  async beforeStep(update: PendingUpdate): Promise<void> {
    const fault = this.faultOf(update);
    if (fault === null) return;
    const diagnosis = await diagnose(update.gradients, this.context.segmentor.namedParameters());
    // Finite numbers whose sum is not: large, but nothing that is broken yet.
    if (fault.batch === null && diagnosis.brokenGradients.length === 0) return;
    this.before?.restore();
    await this.end(update, fault, diagnosis);
  }

  close(): void {
    this.before?.dispose();
  }

  private faultOf({ batches, gradients }: PendingUpdate): Fault | null {
    const { max_loss: limit } = this.options;
    for (const batch of batches) {
      const { losses } = batch;
      if (!Object.values(losses).every(Number.isFinite)) {
        return { code: "SEGFUSE_LOSS_NOT_FINITE", what: "the loss of iteration # is not finite", batch };
      }
      if (limit !== null && (losses.loss ?? 0) > limit) {
        const what = `the loss of iteration # is larger than ${limit}`;
        return { code: "SEGFUSE_LOSS_DIVERGED", what, batch };
      }
    }
    if (!this.options.gradients || isFinite(Object.values(gradients))) return null;
    return {
      code: "SEGFUSE_LOSS_NOT_FINITE",
      what: "the gradients of iteration # are not finite",
      batch: null,
    };
  }

  private async end(
    update: PendingUpdate,
    { code, what, batch }: Fault,
    diagnosis: Diagnosis,
  ): Promise<never> {
    const { workDir, run } = this.context;
    const folder = join(workDir, "diverged");
    const message = what.replace("#", String(update.iteration));
    await writeFileAtomic(join(folder, "report.json"), reportText(update, message, diagnosis));
    const checkpoint = await run.saveAside(folder);
    const culprits = batch === null ? update.batches : [batch];
    throw new SegfuseError(code, message, {
      where: `samples ${culprits.flatMap(({ ids }) => ids).join(", ")}`,
      found: [...culprits.map(lossText), ...diagnosis.findings].join("; "),
      advice:
        "a lower optimizer.lr, schedule.warmup or optimizer.clip_norm" +
        (code === "SEGFUSE_LOSS_DIVERGED" ? ", or another max_loss of the hook finite_guard" : "") +
        `; ${join(folder, "report.json")} says more, ${checkpoint} is the state before`,
    });
  }
}

/** One read of every gradient and one number back: NaN and infinities stay in a sum. */
function isFinite(gradients: readonly Tensor[]): boolean {
  if (gradients.length === 0) return true;
  return Number.isFinite(
    tf.tidy(() => tf.addN(gradients.map((gradient) => tf.sum(gradient))).dataSync()[0]!),
  );
}

function lossText({ losses }: BatchLosses): string {
  return Object.entries(losses)
    .map(([name, value]) => `${name} ${short(value)}`)
    .join(", ");
}

function short(value: number): string {
  return Number.isFinite(value) && Math.abs(value) >= 1e6 ? value.toExponential(2) : String(value);
}

/** JSON has no infinities: numbers that are not finite are written as text. */
function reportText(
  { iteration, batches, lr }: PendingUpdate,
  message: string,
  diagnosis: Diagnosis,
): string {
  const report = {
    message,
    iteration,
    lr,
    batches,
    parts: diagnosis.parts,
    broken: diagnosis.brokenGradients,
  };
  const plain = (_key: string, value: unknown) =>
    typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
  return `${JSON.stringify(report, plain, 2)}\n`;
}
