import type { Tensor, Variable } from "@tensorflow/tfjs";
import type { Random } from "../util/random.ts";

/**
 * How a parameter lies in memory against the file (PyTorch's order):
 * `conv` HWIO ↔ OIHW; `depthwise` [kh, kw, C, m] ↔ [C·m, 1, kh, kw]; `plain` the same in both.
 */
export type ParameterLayout = "conv" | "depthwise" | "plain";

/** Fills a fresh parameter's values (in memory order) from its own random stream. */
export type Initialiser = (shape: readonly number[], random: Random) => Float32Array;

export interface ParameterOptions {
  shape: readonly number[];
  layout?: ParameterLayout;
  initialiser: Initialiser;
  /** False for running statistics: stored in checkpoints, never touched by the optimiser. */
  trainable?: boolean;
  /** What the parameter is to its layer: decides weight decay options and learning-rate groups. */
  role: "weight" | "bias" | "norm_weight" | "norm_bias" | "running_mean" | "running_var";
  /**
   * True for the kernel of the convolution that sees the image: weights that were trained on RGB are adapted where the
   * network's images have another number of channels. Default false.
   */
  seesImage?: boolean;
}

/**
 * A named tensor of a network: its shape and its initialiser always, its variable once the network was
 * materialised on an engine (the shape-only trace gives it a shape without values).
 */
export class Parameter {
  readonly shape: readonly number[];
  readonly layout: ParameterLayout;
  readonly initialiser: Initialiser;
  readonly role: ParameterOptions["role"];
  readonly seesImage: boolean;
  /** Trained by the optimiser; `frozen_stages` and running statistics set it to false. */
  trainable: boolean;
  private held: Variable | undefined;

  constructor(options: ParameterOptions) {
    this.shape = options.shape;
    this.layout = options.layout ?? "plain";
    this.initialiser = options.initialiser;
    this.role = options.role;
    this.seesImage = options.seesImage ?? false;
    this.trainable = options.trainable ?? !options.role.startsWith("running_");
  }

  get size(): number {
    return this.shape.reduce((product, n) => product * n, 1);
  }

  get isMaterialised(): boolean {
    return this.held !== undefined;
  }

  /** The variable, in memory order. Throws where the network was not materialised. */
  get variable(): Variable {
    if (this.held === undefined) throw new Error("parameter used before its network was materialised");
    return this.held;
  }

  /** The variable as a tensor of rank `T`, for operations. */
  value<T extends Tensor>(): T {
    return this.variable as unknown as T;
  }

  materialise(variable: Variable): void {
    this.held = variable;
  }

  dispose(): void {
    this.held?.dispose();
    this.held = undefined;
  }
}
