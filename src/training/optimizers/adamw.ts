import type { NamedTensorMap } from "@tensorflow/tfjs";
import * as tf from "@tensorflow/tfjs";
import { Type, type Static } from "typebox";
import { adamWUpdate } from "../../engine/ops/index.ts";
import type { Parameter } from "../../nn/parameter.ts";
import {
  multipliers,
  normBiasDecayOption,
  type CommonOptimizerOptions,
  type Multipliers,
} from "./paramwise.ts";
import { zeroScalar, zerosLike } from "./state.ts";
import { defineOptimizer, type Optimizer } from "./contracts.ts";

const beta = Type.Number({ minimum: 0, exclusiveMaximum: 1 });

const schema = Type.Object({
  betas: Type.Tuple([beta, beta], {
    default: [0.9, 0.999],
    description: "shares of the average gradient and of the average squared gradient that are kept",
  }),
  eps: Type.Number({
    exclusiveMinimum: 0,
    default: 1e-8,
    description: "added to the root of the squared gradient",
  }),
  weight_decay: Type.Number({
    minimum: 0,
    default: 1e-2,
    description: "shrinks weights by lr × this, beside the gradient (decoupled)",
  }),
  amsgrad: Type.Boolean({ default: false, description: "divide by the largest squared average so far" }),
  ...normBiasDecayOption,
});

/** Adam with decoupled weight decay (Loshchilov and Hutter 2019), exactly as `torch.optim.AdamW` computes it. */
export default defineOptimizer({
  type: "adamw",
  description: "Adam with decoupled weight decay, as PyTorch's AdamW.",
  schema,
  create: (options, inputs) =>
    new AdamW({ ...(options as typeof options & CommonOptimizerOptions) }, inputs.parameters),
});

/** One parameter's state, by PyTorch's names. */
interface State {
  readonly step: Parameter;
  readonly exp_avg: Parameter;
  readonly exp_avg_sq: Parameter;
  readonly max_exp_avg_sq?: Parameter;
}

/** A parameter without a gradient (the loss does not depend on it) is left alone, its step included, as in PyTorch. */
class AdamW implements Optimizer {
  private readonly states = new Map<string, State>();
  private readonly multipliers = new Map<string, Multipliers>();

  constructor(
    private readonly options: Static<typeof schema> & CommonOptimizerOptions,
    private readonly parameters: ReadonlyMap<string, Parameter>,
  ) {
    const { paramwise, norm_bias_decay: normBiasDecay, amsgrad } = options;
    for (const [name, parameter] of parameters) {
      this.states.set(name, {
        step: zeroScalar(parameter),
        exp_avg: zerosLike(parameter),
        exp_avg_sq: zerosLike(parameter),
        ...(amsgrad ? { max_exp_avg_sq: zerosLike(parameter) } : {}),
      });
      this.multipliers.set(name, multipliers(name, parameter, { paramwise, normBiasDecay }));
    }
  }

  apply(gradients: NamedTensorMap, lr: number): void {
    const { betas, eps, weight_decay: weightDecay } = this.options;
    for (const [name, gradient] of Object.entries(gradients)) {
      const { step, exp_avg, exp_avg_sq, max_exp_avg_sq } = this.states.get(name)!;
      const multiplier = this.multipliers.get(name)!;
      // Read anew each time: a resume or a hook may have set the state.
      const count = step.variable.dataSync()[0]! + 1;
      tf.tidy(() => step.variable.assign(tf.scalar(count)));
      adamWUpdate(
        this.parameters.get(name)!.variable,
        {
          average: exp_avg.variable,
          averageSquare: exp_avg_sq.variable,
          largest: max_exp_avg_sq?.variable ?? null,
        },
        gradient,
        {
          learningRate: lr * multiplier.lr,
          beta1: betas[0],
          beta2: betas[1],
          epsilon: eps,
          weightDecay: weightDecay * multiplier.decay,
          step: count,
        },
      );
    }
  }

  state(): ReadonlyMap<string, Parameter> {
    return new Map(
      [...this.states].flatMap(([name, state]) =>
        Object.entries(state).map(([part, tensor]) => [`${name}.${part}`, tensor as Parameter] as const),
      ),
    );
  }

  dispose(): void {
    for (const tensor of this.state().values()) tensor.dispose();
  }
}
