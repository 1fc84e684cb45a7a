import * as tf from "@tensorflow/tfjs";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import type { Module } from "../../src/nn/module.ts";
import type { Parameter, ParameterLayout } from "../../src/nn/parameter.ts";

/** A tensor as a fixture stores it, in PyTorch's order (NCHW, OIHW). */
export interface StoredTensor {
  shape: number[];
  values: Float32Array;
}

export interface Fixture {
  tensors: ReadonlyMap<string, StoredTensor>;
  metadata: Readonly<Record<string, string>>;
}

/** The path of a committed fixture, `test/fixtures/NAME`. */
export function fixturePath(name: string): string {
  return fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
}

/**
 * Reads a safetensors file of F32 and I64/I32 tensors (integers become float32 values). A reader of its own,
 * so that the tests of networks do not rest on src/weights.
 */
export function readFixture(path: string): Fixture {
  const file = readFileSync(path);
  const headerSize = Number(file.readBigUInt64LE(0));
  const { __metadata__: metadata = {}, ...entries } = JSON.parse(
    file.toString("utf8", 8, 8 + headerSize),
  ) as Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }> & {
    __metadata__?: Record<string, string>;
  };
  const tensors = new Map<string, StoredTensor>();
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(entries)) {
    const start = file.byteOffset + 8 + headerSize;
    const bytes = file.buffer.slice(start + data_offsets[0], start + data_offsets[1]);
    tensors.set(name, { shape, values: toFloat32(dtype, bytes) });
  }
  return { tensors, metadata };
}

function toFloat32(dtype: string, bytes: ArrayBuffer): Float32Array {
  if (dtype === "F32") return new Float32Array(bytes);
  if (dtype === "I32") return Float32Array.from(new Int32Array(bytes));
  if (dtype === "I64") return Float32Array.from(new BigInt64Array(bytes), Number);
  throw new Error(`fixture of type ${dtype}`);
}

export function stored(fixture: Fixture, name: string): StoredTensor {
  const tensor = fixture.tensors.get(name);
  if (tensor === undefined) throw new Error(`the fixture has no ${name}`);
  return tensor;
}

/** A stored feature map [N, C, H, W] as a tensor [N, H, W, C]. */
export function featureMap({ shape, values }: StoredTensor): tf.Tensor4D {
  return tf.tidy(() =>
    tf.transpose(tf.tensor4d(values, shape as [number, number, number, number]), [0, 2, 3, 1]),
  );
}

/** A feature map's values [N, H, W, C] in PyTorch's order [N, C, H, W]. */
export function inTorchOrder(map: tf.Tensor4D): Float32Array {
  return tf.tidy(() => tf.transpose(map, [0, 3, 1, 2]).dataSync<"float32">().slice());
}

/** A stored weight (or its gradient) in the memory order of its parameter. */
export function inMemoryOrder({ shape, values }: StoredTensor, layout: ParameterLayout): StoredTensor {
  if (layout === "plain") return { shape, values };
  const [first = 0, second = 0, height = 0, width = 0] = shape;
  const moved = new Float32Array(values.length);
  const area = height * width;
  for (let i = 0, from = 0; i < first; i++)
    for (let j = 0; j < second; j++)
      for (let k = 0; k < area; k++) moved[(k * second + j) * first + i] = values[from++]!;
  // Depthwise: [C·m, 1, kh, kw] → [kh, kw, C, m] for m = 1, the only multiplier that the fixtures use;
  // moving the elements is the same, the last two sizes change places.
  return {
    shape: layout === "conv" ? [height, width, second, first] : [height, width, first, second],
    values: moved,
  };
}

/** Gives a parameter its values (in PyTorch's order), and its variable where it had none. */
export function assign(parameter: Parameter, name: string, tensor: StoredTensor): void {
  const { shape, values } = inMemoryOrder(tensor, parameter.layout);
  expect(shape, `shape of ${name}`).toEqual([...parameter.shape]);
  parameter.dispose();
  parameter.materialise(tf.tidy(() => tf.variable(tf.tensor(values, shape), parameter.trainable)));
}

/**
 * Assigns the fixture's weights `PREFIX + NAME` to every parameter of the module. Fails where one is missing;
 * returns the fixture's names under the prefix that the module does not have (`num_batches_tracked` left out).
 */
export function assignWeights(module: Module, fixture: Fixture, prefix = ""): string[] {
  const unused = new Set(
    [...fixture.tensors.keys()].filter((n) => n.startsWith(prefix) && !n.endsWith("num_batches_tracked")),
  );
  for (const [name, parameter] of module.namedParameters()) {
    assign(parameter, name, stored(fixture, prefix + name));
    unused.delete(prefix + name);
  }
  return [...unused];
}

/**
 * `count` numbers in [low, high) that depend on the name alone and that `test/fixtures/recipe.py` makes as
 * well, bit for bit (mulberry32 on the name's FNV-1a hash), so that fixtures need not store weights.
 */
