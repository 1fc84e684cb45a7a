import { describe, expect, it } from "vitest";
import { createRegistry } from "../../src/builtin.ts";
import { Files, small } from "./files.ts";

// Names and options of metrics, a plug-in's among them. Each load has a registry of its own: plug-ins stay in one.

const plugin = `import { defineMetric, nanMean, Type } from "segfuse";
const names = Type.Array(Type.String(), { minItems: 1, description: "of the group" });
const power = Type.Number({ minimum: 0, default: 1, description: "of the frequency" });
const create = () => ({ compute: () => 1 });
export default [
  defineMetric({ type: "group", description: "mean IoU of some classes", schema: Type.Object({ names }), create }),
  defineMetric({ type: "fwDice", description: "Dice, weighted", schema: Type.Object({ power }), create }),
];
`;
const base = `${small}\nplugins: [./metrics.ts]\n`;
const files = new Files({ "metrics.ts": plugin, "base.yaml": base });

function load(text: string) {
  files.write("run.yaml", `_base_: base.yaml\n${text}`);
  return files.load("run.yaml", { registry: createRegistry() });
}

describe("a config", () => {
  it("names metrics alone or with options, and is judged by them", async () => {
    const { config } = await load(`
evaluation: {metrics: [mIoU, {type: group, names: [a]}, {type: fwDice}, {type: mFscore, beta: 2}]}
checkpoint: {best: group}
hooks: [{type: early_stopping, metric: fwDice}]
`);
    expect(config.evaluation.metrics).toEqual([
      "mIoU",
      { type: "group", names: ["a"] },
      { type: "fwDice", power: 1 },
      { type: "mFscore", beta: 2 },
    ]);
    expect(config.checkpoint.best).toBe("group");
    expect((await load("checkpoint: {best: fwDice}")).config.evaluation.metrics).toEqual([
      "mIoU",
      "mAcc",
      "aAcc",
    ]);
  });

  it("is told the names that there are, plug-ins' among them, and the options", async () => {
    const text = `evaluation:
  metrics: [mIoU, groop, {type: fwDise}, {type: fwDice, power: -1, scale: 2}, {type: group}, 3]
checkpoint: {best: fwdice}
hooks: [{type: early_stopping, metric: mBIou}]
`;
    expect(await files.report(load(text))).toMatchInlineSnapshot(`
      "8 complaints

      SEGFUSE_CONFIG_CHOICE: 'metrics' is none of its choices
        at: ROOT/run.yaml:3:19 (evaluation.metrics.1)
        3 |   metrics: [mIoU, groop, {type: fwDise}, {type: fwDice, power: -1, scale: 2}, {type: group}, 3]
          |                   ^
        expected: one of mIoU, mAcc, aAcc, fwIoU, mDice, mFscore, mPrecision, mRecall, kappa, mBIoU, group, fwDice, or a metric (a map with type)
        found: "groop" (a string)
        did you mean: group
        valid: mIoU, mAcc, aAcc, fwIoU, mDice, mFscore, mPrecision, mRecall, kappa, mBIoU, group, fwDice

      SEGFUSE_CONFIG_UNKNOWN_TYPE: there is no metric 'fwDise'
        at: ROOT/run.yaml:3:33 (evaluation.metrics.2.type)
        3 |   metrics: [mIoU, groop, {type: fwDise}, {type: fwDice, power: -1, scale: 2}, {type: group}, 3]
          |                                 ^
        did you mean: fwDice
        valid: mIoU, mAcc, aAcc, fwIoU, mDice, mFscore, mPrecision, mRecall, kappa, mBIoU, group, fwDice

      SEGFUSE_CONFIG_RANGE: 'power' is out of range
        at: ROOT/run.yaml:3:64 (evaluation.metrics.3.power)
        3 |   metrics: [mIoU, groop, {type: fwDise}, {type: fwDice, power: -1, scale: 2}, {type: group}, 3]
          |                                                                ^
        expected: a number ≥ 0
        found: -1

      SEGFUSE_CONFIG_UNKNOWN_KEY: the metric 'fwDice' has no key 'scale'
        at: ROOT/run.yaml:3:68 (evaluation.metrics.3.scale)
        3 |   metrics: [mIoU, groop, {type: fwDise}, {type: fwDice, power: -1, scale: 2}, {type: group}, 3]
          |                                                                    ^
        valid: type, power

      SEGFUSE_CONFIG_MISSING_KEY: 'evaluation.metrics.4' lacks the key 'names'
        at: ROOT/run.yaml:3:79 (evaluation.metrics.4.names)
        3 | …groop, {type: fwDise}, {type: fwDice, power: -1, scale: 2}, {type: group}, 3]
          |                                                              ^
        expected: a list of 1 or more: each text

      SEGFUSE_CONFIG_TYPE: 'metrics' has a value of the wrong type
        at: ROOT/run.yaml:3:94 (evaluation.metrics.5)
        3 | …wDise}, {type: fwDice, power: -1, scale: 2}, {type: group}, 3]
          |                                                              ^
        expected: one of mIoU, mAcc, aAcc, fwIoU, mDice, mFscore, mPrecision, mRecall, kappa, mBIoU, group, fwDice, or a metric (a map with type)
        found: 3

      SEGFUSE_CONFIG_CHOICE: 'best' is none of its choices
        at: ROOT/run.yaml:4:20 (checkpoint.best)
        4 | checkpoint: {best: fwdice}
          |                    ^
        expected: one of mIoU, mAcc, aAcc, fwIoU, mDice, mFscore, mPrecision, mRecall, kappa, mBIoU, group, fwDice, val_loss, or null
        found: "fwdice" (a string)
        did you mean: fwDice
        valid: mIoU, mAcc, aAcc, fwIoU, mDice, mFscore, mPrecision, mRecall, kappa, mBIoU, group, fwDice, val_loss

      SEGFUSE_CONFIG_CHOICE: 'metric' is none of its choices
        at: ROOT/run.yaml:5:40 (hooks.0.metric)
        5 | hooks: [{type: early_stopping, metric: mBIou}]
          |                                        ^
        found: "mBIou" (a string)
        did you mean: mBIoU
        valid: mIoU, mAcc, aAcc, fwIoU, mDice, mFscore, mPrecision, mRecall, kappa, mBIoU, group, fwDice, val_loss"
    `);
  });

  it("names no metric twice, and none alone whose options have no defaults", async () => {
    const text = `evaluation: {metrics: [mDice, group, {type: mDice}]}
hooks: [{type: early_stopping, metric: group}]
checkpoint: {best: group}
`;
    expect(await files.report(load(text))).toMatchInlineSnapshot(`
      "2 complaints

      SEGFUSE_METRIC_OPTIONS: the metric 'group' has options without a default
        at: ROOT/run.yaml:2:31 (evaluation.metrics.1)
        2 | evaluation: {metrics: [mDice, group, {type: mDice}]}
          |                               ^
        expected: {type: group, names: …}
        found: group alone

      SEGFUSE_CONFIG_REPEATED: a metric stands in the list twice
        at: ROOT/run.yaml:2:38 (evaluation.metrics.2)
        2 | evaluation: {metrics: [mDice, group, {type: mDice}]}
          |                                      ^
        expected: mDice once, by its name or with options
        found: another mDice"
    `);
    const unlisted = text.replace("group, ", "");
    expect(await files.report(load(unlisted))).toMatchInlineSnapshot(`
      "3 complaints

      SEGFUSE_CONFIG_REPEATED: a metric stands in the list twice
        at: ROOT/run.yaml:2:31 (evaluation.metrics.1)
        2 | evaluation: {metrics: [mDice, {type: mDice}]}
          |                               ^
        expected: mDice once, by its name or with options
        found: another mDice

      SEGFUSE_METRIC_OPTIONS: the metric 'group' is not computed: it has options without a default
        at: ROOT/run.yaml:3:40 (hooks.0.metric)
        3 | hooks: [{type: early_stopping, metric: group}]
          |                                        ^
        expected: {type: group, names: …} in evaluation.metrics
        found: no group there

      SEGFUSE_METRIC_OPTIONS: the metric 'group' is not computed: it has options without a default
        at: ROOT/run.yaml:4:20 (checkpoint.best)
        4 | checkpoint: {best: group}
          |                    ^
        expected: {type: group, names: …} in evaluation.metrics
        found: no group there"
    `);
  });
});

