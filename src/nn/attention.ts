import type { Tensor1D, Tensor2D, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import * as tf from "@tensorflow/tfjs";
import { xavierUniform, zeros } from "./initialisers.ts";
import { linear, Linear } from "./linear.ts";
import { Module } from "./module.ts";
import { Parameter } from "./parameter.ts";

/**
 * Scaled dot-product attention with several heads (Vaswani et al. 2017), with the names and the order of PyTorch's
 * `MultiheadAttention`: `in_proj_weight` [3·dim, dim] holds query, key and value.
 */
export class MultiHeadAttention extends Module {
  readonly in_proj_weight: Parameter;
  readonly in_proj_bias: Parameter;
  readonly out_proj: Linear;

  /** @param heads a divisor of `dim` */
  constructor(
    private readonly dim: number,
    private readonly heads: number,
  ) {
    super();
    if (dim % heads !== 0) throw new RangeError(`${dim} channels cannot be divided among ${heads} heads`);
    this.in_proj_weight = new Parameter({
      shape: [3 * dim, dim],
      role: "weight",
      initialiser: xavierUniform,
    });
    this.in_proj_bias = new Parameter({ shape: [3 * dim], role: "bias", initialiser: zeros });
    this.out_proj = new Linear({ in: dim, out: dim });
  }

  /**
   * @param queries [batch, n, dim]
   * @param others what they look at, [batch, m, dim]; default: themselves
   * @returns [batch, n, dim]
   */
  forward(queries: Tensor3D, others: Tensor3D = queries): Tensor3D {
    const [batch, n] = queries.shape;
    const { dim, heads } = this;
    const query = tf.mul<Tensor4D>(this.project(queries, 0), Math.sqrt(heads / dim));
    const scores = tf.softmax(tf.matMul<Tensor4D>(query, this.project(others, 1), false, true));
    const seen = tf.transpose(tf.matMul<Tensor4D>(scores, this.project(others, 2)), [0, 2, 1, 3]);
    return this.out_proj.forward(tf.reshape(seen, [batch, n, dim]));
  }

  /** [batch, m, dim] → [batch, heads, m, dim/heads] by the query's, the key's or the value's rows of the projection. */
  private project(x: Tensor3D, which: 0 | 1 | 2): Tensor4D {
    const { dim, heads } = this;
    const weight = tf.slice2d(this.in_proj_weight.value<Tensor2D>(), [which * dim, 0], [dim, dim]);
    const bias = tf.slice1d(this.in_proj_bias.value<Tensor1D>(), which * dim, dim);
    const split: Tensor4D = tf.reshape(linear(x, weight, bias), [x.shape[0], x.shape[1], heads, dim / heads]);
    return tf.transpose(split, [0, 2, 1, 3]);
  }
}
