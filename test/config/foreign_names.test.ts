import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadConfig, requireEnvironment } from "../../src/config/load.ts";
import { createRegistry } from "../../src/builtin.ts";
import type { SegfuseError } from "../../src/errors.ts";
import { preflight } from "../../src/runners/preflight/index.ts";
import { openScope } from "../../src/runners/scope.ts";
import { train } from "../../src/runners/train.ts";
import { MemoryLogger, TinyRun } from "../helpers/tiny_run.ts";

// A plug-in's options mean what the plug-in says, whatever segfuse's own components have by that name.

const plugin = `import {
  AuxiliaryHead, Backbone, componentName, Conv2d, convBnRelu, defineAuxiliaryHead, defineBackbone, defineHead, defineHook,
  defineLoss, defineOptimizer, defineSchedule, defineTransform, Head, normal, softmaxCrossEntropy, tf, Type,
} from "segfuse";
const option = (schema) => ({ ...schema, description: "something else" });
const text = option(Type.String());
const number = option(Type.Number());
const flag = option(Type.Boolean());

class TwoLevels extends Backbone {
  levels = [{ channels: 4, stride: 2 }, { channels: 4, stride: 4 }];
  constructor(inChannels, context) {
    super();
    this.stages = [inChannels, 4].map((from) => convBnRelu(context, { kernel: 3, in: from, out: 4, stride: 2 }));
  }
  forward(image) {
    const first = this.stages[0].forward(image);
    return [first, this.stages[1].forward(first)];
  }
}
const classifier = (numClasses) => new Conv2d({ kernel: 1, in: 4, out: numClasses, initialiser: normal(0.01) });
class Flat extends Head {
  constructor(numClasses) { super(); this.classifier = classifier(numClasses); }
  forward({ fused: [map] }) { return this.classifier.forward(map); }
}
class Coarse extends AuxiliaryHead {
  constructor(numClasses) { super(); this.classifier = classifier(numClasses); }
  forward(levels) { return this.classifier.forward(levels.at(-1)); }
}
const sgd = (parameters) => ({
  apply(gradients, lr) {
    for (const [name, gradient] of Object.entries(gradients)) {
      const { variable } = parameters.get(name);
      tf.tidy(() => variable.assign(tf.sub(variable, tf.mul(gradient, lr))));
    }
  },
  state: () => new Map(),
  dispose() {},
});
const backbone = (rest) => defineBackbone({
  description: "two strided convolutions", levelCount: 2,
  create: (_, { inChannels }, context) => new TwoLevels(inChannels, context), ...rest,
});
const around = [];
export const seen = around;
export default [
  backbone({
    type: "branching",
    schema: Type.Object({ output_stride: number, pretrained: text, pretrained_key: number, with_cp: number }),
  }),
  backbone({
    type: "started",
    schema: Type.Object({ pretrained: flag, weights: Type.Optional(text) }),
    pretrained: { file: "weights" },
  }),
  defineHead({
    type: "flat", description: "a classifier", schema: Type.Object({ level: number, channels: text, dropout: text, context: text, bins: option(Type.Array(Type.Number())) }),
    create: (_, { numClasses }) => new Flat(numClasses),
  }),
  defineAuxiliaryHead({
    type: "coarse", description: "a classifier on the last level", schema: Type.Object({ level: number }),
    create: (_, { numClasses }) => new Coarse(numClasses),
  }),
  defineLoss({
    type: "plain_ce", description: "cross-entropy",
    schema: Type.Object({ class_weights: option(Type.Array(Type.Number())), class_weight: text, alpha: text }),
    rules: [{ *check(options, all) { around.push(all); } }],
    create: (_, { ignoreIndex }) => ({
      name: "loss_plain",
      forward: (logits, labels) => softmaxCrossEntropy(logits, labels, { ignoreIndex, avgNonIgnore: true }),
    }),
  }),
  defineOptimizer({
    type: "plain", description: "w - lr g", schema: Type.Object({ nesterov: flag, momentum: number, paramwise: text }),
    create: (_, { parameters }) => sgd(parameters),
  }),
  defineSchedule({
    type: "named", description: "the same rate", schema: Type.Object({
      milestones: option(Type.Array(Type.Union([Type.Integer(), Type.String()]))), min_lr: number, warmup: number,
    }),
    create: ({ iterations }) => ({ iterations, rate: (_, lr) => lr }),
  }),
  defineHook({
    type: "ruler", description: "measures", schema: Type.Object({ metric: text, momentum: text }),
    create: () => ({ afterUpdate() {} }),
  }),
  defineHook({
    type: "watcher", description: "watches scores", weightCopies: 2,
    schema: Type.Object({
      watch: Type.Union([componentName("metric"), Type.Null()], { description: "a score" }),
      more: option(Type.Array(Type.Object({ score: componentName("metric", { description: "a score" }) }))),
    }),
    create: ({ watch, more }, { logger }) => ({
      afterEvaluation({ result }) { logger.info("watched " + [watch, ...more.map(({ score }) => score)].filter((name) => name in result.metrics)); },
    }),
  }),
  defineTransform({
    type: "corner", description: "the upper left corner", schema: Type.Object({ size: text, side: number }),
    size: ({ side }) => [side, side],
    create: ({ side }) => ({
      apply(sample) {
        const cut = (data, channels, width) => data.constructor.from({ length: side * side * channels }, (_, i) => {
          const [pixel, c] = [Math.floor(i / channels), i % channels];
          return data[(Math.floor(pixel / side) * width + (pixel % side)) * channels + c];
        });
        return {
          ...sample, height: side, width: side, labelHeight: side, labelWidth: side,
          image: cut(sample.image, 3, sample.width), label: cut(sample.label, 1, sample.labelWidth),
          valid: { top: 0, left: 0, height: side, width: side },
        };
      },
    }),
  }),
];
`;

