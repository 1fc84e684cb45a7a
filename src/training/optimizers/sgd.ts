import type { NamedTensorMap } from "@tensorflow/tfjs";
import { Type, type Static } from "typebox";
import { sgdMomentumUpdate } from "../../engine/ops/index.ts";
import type { Parameter } from "../../nn/parameter.ts";
import type { ComponentRule } from "../../registry/record.ts";
import {
  multipliers,
  normBiasDecayOption,
  type CommonOptimizerOptions,
  type Multipliers,
} from "./paramwise.ts";
import { zerosLike } from "./state.ts";
import { defineOptimizer, type Optimizer } from "./contracts.ts";

const schema = Type.Object({
  momentum: Type.Number({
    minimum: 0,
    maximum: 1,
    default: 0.9,
    description: "share of the last step that is kept",
  }),
  nesterov: Type.Boolean({ default: false, description: "look ahead along the momentum" }),
  weight_decay: Type.Number({ minimum: 0, default: 1e-4, description: "L2 penalty, added to the gradient" }),
  ...normBiasDecayOption,
});

/** Without momentum there is nothing to look ahead along; PyTorch refuses it as well. */
const nesterovRule: ComponentRule<Static<typeof schema>> = {
  *check({ nesterov, momentum }) {
    if (!nesterov || momentum !== 0) return;
    yield {
      path: ["nesterov"],
      message: "Nesterov's momentum needs a momentum",
      expected: "optimizer.momentum above 0",
      found: "momentum 0",
    };
  },
};

/** Stochastic gradient descent with momentum, exactly as `torch.optim.SGD` (dampening 0) computes it. */
export default defineOptimizer({
  type: "sgd",
  paper: "4.1",
  description: "Stochastic gradient descent with momentum and weight decay, as PyTorch's.",
  schema,
  rules: [nesterovRule],
  create: (options, inputs) =>
    new Sgd({ ...(options as typeof options & CommonOptimizerOptions) }, inputs.parameters),
});

/**
 * v ← momentum·v + g + weight_decay·w (v = g + weight_decay·w at the first step); w ← w − lr·v, or with
 * nesterov w ← w − lr·(g + weight_decay·w + momentum·v).
 *
 * A parameter without a gradient (the loss does not depend on it) is left alone, as PyTorch leaves it.
 */
class Sgd implements Optimizer {
  private readonly buffers = new Map<string, Parameter>();
  private readonly multipliers = new Map<string, Multipliers>();

  constructor(
    private readonly options: Static<typeof schema> & CommonOptimizerOptions,
    private readonly parameters: ReadonlyMap<string, Parameter>,
  ) {
    const { paramwise, norm_bias_decay: normBiasDecay } = options;
    for (const [name, parameter] of parameters) {
      this.buffers.set(name, zerosLike(parameter));
      this.multipliers.set(name, multipliers(name, parameter, { paramwise, normBiasDecay }));
    }
  }

  apply(gradients: NamedTensorMap, lr: number): void {
    const { momentum, nesterov, weight_decay: weightDecay } = this.options;
    for (const [name, gradient] of Object.entries(gradients)) {
      const multiplier = this.multipliers.get(name)!;
      sgdMomentumUpdate(this.parameters.get(name)!.variable, this.buffers.get(name)!.variable, gradient, {
        learningRate: lr * multiplier.lr,
        weightDecay: weightDecay * multiplier.decay,
        momentum,
        nesterov,
      });
    }
  }

  state(): ReadonlyMap<string, Parameter> {
    return new Map([...this.buffers].map(([name, buffer]) => [`${name}.momentum_buffer`, buffer]));
  }

  dispose(): void {
    for (const buffer of this.buffers.values()) buffer.dispose();
  }
}
