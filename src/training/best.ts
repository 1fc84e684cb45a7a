import type { BestScore } from "../checkpoints/state.ts";
import type { EvaluationResult } from "../evaluation/contracts.ts";
import { betterOf, isBetter, scoreOf } from "../evaluation/scores.ts";
import type { Needs } from "./tokens.ts";

/** Keeps a run's best score by the metric of `checkpoint.best`. */
export class BestKeeper {
  score: BestScore | null;

  constructor(private readonly parts: Needs<"loaded" | "registry" | "resumed">) {
    // A score of another kind says nothing about this one.
    const before = parts.resumed?.state.best ?? null;
    this.score = before?.metric === this.metric ? before : null;
  }

  /** @param iteration updates done */
  see(iteration: number, result: EvaluationResult): void {
    const { metric } = this;
    if (metric === null) return;
    const value = scoreOf(result, metric);
    const better = betterOf(this.parts.registry, metric);
    if (isBetter(better, value, this.score?.value ?? null)) this.score = { metric, value, iteration };
  }

  private get metric(): string | null {
    return this.parts.loaded.config.checkpoint.best;
  }
}
