import * as tf from "@tensorflow/tfjs";
import { listed } from "./arrays.ts";
import { each, input, output, type ShapeFunctions } from "./types.ts";

// Matrix products.

export const linear: ShapeFunctions = {
  ...each(["BatchMatMul", "_FusedMatMul"], (inputs, { transposeA, transposeB }: tf.BatchMatMulAttrs) => {
    const [a, b] = [input(inputs, "a"), input(inputs, "b")];
    const batch = tf.backend_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
    const rows = a.shape.at(transposeA ? -1 : -2)!;
    const columns = b.shape.at(transposeB ? -2 : -1)!;
    const [left, right] = [a.shape.at(transposeA ? -2 : -1)!, b.shape.at(transposeB ? -1 : -2)!];
    if (left !== right)
      throw new Error(`a product of matrices [${a.shape.join(", ")}] and [${b.shape.join(", ")}]`);
    return output([...batch, rows, columns], a.dtype);
  }),
  Einsum: (inputs, { equation }: tf.EinsumAttrs) => {
    const tensors = listed(inputs);
    const sizes = einsumSizes(
      equation,
      tensors.map(({ shape }) => shape),
    );
    const result = equation.split("->")[1]!.replaceAll(/\s/g, "");
    return output(
      [...result].map((letter) => sizes.get(letter)!),
      tensors[0]!.dtype,
    );
  },
};

/** How long each axis of an equation such as `ij,jk->ik` is. */
export function einsumSizes(equation: string, shapes: readonly (readonly number[])[]): Map<string, number> {
  const sizes = new Map<string, number>();
  const terms = equation.split("->")[0]!.replaceAll(/\s/g, "").split(",");
  for (const [i, term] of terms.entries()) {
    for (const [axis, letter] of [...term].entries()) {
      const size = shapes[i]![axis]!;
      if ((sizes.get(letter) ?? size) !== size)
        throw new Error(`the axis ${letter} of ${equation} has two sizes`);
      sizes.set(letter, size);
    }
  }
  return sizes;
}