describe("a study", () => {
  const study = (metric: string) => {
    files.write("plain.yaml", "_base_: base.yaml\n");
    files.write("grouped.yaml", "_base_: base.yaml\nevaluation: {metrics: [{type: group, names: [a]}]}\n");
    const rows = ["grouped", "plain"].map((name) => `  - {name: ${name}, config: ${name}.yaml}`);
    files.write("study.yaml", `title: T\nmetric: ${metric}\nrows:\n${rows.join("\n")}\n`);
    return files.study("study.yaml", { registry: createRegistry() });
  };

  it("compares a plug-in's metric, which its rows must compute", async () => {
    expect(await files.report(study("group"))).toMatchInlineSnapshot(`
      "SEGFUSE_STUDY_METRIC: the study compares group, which the row 'plain' does not compute
        at: ROOT/study.yaml:5:5 (evaluation.metrics)
        5 |   - {name: plain, config: plain.yaml}
          |     ^
        expected: group among them
        found: mIoU, mAcc, aAcc"
    `);
    const { metric } = await study("mDice");
    expect(metric).toBe("mDice");
  });

  it("is told all names that its rows know", async () => {
    expect(await files.report(study("grp"))).toMatchInlineSnapshot(`
      "SEGFUSE_STUDY_METRIC: there is no metric 'grp'
        at: ROOT/study.yaml:2:9 (metric)
        2 | metric: grp
          |         ^
        did you mean: group
        valid: mIoU, mAcc, aAcc, fwIoU, mDice, mFscore, mPrecision, mRecall, kappa, mBIoU, group, fwDice"
    `);
  });
});

