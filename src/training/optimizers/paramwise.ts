import { Type } from "typebox";
import type { Config } from "../../config/sections.ts";
import type { Parameter } from "../../nn/parameter.ts";
import { globMatcher } from "../../util/glob.ts";

/** Options that every optimiser has, beside its own (section `optimizer` of a config). */
export type CommonOptimizerOptions = Pick<Config["optimizer"], "paramwise">;

/** The option of optimisers with weight decay that spares biases and normalisations; for their schemas. */
export const normBiasDecayOption = {
  norm_bias_decay: Type.Boolean({
    default: true,
    description: "weight decay also for biases and the parameters of normalisations",
  }),
};

/** What a parameter's learning rate and weight decay are multiplied with. */
export interface Multipliers {
  readonly lr: number;
  readonly decay: number;
}

/**
 * One parameter's multipliers. The first rule of `paramwise` whose pattern matches its name counts; without
 * `normBiasDecay`, biases and both parameters of normalisations have no decay, whatever a rule says.
 */
export function multipliers(
  name: string,
  parameter: Parameter,
  { paramwise, normBiasDecay }: CommonOptimizerOptions & { normBiasDecay: boolean },
): Multipliers {
  const rule = paramwise.find(({ match }) => globMatcher(match)(name));
  const decays = normBiasDecay || parameter.role === "weight";
  return { lr: rule?.lr_mult ?? 1, decay: decays ? (rule?.decay_mult ?? 1) : 0 };
}
