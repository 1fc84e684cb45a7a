import * as tf from "@tensorflow/tfjs";
import { Type, type Static } from "typebox";
import { Parameter } from "../../nn/parameter.ts";
import { WeightSnapshot } from "../weight_snapshot.ts";
import { defineHook, type Hook, type HookContext, type Undo } from "./contracts.ts";
import type { JsonValue } from "../../checkpoints/state.ts";

const schema = Type.Object({
  momentum: Type.Number({
    exclusiveMinimum: 0,
    maximum: 1,
    default: 2e-4,
    description: "share of the new weights at each step (PyTorch's 1 − decay)",
  }),
  gamma: Type.Union([Type.Number({ exclusiveMinimum: 0 }), Type.Null()], {
    default: null,
    description:
      "warm-up: at step n the share is momentum + (1 − momentum)·exp(−(1 + n) / gamma); null: none",
  }),
  interval: Type.Integer({ minimum: 1, default: 1, description: "updates between two steps of the average" }),
  update_buffers: Type.Boolean({
    default: false,
    description: "average running statistics as well; false: take them as they are",
  }),
});

/**
 * An exponential moving average of the weights, as mmengine's `ExponentialMovingAverage` (with `gamma`:
 * `ExpMomentumEMA`) and `torch.optim.swa_utils.AveragedModel` compute it: the first update's weights are taken as
 * they are, then average ← average + momentum·(weights − average).
 *
 * Evaluation uses the average. Checkpoints hold it as `ema.safetensors`, a whole weight file, which everything that
 * takes a checkpoint to use its weights prefers to `model.safetensors`.
 */
export default defineHook({
  type: "ema",
  description: "Keeps a moving average of the weights, which is what is evaluated and tested.",
  stage: "weights",
  weightCopies: 1,
  schema,
  create: (options, context) => new MovingAverage(options, context),
});

class MovingAverage implements Hook {
  /** Updates seen. */
  private steps = 0;
  private readonly sources: ReadonlyMap<string, Parameter>;
  private readonly averages: ReadonlyMap<string, Parameter>;

  constructor(
    private readonly options: Static<typeof schema>,
    { segmentor }: HookContext,
  ) {
    this.sources = new Map(segmentor.namedParameters());
    this.averages = new Map(
      [...this.sources].map(([name, { shape, layout, role, initialiser }]) => [
        name,
        new Parameter({ shape, layout, role, initialiser, trainable: false }),
      ]),
    );
  }

  beforeRun(): void {
    for (const [name, source] of this.sources) {
      const average = this.averages.get(name)!;
      if (average.isMaterialised) continue; // read from a checkpoint
      average.materialise(tf.tidy(() => tf.variable(tf.clone(source.variable), false)));
    }
  }

  afterUpdate(): void {
    const { interval, update_buffers: all } = this.options;
    const share = this.steps === 0 ? 1 : this.steps % interval === 0 ? this.share() : 0;
    tf.tidy(() => {
      for (const [name, { variable, role }] of this.sources) {
        const average = this.averages.get(name)!.variable;
        const isCopied = share === 1 || (!all && role.startsWith("running_"));
        if (isCopied) average.assign(tf.clone(variable));
        else if (share > 0) average.assign(tf.add(average, tf.mul(share, tf.sub(variable, average))));
      }
    });
    this.steps++;
  }

  private share(): number {
    const { momentum, gamma } = this.options;
    return gamma === null ? momentum : momentum + (1 - momentum) * Math.exp(-(1 + this.steps) / gamma);
  }

  beforeEvaluation(): Undo {
    const trained = new WeightSnapshot(this.sources.values());
    for (const [name, { variable }] of this.sources) variable.assign(this.averages.get(name)!.variable);
    return () => trained.restore();
  }

  state(): JsonValue {
    return { steps: this.steps };
  }

  loadState(state: JsonValue): void {
    this.steps = (state as { steps: number }).steps;
  }

  tensors(): ReadonlyMap<string, Parameter> {
    return this.averages;
  }

  close(): void {
    for (const average of this.averages.values()) average.dispose();
  }
}
