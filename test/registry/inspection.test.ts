import * as tf from "@tensorflow/tfjs";
import { Type } from "typebox";
import { beforeAll, describe, expect, it } from "vitest";
import { createRegistry } from "../../src/builtin.ts";
import { traceSegmentor } from "../../src/cost/index.ts";
import { SegfuseError } from "../../src/errors.ts";
import type { AnyRecord, Registry } from "../../src/kinds.ts";
import { buildSegmentor } from "../../src/models/build.ts";
import { defineNeck, Neck, type NeckInputs, type NeckTensors } from "../../src/necks/contracts.ts";
import type { LevelInfo } from "../../src/models/backbones/contracts.ts";
import { materialise } from "../../src/nn/materialise.ts";
import { resolvedModel } from "../helpers/network.ts";

// When a network looks at what its parts give: at the first pass of each kind, and what never changes hands unseen.

beforeAll(async () => void (await tf.setBackend("cpu")));

/** Gives the finest level; what else it does is asked for at each call. */
class Fickle extends Neck {
  readonly usesContext = false;
  readonly isPyramid = false;
  declare readonly outputs: readonly LevelInfo[];
  looked = 0;

  constructor(
    { levels }: NeckInputs,
    private readonly change: (tensors: NeckTensors, map: tf.Tensor4D) => tf.Tensor4D,
  ) {
    super();
    const declared = [levels[0]!];
    // What was declared is read where it is compared with what came.
    Object.defineProperty(this, "outputs", { get: () => (this.looked++, declared) });
  }

  forward(tensors: NeckTensors): tf.Tensor4D[] {
    return [this.change(tensors, tf.clone(tensors.levels[0]!))];
  }
}

const half = (map: tf.Tensor4D) => tf.avgPool(map, 2, 2, "same");

function network(
  change: (training: boolean, tensors: NeckTensors, map: tf.Tensor4D) => tf.Tensor4D,
  source?: string,
) {
  const registry = createRegistry();
  let neck: Fickle | undefined;
  const record = defineNeck({
    type: "fickle",
    description: "changes its mind",
    schema: Type.Object({}),
    create: (_, inputs, context) =>
      (neck = new Fickle(inputs, (tensors, map) => change(context.training, tensors, map))),
  });
  registry.register(record, source);
  const segmentor = built(registry, "fickle");
  return { segmentor, neck: neck!, passOf: (size: number) => () => pass(segmentor, size) };
}

function built(registry: Registry, neck: string) {
  const model = resolvedModel(registry, {
    backbone: { type: "resnet", depth: 18, stem: "v1", base_channels: 4 },
    neck: { type: neck },
    head: { type: "ppm", channels: 4, bins: [1] },
  });
  const segmentor = buildSegmentor(model, { numClasses: 3, ignoreIndex: 255 }, registry);
  return segmentor;
}

function pass(segmentor: ReturnType<typeof built>, size: number): void {
  if (![...segmentor.namedParameters()][0]![1].isMaterialised) materialise(segmentor, 0);
  tf.tidy(() => void segmentor.forward(tf.zeros([2, size, size, 3])));
}

function told(action: () => unknown): string {
  try {
    action();
    return "fine";
  } catch (error) {
    if (!(error instanceof SegfuseError)) throw error;
    return error.report();
  }
}

const plugin = "/plugins/mine.mjs";
const broken = (expected: string, found: string) =>
  `SEGFUSE_PLUGIN_CONTRACT: the neck 'fickle' of a plug-in breaks the contract of its kind
  at: ${plugin}
  expected: a list of one map ${expected}
  found: ${found}, from forward()`;

describe("a plug-in's part that changes what it gives", () => {
  it("in another mode, in either order", () => {
    const { segmentor, passOf } = network((training, _, map) => (training ? map : half(map)), plugin);
    segmentor.context.training = true;
    expect(told(passOf(32))).toBe("fine");
    segmentor.context.training = false;
    expect(told(passOf(32))).toBe(broken("[2, 8, 8, 4]", "[2, 4, 4, 4]"));
    expect(told(passOf(32))).toBe(broken("[2, 8, 8, 4]", "[2, 4, 4, 4]"));
    segmentor.context.training = true;
    expect(told(passOf(32))).toBe("fine");
  });

  it("at another size of the image", () => {
    const { passOf } = network((_, { levels }, map) => (levels[0]!.shape[1] > 8 ? half(map) : map), plugin);
    expect(told(passOf(32))).toBe("fine");
    expect(told(passOf(64))).toBe(broken("[2, 16, 16, 4]", "[2, 8, 8, 4]"));
  });

  it("on an engine, and not in a trace", () => {
    const { segmentor, passOf } = network(
      (_, __, map) => (tf.getBackend() === "trace" ? map : half(map)),
      plugin,
    );
    const traced = () => traceSegmentor(segmentor, { height: 32, width: 32, batch: 2 });
    expect(told(traced)).toBe("fine");
    expect(told(passOf(32))).toBe(broken("[2, 8, 8, 4]", "[2, 4, 4, 4]"));
  });

  it("and is looked at no more in passes that were right, and named where it throws in a later one", () => {
    let calls = 0;
    const { neck, passOf } = network((_, __, map) => {
      if (++calls === 4) throw new RangeError("enough");
      return map;
    }, plugin);
    passOf(32)();
    const { looked } = neck;
    passOf(32)();
    passOf(32)();
    expect(neck.looked).toBe(looked);
    expect(told(passOf(32))).toMatchInlineSnapshot(`
      "SEGFUSE_PLUGIN_FAILED: the neck 'fickle' of a plug-in failed
        at: /plugins/mine.mjs
        found: RangeError: enough, in forward()
        try: --debug shows how it came there"
    `);
  });
});