const run = new TinyRun({ train: 4, val: 2 });
const registry = createRegistry();
const logger = new MemoryLogger();
const path = run.path("foreign.yaml");

beforeAll(() => {
  writeFileSync(run.path("foreign.mjs"), plugin);
  writeFileSync(
    path,
    `
_base_: tiny.yaml
plugins: [./foreign.mjs]
model:
  backbone: {type: branching, output_stride: 4096, pretrained: imagenet, pretrained_key: 3, with_cp: 7}
  neck: {type: addition, channels: 4, refine_convs: 0}
  head: {type: flat, context: ppm, bins: [4000, 0.5], level: 99, channels: many, dropout: none, losses: [{type: plain_ce, class_weights: [0, 0], class_weight: balanced, alpha: a}]}
  auxiliary_head: {type: coarse, level: 99, losses: [{type: plain_ce, class_weights: [1], class_weight: none, alpha: b}]}
data: {train: {transforms: [{type: random_crop}]}}
optimizer: {_delete_: true, type: plain, lr: 0.01, nesterov: true, momentum: 0, paramwise: all}
schedule: {_delete_: true, type: named, iterations: 2, milestones: [7, end], min_lr: 9, warmup: 50}
evaluation: {interval: 2}
hooks: [{type: ruler, metric: kilometre, momentum: much}]
`,
  );
});
afterAll(() => run.remove());

const load = (...set: string[]) => loadConfig(path, { registry, set });
const inputs = async (name: string, ...set: string[]) => ({
  loaded: await load(...set),
  workDir: run.path(name),
  registry,
  logger,
});
/** What is found before a run. */
async function foreseen(...set: string[]) {
  const scope = openScope(await inputs("foreseen", ...set));
  try {
    return await preflight({ scope, initFrom: null, allowFresh: [] });
  } finally {
    await scope.close();
  }
}
/** Of a transform that data workers would have to import segfuse for: it is only checked. */
const corner = (side: number) => `data.train.transforms=[{type: corner, size: small, side: ${side}}]`;