export function recipe(name: string, count: number, low: number, high: number): Float32Array {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  return Float32Array.from({ length: count }, (_, i) => {
    let t = (hash + Math.imul(i + 1, 0x6d2b79f5)) | 0;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return low + (high - low) * (((t ^ (t >>> 14)) >>> 0) / 2 ** 32);
  });
}

/** Fills every parameter of a module from the recipe, with the ranges that `recipe.py` uses. */
export function assignRecipe(module: Module): void {
  for (const [name, parameter] of module.namedParameters()) {
    const shape = shapeInFile(parameter);
    const [low, high] = recipeRange(name, shape);
    assign(parameter, name, { shape, values: recipe(name, parameter.size, low, high) });
  }
}

function recipeRange(name: string, shape: readonly number[]): [low: number, high: number] {
  if (name.endsWith("running_mean")) return [-0.2, 0.2];
  if (name.endsWith("running_var")) return [0.5, 1.5];
  if (shape.length === 1) return name.endsWith("weight") ? [0.5, 1.5] : [-0.2, 0.2];
  const bound = Math.sqrt(6 / ((shape[1] ?? 1) * (shape[2] ?? 1) * (shape[3] ?? 1)));
  return [-bound, bound];
}

/** The shape that a parameter has in a file: OIHW, [C·m, 1, kh, kw]. */
export function shapeInFile({ shape, layout }: Parameter): number[] {
  if (layout === "plain") return [...shape];
  const [height = 0, width = 0, inputs = 0, outputs = 0] = shape;
  return layout === "conv" ? [outputs, inputs, height, width] : [inputs * outputs, 1, height, width];
}

/** max |actual − expected| / max |expected|. */
export function relativeToLargest(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  let error = 0;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    if (Number.isNaN(difference)) return Infinity;
    error = Math.max(error, difference);
    largest = Math.max(largest, Math.abs(expected[i]!));
  }
  return error / largest;
}

/** Checks a feature map against the stored one: its shape, and `relativeToLargest` below the tolerance. */
export function expectMap(
  actual: tf.Tensor4D,
  expected: StoredTensor,
  tolerance: number,
  name = "map",
): void {
  const [n, h, w, c] = actual.shape;
  expect([n, c, h, w], `shape of ${name}`).toEqual(expected.shape);
  expect(relativeToLargest(inTorchOrder(actual), expected.values), name).toBeLessThan(tolerance);
}

/**
 * Checks gradients by name (memory order) against `grad.NAME`, which PyTorch computed in float64. The
 * yardstick is the error of PyTorch's own float32 (`metadata.float32_error`: by name, norm of the error over
 * the norm): ours may be `factor` times that of the tensor or of the median, whichever is larger. The floor,
 * 1e-6 of the largest gradient's norm, is for gradients that are zero by mathematics.
 */
export function expectGradients(
  module: Module,
  actual: ReadonlyMap<string, tf.Tensor>,
  fixture: Fixture,
  { prefix = "grad.", factor = 10 }: { prefix?: string; factor?: number } = {},
): void {
  const own = JSON.parse(fixture.metadata.float32_error ?? "{}") as Record<string, number>;
  const errors = Object.values(own).sort((a, b) => a - b);
  const median = errors[Math.floor(errors.length / 2)] ?? 1e-5;
  const trained = [...module.namedParameters()].filter(([, parameter]) => parameter.trainable);
  const expected = trained.map(([name, { layout }]) => inMemoryOrder(stored(fixture, prefix + name), layout));
  const floor = 1e-6 * Math.max(...expected.map(({ values }) => norm(values)));
  const tooLarge: string[] = [];
  for (const [i, [name]] of trained.entries()) {
    const gradient = actual.get(name);
    expect(gradient, `gradient of ${name}`).toBeDefined();
    const wanted = expected[i]!.values;
    const error = norm(gradient!.dataSync().map((g, j) => g - wanted[j]!));
    const limit = factor * Math.max(own[name] ?? 0, median) * norm(wanted) + floor;
    if (!(error <= limit)) tooLarge.push(`${name}: ${error} > ${limit} (norm ${norm(wanted)})`);
  }
  expect(tooLarge).toEqual([]);
}

/** Gradients of `loss` by the module's parameter names, for every trainable parameter. */
export function gradientsOf(module: Module, loss: () => tf.Scalar): Map<string, tf.Tensor> {
  const trained = [...module.namedParameters()].filter(([, parameter]) => parameter.trainable);
  const { grads, value } = tf.variableGrads(
    loss,
    trained.map(([, parameter]) => parameter.variable),
  );
  value.dispose();
  return new Map(trained.map(([name, parameter]) => [name, grads[parameter.variable.name]!]));
}

function norm(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! ** 2;
  return Math.sqrt(sum);
}
