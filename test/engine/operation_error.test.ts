import * as tf from "@tensorflow/tfjs";
import type { Scalar } from "@tensorflow/tfjs";
import { beforeAll, expect, it } from "vitest";
import { valueAndGradients } from "../../src/engine/backward.ts";
import { customOp } from "../../src/engine/custom_op.ts";
import { nativeBackend } from "../../src/engine/kernel.ts";
import { within } from "../../src/engine/within.ts";
import { SegfuseError } from "../../src/errors.ts";
import { Owner } from "../../src/registry/guard/owner.ts";
import { useEngine } from "../helpers/engine.ts";

beforeAll(() => useEngine());

function reportOf(f: () => unknown): string {
  const before = tf.memory().numTensors;
  try {
    tf.tidy(() => void f());
  } catch (error) {
    expect(tf.memory().numTensors).toBe(before);
    if (!(error instanceof SegfuseError)) throw error;
    expect(error.code).toBe("SEGFUSE_ENGINE_OPERATION");
    return error.report();
  }
  throw new Error("nothing was thrown");
}

const refused = (x: tf.Tensor) => nativeBackend()!.executeSingleOutput("NoSuchThing", [], [x]);

it("tells the operation, its shapes and TensorFlow's reason", () => {
  const native = nativeBackend()!;
  const wrongShapes = () =>
    native.executeSingleOutput(
      "MatMul",
      [{ name: "T", type: native.binding.TF_ATTR_TYPE, value: native.binding.TF_FLOAT }],
      [tf.zeros([2, 3]), tf.zeros([2, 3])],
    );
  expect(reportOf(wrongShapes)).toMatchInlineSnapshot(`
    "SEGFUSE_ENGINE_OPERATION: TensorFlow refuses the operation MatMul (INVALID_ARGUMENT)
      found: Matrix size-incompatible: In[0]: [2,3], In[1]: [2,3], of [2, 3] and [2, 3]
      try: run again with --debug and report the stack trace; in a plug-in: correct the shapes"
  `);
  expect(reportOf(() => native.executeMultipleOutputs("NoSuchThing", [], [tf.zeros([2])], 1)))
    .toMatchInlineSnapshot(`
    "SEGFUSE_ENGINE_OPERATION: TensorFlow refuses the operation NoSuchThing (NOT_FOUND)
      found: 'NoSuchThing' is neither a type of a primitive operation nor a name of a function registered in binary running on vm. Make sure the operation or function is registered in the binary running in this process., of [2]
      try: run again with --debug and report the stack trace; in a plug-in: correct the shapes"
  `);
});

it("tells the part of the network, in the forward and in the backward pass", () => {
  expect(
    reportOf(() => within("model.head", () => within("model.neck", () => refused(tf.zeros([32, 32]))))),
  ).toContain("\n  at: model.neck\n");
  const x = tf.variable(tf.ones([32, 32]));
  const loss = () => {
    const inNeck = within(
      "model.neck",
      () =>
        customOp(
          { x },
          () => [tf.mul(x, 2)],
          ([dy]) => [refused(dy!)],
        )[0]!,
    );
    return within("model.head", () => tf.sum<Scalar>(inNeck));
  };
  expect(reportOf(() => valueAndGradients(loss, [x]))).toContain("\n  at: model.neck, backward pass\n");
  x.dispose();
});

it("tells a plug-in's line before the part", () => {
  const owner = new Owner("neck", "mine", import.meta.filename);
  const guarded = () => {
    try {
      return refused(tf.zeros([32, 32]));
    } catch (error) {
      throw owner.failure("forward()", error);
    }
  };
  expect(reportOf(() => within("model.neck", guarded))).toMatch(
    /\n {2}at: .*operation_error\.test\.ts:\d+:\d+, in forward\(\) of the neck 'mine' of a plug-in\n/,
  );
});
