import { quantities, samplePositions, type Measurements, type Quantity, type Reference } from "./job.ts";

/**
 * How far a tensor may be from PyTorch's float64:
 * max(`relative` · scale, `float32` · PyTorch's own float32 error) + `floor` · the quantity's largest scale.
 */
export interface Tolerance {
  /** What errors and scales are: the largest absolute value, or the root mean square (a norm). */
  readonly measure: "largest" | "norm";
  readonly relative: number;
  /** Times the larger of this tensor's own float32 error and the quantity's median one. */
  readonly float32: number;
  /** For tensors that are zero by mathematics, such as the gradient of a bias before a batch norm. */
  readonly floor: number;
}

/** Stated in docs/parity.md as well. */
export const tolerances: Readonly<Record<Quantity, Tolerance>> = {
  "eval.logits": { measure: "largest", relative: 1e-4, float32: 0, floor: 0 },
  "train.logits": { measure: "largest", relative: 1e-4, float32: 10, floor: 0 },
  "train.auxiliary": { measure: "largest", relative: 1e-4, float32: 10, floor: 0 },
  losses: { measure: "largest", relative: 1e-5, float32: 10, floor: 0 },
  gradients: { measure: "norm", relative: 0, float32: 20, floor: 1e-6 },
  running: { measure: "largest", relative: 1e-4, float32: 10, floor: 0 },
  "updates.losses": { measure: "largest", relative: 1e-4, float32: 10, floor: 0 },
  "updates.changes": { measure: "norm", relative: 2e-2, float32: 10, floor: 1e-6 },
  "updates.running": { measure: "largest", relative: 1e-3, float32: 10, floor: 0 },
};

/** A quantity's worst tensor: the one that comes nearest to its tolerance, or passes it furthest. */
export interface Verdict {
  readonly quantity: Quantity;
  readonly tensor: string;
  /** Against the tensor's scale. */
  readonly error: number;
  readonly tolerance: number;
  /** PyTorch's own float32, for the same tensor. */
  readonly float32Error: number;
  readonly passes: boolean;
}

/** Compares all quantities of a reference. A missing or surplus tensor is an error. */
export function compare(reference: Reference, measured: Measurements): Verdict[] {
  return quantities.flatMap((quantity) => {
    const tensors = reference.tensors.get(quantity);
    if (tensors === undefined) return [];
    const ours = measured.get(quantity) ?? new Map<string, Float32Array>();
    const names = tensors.map(({ name }) => name);
    const differing = [...ours.keys(), ...names].filter((name) => !ours.has(name) || !names.includes(name));
    if (differing.length > 0) throw new Error(`${quantity}: only one side has ${differing.join(", ")}`);

    // A network without batch norm has no running statistics.
    if (names.length === 0) return [];
    const { measure, relative, float32, floor } = tolerances[quantity];
    const median = medianOf(tensors.map(({ scale, float32Error }) => (scale > 0 ? float32Error / scale : 0)));
    const largestScale = Math.max(...tensors.map(({ scale }) => scale));
    const verdicts = tensors.map(({ name, values, scale, float32Error }) => {
      const all = ours.get(name)!;
      const positions = samplePositions(name, all.length, reference.cap[quantity]);
      const error = size(
        measure,
        positions.map((at, i) => all[at]! - values[i]!),
      );
      const limit =
        Math.max(relative * scale, float32 * Math.max(float32Error, median * scale)) + floor * largestScale;
      // Not `error > limit`: an error that is no number passes nothing.
      return {
        name,
        ratio: error <= limit ? error / limit : Number.MAX_VALUE,
        error,
        limit,
        scale,
        float32Error,
      };
    });
    const worst = verdicts.reduce((a, b) => (b.ratio > a.ratio ? b : a));
    const unit = worst.scale > 0 ? worst.scale : 1;
    return [
      {
        quantity,
        tensor: worst.name,
        error: worst.error / unit,
        tolerance: worst.limit / unit,
        float32Error: worst.float32Error / unit,
        passes: worst.ratio <= 1,
      },
    ];
  });
}

function size(measure: Tolerance["measure"], values: readonly number[]): number {
  if (measure === "largest")
    return values.reduce((worst, v) => (Math.abs(v) <= worst ? worst : Math.abs(v)), 0);
  return Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