describe("segfuse's own parts", () => {
  it("are looked at as well, in a trace and in a pass", () => {
    const { segmentor, passOf } = network((_, __, map) => half(map));
    const traced = () => traceSegmentor(segmentor, { height: 32, width: 32, batch: 2 });
    expect(told(traced)).toMatchInlineSnapshot(`
      "SEGFUSE_INTERNAL: the neck 'fickle' breaks the contract of its kind
        expected: a list of one map [2, 8, 8, 4]
        found: [2, 4, 4, 4], from forward()
        try: please report it with the config"
    `);
    expect(told(passOf(32))).toBe(told(traced));
  });

  it("have nothing in the way of their methods", () => {
    const segmentor = built(createRegistry(), "addition");
    for (const part of [segmentor.backbone, segmentor.neck, segmentor.head])
      expect(Object.getOwnPropertyNames(part)).not.toContain("forward");
    pass(segmentor, 32);
    expect(Object.getOwnPropertyNames(segmentor.neck)).not.toContain("forward");
  });
});

describe("what a result hangs on is looked at in every call", () => {
  const made = (kind: AnyRecord["kind"], component: object, inputs: object = {}) => {
    const registry = createRegistry();
    const record = { kind, type: "mine", description: "d", schema: Type.Object({}), create: () => component };
    registry.register(record as unknown as AnyRecord, plugin);
    const { create } = registry.get(kind, "mine") as unknown as { create: (...args: unknown[]) => unknown };
    return create({}, inputs) as Record<string, (...args: unknown[]) => unknown>;
  };
  /** What is said of the second of two calls, the first of which is right. */
  const later = (
    kind: AnyRecord["kind"],
    method: string,
    results: [unknown, unknown],
    component: object,
    inputs?: object,
  ) => {
    let calls = 0;
    const guarded = made(kind, { ...component, [method]: () => results[calls++] }, inputs);
    guarded[method]!();
    return told(() => guarded[method]!())
      .split("\n")
      .slice(2)
      .join("\n");
  };

  it("of schedules, losses, transforms, hooks and optimisers", () => {
    const sample = {
      ...{ height: 1, width: 2, labelHeight: 1, labelWidth: 2, image: new Float32Array(6) },
      label: Uint8Array.of(0, 255),
    };
    const inputs = { numClasses: 2, ignoreIndex: 255 };
    const outside = { ...sample, label: Uint8Array.of(0, 2) };
    const state = (value: unknown) => later("hook", "state", [{ a: [1, null] }, value], {});
    expect(
      [
        later("schedule", "rate", [0.1, NaN], { iterations: 9 }),
        later("loss", "forward", [tf.scalar(1), tf.zeros([2])], { name: "l" }),
        later("transform", "apply", [sample, outside], {}, inputs),
        later("transform", "applyDeferred", [{ source: sample }, outside], { apply: () => sample }, inputs),
        state({ a: [1, NaN] }),
        state({ b: { c: new Map() } }),
        state(3n),
        later("hook", "tensors", [new Map(), {}], {}),
        later("hook", "beforeEvaluation", [undefined, 3], {}),
        later("optimizer", "state", [new Map(), {}], { apply() {}, dispose() {} }),
      ].join("\n"),
    ).toMatchInlineSnapshot(`
      "  expected: a finite number
        found: NaN, from rate()
        expected: a scalar tensor []
        found: [2], from forward()
        expected: labels 0–1 or 255
        found: 2 at row 0, column 1, from apply()
        expected: labels 0–1 or 255
        found: 2 at row 0, column 1, from applyDeferred()
        expected: what JSON holds: text, finite numbers, true, false, null, lists and plain objects
        found: NaN as state.a.1, from state()
        expected: what JSON holds: text, finite numbers, true, false, null, lists and plain objects
        found: an object of class Map as state.b.c, from state()
        expected: what JSON holds: text, finite numbers, true, false, null, lists and plain objects
        found: a bigint as state, from state()
        expected: a Map of parameters by name
        found: an empty object, from tensors()
        expected: nothing, or a function that undoes it
        found: 3, from beforeEvaluation()
        expected: a Map of parameters by name
        found: an empty object, from state()"
    `);
  });
});
