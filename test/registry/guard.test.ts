import { writeFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs";
import { Type } from "typebox";
import { afterAll, describe, expect, it } from "vitest";
import { SegfuseError } from "../../src/errors.ts";
import { Backbone, type LevelInfo } from "../../src/models/backbones/contracts.ts";
import { Head } from "../../src/heads/contracts.ts";
import { Neck } from "../../src/necks/contracts.ts";
import { composeNeck } from "../../src/necks/compose_neck.ts";
import type { AnyRecord, Kind, RecordsByKind } from "../../src/kinds.ts";
import { createRegistry } from "../../src/builtin.ts";
import { segfuse } from "../helpers/cli.ts";
import { TinyRun } from "../helpers/tiny_run.ts";

// What a plug-in's own code throws, or gives against its kind's contract, is told with its path.

/** The component of a plug-in's record as segfuse makes it. */
function component<K extends Kind>(kind: K, create: (...args: never[]) => unknown): RecordsByKind[K] {
  const registry = createRegistry();
  const record = { kind, type: "mine", description: "mine", schema: Type.Object({}), create };
  registry.register(record as unknown as AnyRecord, "/plugins/mine.mjs");
  return registry.get(kind, "mine");
}

async function told(...actions: (() => unknown)[]): Promise<string> {
  const texts: string[] = [];
  for (const action of actions) {
    try {
      await action();
      texts.push("fine");
    } catch (error) {
      if (!(error instanceof SegfuseError)) throw error;
      texts.push(error.report());
    }
  }
  return texts.join("\n");
}

const none = {} as never;
const level: LevelInfo = { channels: 2, stride: 4 };
const map = (...shape: [number, number, number, number]) => tf.zeros(shape);

describe("networks' parts", () => {
  const image = map(1, 30, 32, 3);
  class Stem extends Backbone {
    readonly levels = [level];
    constructor(private readonly result: unknown) {
      super();
    }
    forward(): tf.Tensor4D[] {
      return this.result as tf.Tensor4D[];
    }
  }
  class Flat extends Head {
    constructor(private readonly result: unknown) {
      super();
    }
    forward(): tf.Tensor4D {
      return this.result as tf.Tensor4D;
    }
  }

  it("a backbone gives its levels, rounded either way", async () => {
    const forward = (result: unknown) =>
      component("backbone", () => new Stem(result))
        .create(none, none, none)
        .forward(image as tf.Tensor4D);
    const { length } = [map(1, 7, 8, 2), map(1, 8, 8, 2)].map((right) => forward([right]));
    expect(length).toBe(2);
    expect(
      await told(
        () => component("backbone", () => null).create(none, none, none),
        () =>
          component("backbone", () => Object.assign(new Stem([]), { levels: [] })).create(none, none, none),
        () => forward([map(1, 6, 8, 2)]),
        () => forward([map(1, 8, 8, 2), map(1, 4, 4, 2)]),
        () => forward(map(1, 8, 8, 2)),
      ),
    ).toMatchInlineSnapshot(`
      "SEGFUSE_PLUGIN_CONTRACT: the backbone 'mine' of a plug-in breaks the contract of its kind
        at: /plugins/mine.mjs
        expected: an object of a class that extends Backbone
        found: null, from create()
      SEGFUSE_PLUGIN_CONTRACT: the backbone 'mine' of a plug-in breaks the contract of its kind
        at: /plugins/mine.mjs
        expected: 'levels', a list of { channels, stride } in whole numbers
        found: [], from create()
      SEGFUSE_PLUGIN_CONTRACT: the backbone 'mine' of a plug-in breaks the contract of its kind
        at: /plugins/mine.mjs
        expected: a list of one map [1, 7–8, 8, 2]
        found: [1, 6, 8, 2], from forward()
      SEGFUSE_PLUGIN_CONTRACT: the backbone 'mine' of a plug-in breaks the contract of its kind
        at: /plugins/mine.mjs
        expected: a list of one map [1, 7–8, 8, 2]
        found: [1, 8, 8, 2], [1, 4, 4, 2], from forward()
      SEGFUSE_PLUGIN_CONTRACT: the backbone 'mine' of a plug-in breaks the contract of its kind
        at: /plugins/mine.mjs
        expected: a list of one map [1, 7–8, 8, 2]
        found: [1, 8, 8, 2], from forward()"
    `);
  });

  class Frozen extends Neck {
    readonly outputs = [level];
    readonly usesContext = false;
    readonly isPyramid = false;
    forward(): tf.Tensor4D[] {
      return [];
    }
  }

  it("a neck gives what it declared, at the size of the level with that stride", async () => {
    const neck = (result: unknown) =>
      component("neck", () =>
        composeNeck({ modules: {}, outputs: [level], forward: () => result as tf.Tensor4D[] }),
      ).create(none, { levels: [level], context: null }, none);
    const tensors = { levels: [map(2, 8, 8, 2) as tf.Tensor4D], context: null };
    const gone = map(2, 8, 8, 2);
    gone.dispose();
    expect(
      await told(
        () => component("neck", () => ({ forward: () => [] })).create(none, none, none),
        () => component("neck", () => Object.freeze(new Frozen())).create(none, none, none),
        () => neck([map(2, 8, 8, 2)]).forward(tensors),
        () => neck([map(2, 8, 8, 3)]).forward(tensors),
        () => neck([map(2, 4, 4, 2)]).forward(tensors),
        () => neck([tf.zeros([2])]).forward(tensors),
        () => neck(undefined).forward(tensors),
        () => neck([gone]).forward(tensors),
      ),
    ).toMatchInlineSnapshot(`
      "SEGFUSE_PLUGIN_CONTRACT: the neck 'mine' of a plug-in breaks the contract of its kind
        at: /plugins/mine.mjs
        expected: composeNeck({ … }) or an object of a class that extends Neck
        found: an object with forward, from create()
      SEGFUSE_PLUGIN_CONTRACT: the neck 'mine' of a plug-in breaks the contract of its kind
        at: /plugins/mine.mjs
        expected: a Neck that is not frozen
        found: a frozen one, from create()
      fine
      SEGFUSE_PLUGIN_CONTRACT: the neck 'mine' of a plug-in breaks the contract of its kind
        at: /plugins/mine.mjs
        expected: a list of one map [2, 8, 8, 2]
        found: [2, 8, 8, 3], from forward()
      SEGFUSE_PLUGIN_CONTRACT: the neck 'mine' of a plug-in breaks the contract of its kind
        at: /plugins/mine.mjs
        expected: a list of one map [2, 8, 8, 2]
        found: [2, 4, 4, 2], from forward()
      SEGFUSE_PLUGIN_CONTRACT: the neck 'mine' of a plug-in breaks the contract of its kind
        at: /plugins/mine.mjs
        expected: a list of one map [2, 8, 8, 2]
        found: [2], from forward()
      SEGFUSE_PLUGIN_CONTRACT: the neck 'mine' of a plug-in breaks the contract of its kind
        at: /plugins/mine.mjs
        expected: a list of one map [2, 8, 8, 2]
        found: undefined, from forward()
      SEGFUSE_PLUGIN_CONTRACT: the neck 'mine' of a plug-in breaks the contract of its kind
        at: /plugins/mine.mjs
        expected: a list of one map [2, 8, 8, 2]
        found: [2, 8, 8, 2], disposed of, from forward()"
    `);
  });

  it("a head gives one logit a class, a loss a scalar", async () => {
    const head = (result: unknown) =>
      component("head", () => new Flat(result)).create(none, { numClasses: 3 } as never, none);
    const maps = { levels: [map(2, 8, 8, 2) as tf.Tensor4D], fused: [], context: null };
    const loss = (made: unknown) => component("loss", () => made).create(none, none);
    expect(
      await told(
        () => head(map(2, 8, 8, 3)).forward(maps),
        () => head(map(2, 8, 8, 4)).forward(maps),
        () => loss({ forward: () => tf.scalar(1) }),
        () => loss({ name: "l", forward: () => tf.scalar(1) }).forward(none, none),
        () => loss({ name: "l", forward: () => tf.zeros([2]) }).forward(none, none),
        () => loss({ name: "l", forward: () => 0.5 }).forward(none, none),
      ),
    ).toMatchInlineSnapshot(`
      "fine
      SEGFUSE_PLUGIN_CONTRACT: the head 'mine' of a plug-in breaks the contract of its kind
        at: /plugins/mine.mjs
        expected: logits [2, *, *, 3]
        found: [2, 8, 8, 4], from forward()
      SEGFUSE_PLUGIN_CONTRACT: the loss 'mine' of a plug-in breaks the contract of its kind
        at: /plugins/mine.mjs
        expected: an object whose 'name' is a string
        found: an object with forward, from create()
      fine
      SEGFUSE_PLUGIN_CONTRACT: the loss 'mine' of a plug-in breaks the contract of its kind
        at: /plugins/mine.mjs
        expected: a scalar tensor []
        found: [2], from forward()
      SEGFUSE_PLUGIN_CONTRACT: the loss 'mine' of a plug-in breaks the contract of its kind
        at: /plugins/mine.mjs
        expected: a scalar tensor []
        found: 0.5, from forward()"
    `);
  });
});

describe("data", () => {
  const info = {
    classes: ["a", "b"],
    palette: [
      [0, 0, 0],
      [9, 9, 9],
    ],
    ignoreIndex: 255,
  };
  const image = { height: 2, width: 3, channels: 3, data: new Uint8Array(18) };
  const label = { height: 2, width: 3, data: Uint8Array.of(0, 1, 255, 0, 0, 0) };
  const dataset = (sample: unknown, more: object = {}) =>
    component("dataset", () =>
      Promise.resolve({
        info,
        length: 4,
        id: String,
        files: () => null,
        load: () => Promise.resolve(sample),
        ...more,
      }),
    ).create(none, none);

  it("a data set says what it is, and gives pictures of the size they say and labels that are classes", async () => {
    const load = async (sample: unknown) => (await dataset(sample)).load(3);
    expect(
      await told(
        () => load({ id: "3", image, label }),
        () => dataset(null, { load: undefined }),
        () => dataset(null, { length: "many" }),
        () => dataset(null, { info: { ...info, palette: [] } }),
        () => dataset(null, { info: { ...info, ignoreIndex: 1 } }),
        () => load(undefined),
        () => load({ id: "3", image: { ...image, width: 4 }, label }),
        () => load({ id: "3", image, label: { ...label, data: Uint8Array.of(0, 1, 255, 0, 2, 0) } }),
        async () =>
          (await dataset(null, { load: () => Promise.reject(new Error("the disk is gone")) })).load(2),
      ),
    ).toMatchInlineSnapshot(`
      "fine
      SEGFUSE_PLUGIN_CONTRACT: the dataset 'mine' of a plug-in breaks the contract of its kind
        at: /plugins/mine.mjs
        expected: an object with id(), files(), load()
        found: an object with info, length, id, files, load, from create()
      SEGFUSE_PLUGIN_CONTRACT: the dataset 'mine' of a plug-in breaks the contract of its kind
        at: /plugins/mine.mjs
        expected: 'length', the number of samples
        found: "many" (a string), from create()
      SEGFUSE_PLUGIN_CONTRACT: the dataset 'mine' of a plug-in breaks the contract of its kind
        at: /plugins/mine.mjs
        expected: 'info.palette', 2 colours [red, green, blue]
        found: [], from create()
      SEGFUSE_PLUGIN_CONTRACT: the dataset 'mine' of a plug-in breaks the contract of its kind
        at: /plugins/mine.mjs
        expected: 'info.ignoreIndex', a label from 2 to 255, behind the classes
        found: 1, from create()
      SEGFUSE_PLUGIN_CONTRACT: the dataset 'mine' of a plug-in breaks the contract of its kind
        at: /plugins/mine.mjs
        expected: 'image', { height, width, channels: 3, data: height · width · 3 bytes }
        found: undefined, from load(3)
      SEGFUSE_PLUGIN_CONTRACT: the dataset 'mine' of a plug-in breaks the contract of its kind
        at: /plugins/mine.mjs
        expected: 'image', { height, width, channels: 3, data: height · width · 3 bytes }
        found: 18 bytes at 2x4, from load(3)
      SEGFUSE_PLUGIN_CONTRACT: the dataset 'mine' of a plug-in breaks the contract of its kind
        at: /plugins/mine.mjs
        expected: labels 0–1 or 255
        found: 2 at row 1, column 1, from load(3)
      SEGFUSE_PLUGIN_FAILED: the dataset 'mine' of a plug-in failed
        at: /plugins/mine.mjs
        found: Error: the disk is gone, in load(2)
        try: --debug shows how it came there"
    `);
  });

  it("a transform gives a sample", async () => {
    const apply = (result: unknown) =>
      component("transform", () => ({ apply: () => result }))
        .create(none, none)
        .apply({ id: "s7" } as never, none);
    const sample = { height: 2, width: 3, labelHeight: 2, labelWidth: 3, image: new Float32Array(18) };
    expect(
      await told(
        () => apply({ ...sample, label: new Uint8Array(6) }),
        () => apply(undefined),
        () => apply({ ...sample, width: 2, label: new Uint8Array(6) }),
        () => apply({ ...sample, label: new Uint8Array(5) }),
      ),
    ).toMatchInlineSnapshot(`
      "fine
      SEGFUSE_PLUGIN_CONTRACT: the transform 'mine' of a plug-in breaks the contract of its kind
        at: /plugins/mine.mjs
        expected: 'image', a Float32Array of height · width · 3
        found: undefined, from apply() of sample s7
      SEGFUSE_PLUGIN_CONTRACT: the transform 'mine' of a plug-in breaks the contract of its kind
        at: /plugins/mine.mjs
        expected: 'image', a Float32Array of height · width · 3
        found: 18 values at 2x2, from apply() of sample s7
      SEGFUSE_PLUGIN_CONTRACT: the transform 'mine' of a plug-in breaks the contract of its kind
        at: /plugins/mine.mjs
        expected: 'label', a Uint8Array of labelHeight · labelWidth
        found: 5 values at 2x3, from apply() of sample s7"
    `);
  });
});

it("what trains and what maps names", async () => {
  const hook = (made: unknown) => component("hook", () => made).create(none, none);
  const rate = (value: unknown) =>
    component("schedule", () => ({ iterations: 2, rate: () => value })).create(none);
  expect(
    await told(
      () =>
        hook(Object.freeze({ afterUpdate: () => Promise.reject(new RangeError("over")) })).afterUpdate!(none),
      () => hook({ afterUpdates: () => {} }),
      () => hook({ beforeRun: () => {}, afterupdate: () => {} }),
      () => rate(0.1).rate(0, 1),
      () => rate(NaN).rate(1, 1),
      () => component("optimizer", () => ({ apply: () => {} })).create(none, none),
      () =>
        component("name_map", () => ({ toOurs: () => 3, toTheirs: () => null }))
          .create(none)
          .toOurs("x"),
    ),
  ).toMatchInlineSnapshot(`
    "SEGFUSE_PLUGIN_FAILED: the hook 'mine' of a plug-in failed
      at: /plugins/mine.mjs
      found: RangeError: over, in afterUpdate()
      try: --debug shows how it came there
    SEGFUSE_PLUGIN_CONTRACT: the hook 'mine' of a plug-in breaks the contract of its kind
      at: /plugins/mine.mjs
      expected: at least one of beforeRun, beforeUpdate, beforeStep, afterUpdate, beforeEvaluation, afterEvaluation, afterCheckpoint, onLog, afterRun, onError, close, state, loadState, tensors
      found: afterUpdates, from create()
    SEGFUSE_PLUGIN_CONTRACT: the hook 'mine' of a plug-in breaks the contract of its kind
      at: /plugins/mine.mjs
      expected: afterUpdate
      found: the method afterupdate, which no run calls, from create()
    fine
    SEGFUSE_PLUGIN_CONTRACT: the schedule 'mine' of a plug-in breaks the contract of its kind
      at: /plugins/mine.mjs
      expected: a finite number
      found: NaN, from rate(1)
    SEGFUSE_PLUGIN_CONTRACT: the optimizer 'mine' of a plug-in breaks the contract of its kind
      at: /plugins/mine.mjs
      expected: an object with apply(), state(), dispose()
      found: an object with apply, from create()
    SEGFUSE_PLUGIN_CONTRACT: the name map 'mine' of a plug-in breaks the contract of its kind
      at: /plugins/mine.mjs
      expected: a name, null (no place here) or undefined (not known)
      found: 3, from toOurs()"
  `);
});

it("methods keep their object, and what they add stays out of sight", () => {
  class Counter {
    #calls = 0;
    rate() {
      return ++this.#calls;
    }
    iterations = 3;
  }
  const schedule = component("schedule", () => new Counter()).create(none);
  expect([schedule.rate(0, 1), schedule.rate(1, 1)]).toEqual([1, 2]);
  expect(Object.keys(schedule)).toEqual(["iterations"]);
});

describe("a run with a plug-in that fails", () => {
  const run = new TinyRun();
  afterAll(() => run.remove());

  it("names its line, in the main thread and in a data worker", async () => {
    writeFileSync(
      run.path("mine.ts"),
      `// TypeScript, whose lines are those of the file
interface Options { where: string }
import { defineHook, defineTransform, Type } from "segfuse";
const schema = Type.Object({});
export default [
  defineTransform({ type: "bad", description: "fails", schema, create: () => ({
    apply() {
      throw new RangeError("no pixels");
    },
  }) }),
  defineHook({ type: "bad", description: "fails", schema, create: () => ({
    async afterUpdate() {
      await null;
      throw new Error("after it all");
    },
  }) }),
];
`,
    );
    const plugins = ["--set", `plugins=[${run.path("mine.ts")}]`];
    const texts: string[] = [];
    for (const set of ["data.train.transforms=[{type: bad}]", "hooks=[{type: bad}]"]) {
      const { code, stderr } = await segfuse(
        ["train", run.config, "--work-dir", run.path("work"), ...plugins, "--set", set],
        { cwd: run.folder },
      );
      texts.push(`${code}\n${stderr.slice(stderr.indexOf("SEGFUSE_")).replaceAll(run.folder, "ROOT")}`);
    }
    expect(texts.join("\n")).toMatchInlineSnapshot(`
      "1
      SEGFUSE_PLUGIN_FAILED: the transform 'bad' of a plug-in failed
        at: ROOT/mine.ts:8:13
        found: RangeError: no pixels, in apply() of sample 3
        try: --debug shows how it came there

      1
      SEGFUSE_PLUGIN_FAILED: the hook 'bad' of a plug-in failed
        at: ROOT/mine.ts:14:13
        found: Error: after it all, in afterUpdate()
        try: --debug shows how it came there
      "
    `);
  });

  it("names the operation that cannot be trained", async () => {
    writeFileSync(
      run.path("ranked.mjs"),
      `import { composeNeck, convBnRelu, defineNeck, tf, Type } from "segfuse";
export default defineNeck({ type: "ranked", description: "the four largest", schema: Type.Object({}),
  create(_, { levels }, context) {
    const reduce = convBnRelu(context, { kernel: 1, in: levels[0].channels, out: 8 });
    return composeNeck({ modules: { reduce }, outputs: [{ channels: 4, stride: levels[0].stride }],
      forward: ({ levels: [finest] }) => [tf.topk(reduce.forward(finest), 4).values] });
  } });
`,
    );
    const { code, stderr } = await segfuse([
      "train",
      run.config,
      "--work-dir",
      run.path("ranked"),
      "--set",
      `plugins=[${run.path("ranked.mjs")}]`,
      "--set",
      "model.neck={type: ranked}",
    ]);
    expect(code).toBe(1);
    expect(stderr.slice(stderr.indexOf("SEGFUSE_"))).toMatchInlineSnapshot(`
      "SEGFUSE_OP_GRADIENT: the network has an operation without a gradient
        expected: operations that TensorFlow.js can differentiate on the way from a weight to the loss
        found: TopK
        try: other operations, tf.customGrad, or frozen weights before it
      "
    `);
  });
});