it("a plug-in's options are not judged by their names, and it trains", async () => {
  const found = await foreseen(corner(24));
  expect(found.warnings).toEqual([]);
  expect(found.memory).not.toBeNull();
  const { iterations, losses } = await train(await inputs("work"));
  expect(iterations).toBe(2);
  expect(Object.keys(losses)).toEqual(["decode.loss_plain", "aux.loss_plain", "loss"]);
  expect(logger.lines.find((line) => line.startsWith("weights: "))).toBe("weights: all fresh (seed 3)");
}, 120_000);

it("a rule is told what surrounds its component", async () => {
  await load("schedule.iterations=5", "optimizer.lr=0.25");
  const { seen } = (await import(run.path("foreign.mjs"))) as { seen: unknown[] };
  expect(seen.at(-1)).toEqual({
    iterations: 5,
    baseLr: 0.25,
    levels: { count: 2, backbone: "branching" },
    classes: { count: 3, from: "data.dataset" },
  });
  await load("model.num_classes=3");
  expect(seen.at(-1)).toMatchObject({ classes: { count: 3, from: "model.num_classes" } });
});

describe("what a record declares", () => {
  it("a backbone's weight file is read, by whatever name", async () => {
    const file = run.path("work/checkpoints/iter_2/model.safetensors"); // of the run above
    logger.lines.length = 0;
    const set = [`model.backbone={type: started, pretrained: true, weights: ${file}}`, "hooks=[]"];
    const { weights } = await train(await inputs("started", ...set));
    expect(weights?.sources.map((source) => source.file)).toEqual([file]);
  }, 120_000);

  it("an option of such a name that is something else must be known to every command", async () => {
    const reads = async (...set: string[]) => {
      const loaded = await loadConfig(path, { registry, set, env: {}, allowUnsetEnv: true });
      requireEnvironment(loaded, ["engine", "model"]);
    };
    await reads("model.backbone={type: started, pretrained: true, weights: '${env:NOWHERE}/r18.pth'}");
    await expect(reads("model.backbone.pretrained=${env:NOWHERE}")).rejects.toMatchObject({
      code: "SEGFUSE_CONFIG_ENV",
    });
  });

  it("the scores that a hook's options name are computed, and must be computable", async () => {
    const watched = (...names: [string, string]) =>
      `hooks=[{type: watcher, watch: ${names[0]}, more: [{score: ${names[1]}}]}]`;
    logger.lines.length = 0;
    const set = [watched("mBIoU", "mDice"), "evaluation.metrics=[mIoU]", "checkpoint.best=null"];
    await train(await inputs("watched", ...set));
    expect(logger.lines).toContain("watched mBIoU,mDice");
    await expect(load(watched("mIoU", "mIuO"))).rejects.toMatchObject({ code: "SEGFUSE_CONFIG_CHOICE" });
  }, 120_000);

  it("the size that a transform gives, and the copies of the weights that a hook stores, are foreseen", async () => {
    const [small, large] = [await foreseen(corner(16)), await foreseen(corner(40))];
    expect(large.memory!.tensors).toBeGreaterThan(small.memory!.tensors);
    const kept = await foreseen("hooks=[{type: watcher, watch: null, more: []}]");
    const weights = small.disk.checkpoint; // the optimiser keeps nothing
    expect(kept.disk.checkpoint).toBe(3 * weights);
  }, 120_000);

  it("must be options that it has", async () => {
    writeFileSync(
      run.path("wrong.mjs"),
      `import { defineBackbone, Type } from "segfuse";
export default defineBackbone({ type: "b", description: "d", schema: Type.Object({}), pretrained: { file: "weights" }, create() {} });
`,
    );
    const error: unknown = await createRegistry()
      .loadPlugins(["./wrong.mjs"], path)
      .catch((reason: unknown) => reason);
    expect((error as SegfuseError).report().replaceAll(run.folder, "ROOT")).toMatchInlineSnapshot(`
      "SEGFUSE_PLUGIN_EXPORT: a plug-in exports no component
        at: ROOT/wrong.mjs
        expected: \`export default defineNeck({ type, description, schema, create })\` or a list of such records
        found: the backbone 'b' whose pretrained does not name options of its schema"
    `);
  });
});
