import * as tf from "@tensorflow/tfjs";
import type { Tensor } from "@tensorflow/tfjs";
import { beforeAll, describe, expect, it } from "vitest";
import { runTraced } from "../../../src/engine/trace/index.ts";
import { shapeFunctions } from "../../../src/engine/trace/shapes/index.ts";
import { useEngine } from "../../helpers/engine.ts";
import { Draw } from "./draw.ts";
import { programs } from "./programs.ts";
import { windowPrograms } from "./window_programs.ts";

// Every shape function beside TF.js's own kernel on the CPU, over random sizes and options: the same shapes and
// types of all outputs. A program draws its sizes, then runs once on either engine.

const rounds = 12;

const all = { ...programs, ...windowPrograms };

/** Kernels that TF.js has no CPU kernel of under that name, or that leave no record. */
const without = new Set(["Identity", "Conv3DBackpropInput", "Conv3DBackpropFilter", "Conv3DBackpropInputV2"]);
for (const name of ["Conv3DBackpropFilterV2", "MaxPool3DGrad", "AvgPool3DGrad"]) without.add(name);

const described = (result: Tensor | Tensor[]) =>
  [result].flat().map(({ shape, dtype }) => ({ shape, dtype }));

describe("the shape function of", () => {
  beforeAll(() => useEngine("cpu"));

  it("every kernel has a program here", () => {
    const missing = Object.keys(shapeFunctions).filter((name) => !(name in all) && !without.has(name));
    expect(missing).toEqual([]);
  });

  it.each(Object.keys(all))("%s gives the shapes and types of TF.js", (name) => {
    for (let round = 0; round < rounds; round++) {
      const program = all[name]!(new Draw(name, round));
      let computed;
      try {
        computed = tf.tidy(() => described(program()) as unknown as tf.TensorContainer);
      } catch (error) {
        // Sizes that TF.js refuses, the trace refuses as well.
        expect(() => runTraced(() => program())).toThrow(String((error as Error).message));
        continue;
      }
      const { result, trace } = runTraced(() => described(program()));
      expect(result, `round ${round}`).toEqual(computed);
      const views = ["Reshape", "ExpandDims"].includes(name);
      if (!views) expect(trace.nodes.map(({ op }) => op)).toContain(name);
    }
  });
});
