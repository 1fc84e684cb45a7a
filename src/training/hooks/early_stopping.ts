import { Type, type Static } from "typebox";
import { betterOf, isBetter, lossScore, scoreOf } from "../../evaluation/scores.ts";
import { componentName } from "../../registry/component_ref.ts";
import { defineHook, type FinishedEvaluation, type Hook, type HookContext } from "./contracts.ts";
import type { JsonValue } from "../../checkpoints/state.ts";

const schema = Type.Object({
  metric: componentName("metric", {
    also: [lossScore],
    default: "mIoU",
    description:
      "score on the validation split; val_loss: the lower the better; metrics: the higher, unless theirs says else",
  }),
  patience: Type.Integer({
    minimum: 1,
    default: 5,
    description: "evaluations in a row without a better score after which training ends",
  }),
  min_delta: Type.Number({
    minimum: 0,
    default: 0,
    description: "how much better a score must be to count as better (0.01 is one per cent of mIoU)",
  }),
});

/** Ends training when a score has stopped getting better. A score that is no number is not better. */
export default defineHook({
  type: "early_stopping",
  description: "Ends training when a score on the validation split has stopped getting better.",
  stage: "evaluation",
  isRepeatable: true,
  schema,
  create: (options, context) => new EarlyStopping(options, context),
});

interface Best {
  readonly value: number;
  readonly iteration: number;
}

class EarlyStopping implements Hook {
  private best: Best | null = null;
  private waited = 0;

  constructor(
    private readonly options: Static<typeof schema>,
    private readonly context: HookContext,
  ) {}

  afterEvaluation({ iteration, result }: FinishedEvaluation): void {
    const { metric, patience, min_delta: minDelta } = this.options;
    const value = scoreOf(result, metric);
    const better = betterOf(this.context.loaded.registry, metric);
    if (isBetter(better, value, this.best?.value ?? null, minDelta)) {
      this.best = { value, iteration };
      this.waited = 0;
      return;
    }
    this.waited++;
    if (this.waited < patience) return;
    const best =
      this.best === null
        ? "was no number yet"
        : `was best at ${this.best.iteration} (${this.best.value.toFixed(4)})`;
    const reason = `${metric} ${best}, ${this.waited} evaluations ago`;
    this.context.logger.info(`stopping early: ${reason}`);
    this.context.run.requestStop(`early stopping: ${reason}`);
  }

  state(): JsonValue {
    return { best: this.best && { ...this.best }, waited: this.waited };
  }

  loadState(state: JsonValue): void {
    ({ best: this.best, waited: this.waited } = state as unknown as { best: Best | null; waited: number });
  }
}
