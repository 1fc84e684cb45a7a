import type { NamedTensorMap, Tensor } from "@tensorflow/tfjs";
import type { Parameter } from "../../nn/parameter.ts";

/** The state of one part of a network (`backbone.layer1`, `neck`, `head.context`, …). */
export interface PartNorms {
  /** Euclidean norm of all its gradients. */
  readonly gradient_norm: number;
  /** Gradient values that are infinite or no number. */
  readonly gradient_not_finite: number;
  readonly weight_norm: number;
  readonly weight_not_finite: number;
  /** The largest absolute weight. */
  readonly weight_max: number;
}

/** Where a diverged network is broken. */
export interface Diagnosis {
  readonly parts: Readonly<Record<string, PartNorms>>;
  /** Parameters whose gradient is not finite, in the network's order. */
  readonly brokenGradients: readonly string[];
  /** The same in a few words. */
  readonly findings: readonly string[];
}

/** Reads all gradients and weights back, with norms in double precision; for the end of a run, not for every update. */
export async function diagnose(
  gradients: Readonly<NamedTensorMap>,
  parameters: Iterable<readonly [name: string, parameter: Parameter]>,
): Promise<Diagnosis> {
  const parts = new Map<string, { gradient: Sums; weight: Sums }>();
  const broken: string[] = [];
  const brokenWeights: string[] = [];
  let largest = { name: "", value: -1 };
  for (const [name, parameter] of parameters) {
    if (parameter.role.startsWith("running_")) continue;
    const part = parts.get(partOf(name)) ?? { gradient: new Sums(), weight: new Sums() };
    parts.set(partOf(name), part);
    const gradient = gradients[name];
    if (gradient !== undefined && (await part.gradient.add(gradient)) > 0) broken.push(name);
    const weights = new Sums();
    if ((await weights.add(parameter.variable)) > 0) brokenWeights.push(name);
    if (weights.max > largest.value) largest = { name, value: weights.max };
    part.weight.merge(weights);
  }
  return {
    parts: Object.fromEntries(
      [...parts].map(([name, { gradient, weight }]) => [
        name,
        {
          gradient_norm: gradient.norm,
          gradient_not_finite: gradient.broken,
          weight_norm: weight.norm,
          weight_not_finite: weight.broken,
          weight_max: weight.max,
        },
      ]),
    ),
    brokenGradients: broken,
    findings: [
      brokenWeights.length > 0
        ? `weights not finite in ${listed(brokenWeights)}`
        : `largest weight ${largest.value.toPrecision(3)} in ${largest.name}`,
      // The backward pass goes through the network from its end.
      ...(broken.length > 0 ? [`gradients not finite in ${listed(broken)}, from ${broken.at(-1)!} on`] : []),
    ],
  };
}

class Sums {
  broken = 0;
  max = 0;
  private squares = 0;

  get norm(): number {
    return this.broken > 0 ? NaN : Math.sqrt(this.squares);
  }

  /** @returns how many values of the tensor are not finite */
  async add(tensor: Tensor): Promise<number> {
    const before = this.broken;
    for (const value of await tensor.data()) {
      if (!Number.isFinite(value)) this.broken++;
      else {
        this.squares += value * value;
        this.max = Math.max(this.max, Math.abs(value));
      }
    }
    return this.broken - before;
  }

  merge(other: Sums): void {
    this.broken += other.broken;
    this.squares += other.squares;
    this.max = Math.max(this.max, other.max);
  }
}

/** Two names of a parameter: `backbone.layer1`, `neck.gates`, `head.context`; of a head's own layer one: `head`. */
function partOf(name: string): string {
  const names = name.split(".").slice(0, -1);
  return names.slice(0, 2).join(".");
}

/** The parts that names belong to, each once. */
function listed(names: readonly string[]): string {
  const parts = [...new Set(names.map((name) => name.split(".")[0]!))];
  return parts.join(", ");
}