it("a plug-in's record is refused where its words would be misread", async () => {
  const record = (words: string) =>
    `export default { kind: "metric", description: "d", schema: { type: "object", properties: {} }, create() {}, ${words} };\n`;
  const words = {
    reserved: 'type: "val_loss"',
    better: 'type: "cost", better: "lowest"',
    title: 'type: "cost", title: 3',
  };
  const reports = [];
  for (const [name, text] of Object.entries(words)) {
    files.write(`${name}.mjs`, record(text));
    const registry = createRegistry();
    reports.push(await files.report(registry.loadPlugins([`./${name}.mjs`], files.path("base.yaml"))));
  }
  expect(reports.join("\n")).toMatchInlineSnapshot(`
    "SEGFUSE_PLUGIN_EXPORT: a plug-in exports no component
      at: ROOT/reserved.mjs
      expected: \`export default defineNeck({ type, description, schema, create })\` or a list of such records
      found: the metric 'val_loss', a name that the loss has
    SEGFUSE_PLUGIN_EXPORT: a plug-in exports no component
      at: ROOT/better.mjs
      expected: \`export default defineNeck({ type, description, schema, create })\` or a list of such records
      found: the metric 'cost' whose better is "lowest", and not "higher" or "lower"
    SEGFUSE_PLUGIN_EXPORT: a plug-in exports no component
      at: ROOT/title.mjs
      expected: \`export default defineNeck({ type, description, schema, create })\` or a list of such records
      found: the metric 'cost' whose title or column is no text"
  `);
});
