import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { Type } from "typebox";
import { SegfuseError } from "../../src/errors.ts";
import { createMetrics } from "../../src/evaluation/metric_list.ts";
import { nanMean } from "../../src/evaluation/metrics/parts.ts";
import { defineMetric, type MetricRecord } from "../../src/evaluation/metrics/contracts.ts";
import { createRegistry } from "../../src/builtin.ts";

const classes = ["road", "car", "bus"];
const confusion = [
  [80, 10, 10],
  [5, 40, 5],
  [0, 30, 20],
];

/** Cars taken for buses and the like are right: what is in one group of classes is one class. */
const groups = defineMetric({
  type: "groups",
  title: "Group IoU",
  description: "mean IoU of groups of classes",
  column: "Group's IoU",
  schema: Type.Object({
    groups: Type.Array(Type.Array(Type.String()), { description: "classes of each group" }),
    floor: Type.Number({ default: 0, description: "the least score" }),
  }),
  create({ groups, floor }) {
    const iou = (
      group: readonly string[],
      names: readonly string[],
      rows: readonly (readonly number[])[],
    ) => {
      const isIn = names.map((name) => group.includes(name));
      let [intersection, union] = [0, 0];
      for (const [l, row] of rows.entries())
        for (const [p, n] of row.entries()) {
          if (isIn[l] && isIn[p]) intersection += n;
          if (isIn[l] || isIn[p]) union += n;
        }
      return Math.max(floor, intersection / union);
    };
    return {
      compute: (counts) => nanMean(groups.map((group) => iou(group, counts.classes, counts.confusion))),
      perClass: (counts) =>
        counts.classes.map((name) => {
          const group = groups.find((names) => names.includes(name));
          return group === undefined ? NaN : iou(group, counts.classes, counts.confusion);
        }),
    };
  },
});

function registryWith(record: MetricRecord) {
  const registry = createRegistry();
  registry.register(record, "/plugins/mine.ts");
  return registry;
}

it("a plug-in's metric stands beside segfuse's own, with its scores by class", () => {
  const entry = { type: "groups", groups: [["road"], ["car", "bus"]] };
  const list = createMetrics(registryWith(groups), ["mIoU", entry], { classes });
  const { metrics, perClass } = list.compute(confusion, null);
  expect(Object.keys(metrics).join(" ")).toMatchInlineSnapshot(
    `"mIoU mAcc aAcc fwIoU mDice mFscore mPrecision mRecall kappa groups"`,
  );
  // road: 80 of 105; vehicles: 95 of 120, their confusion with each other aside
  expect(metrics["groups"]).toBeCloseTo((80 / 105 + 95 / 120) / 2, 12);
  expect(perClass.map(({ extra }) => extra)).toEqual([
    { groups: 80 / 105 },
    { groups: 95 / 120 },
    { groups: 95 / 120 },
  ]);
  expect(list.extra).toEqual([
    {
      name: "groups",
      title: "Group IoU",
      description: "mean IoU of groups of classes",
      better: "higher",
      options: { groups: [["road"], ["car", "bus"]], floor: 0 },
      column: "Group's IoU",
    },
  ]);
});

it("is computed only where it is asked for, and NaN where it is not defined", () => {
  const registry = registryWith(groups);
  const { metrics, perClass } = createMetrics(registry, ["mIoU"], { classes }).compute(confusion, null);
  expect(metrics).not.toHaveProperty("groups");
  expect(perClass[0]!.extra).toBeUndefined();
  const list = createMetrics(registry, [{ type: "groups", groups: [["car"]] }], { classes });
  const nowhere = list.compute(
    confusion.map((row) => row.map(() => 0)),
    null,
  );
  expect(nowhere.metrics["groups"]).toBeNaN();
});

it("boundaries are counted for the metrics that need them alone", () => {
  const ofBoundary = defineMetric({
    type: "worst_boundary",
    description: "the smaller of a class's IoU and boundary IoU, mean over classes",
    needsBoundary: true,
    schema: Type.Object({}),
    create: () => ({
      compute: ({ boundary }) => Math.min(...boundary!.map((c) => c.intersection / c.label)),
    }),
  });
  const registry = registryWith(ofBoundary);
  expect(createMetrics(registry, [], { classes }).needsBoundary).toBe(false);
  expect(createMetrics(registry, ["mBIoU"], { classes }).needsBoundary).toBe(true);
  const list = createMetrics(registry, ["worst_boundary"], { classes });
  expect(list.needsBoundary).toBe(true);
  const boundary = [3, 2, 1].map((intersection) => ({ intersection, prediction: 4, label: 4 }));
  expect(list.compute(confusion, boundary).metrics["worst_boundary"]).toBe(0.25);
});

it("docs/plugins.md's own takes a group of classes for one", async () => {
  const page = readFileSync(new URL("../../docs/plugins.md", import.meta.url), "utf8");
  const [, text] = /^```ts group_iou.ts\n(.*?)^```$/ms.exec(page)!;
  const folder = mkdtempSync(join(tmpdir(), "segfuse-metric-"));
  writeFileSync(join(folder, "group_iou.ts"), text!);
  const registry = createRegistry();
  await registry.loadPlugins(["./group_iou.ts"], join(folder, "config.yaml"));
  rmSync(folder, { recursive: true });
  const score = (...group: string[]) =>
    createMetrics(registry, [{ type: "group_iou", classes: group }], { classes }).compute(confusion, null)
      .metrics["group_iou"];
  expect(score("car", "bus")).toBe(95 / 120);
  expect(score("bus")).toBe(20 / 65);
  expect(() => score("tram")).toThrow(expect.objectContaining({ code: "SEGFUSE_METRIC" }) as Error);
});

const failing: [string, () => unknown][] = [
  [
    "throws when it is made",
    () => {
      throw new RangeError("the data set has no class 'tram'");
    },
  ],
  ["is none", () => ({ score: () => 1 })],
  ["throws", () => ({ compute: ({ counts }: { counts: number }) => counts.toFixed(2).at(0) })],
  [
    "changes the counts",
    () => ({ compute: ({ confusion }: { confusion: number[][] }) => confusion.pop()![0] }),
  ],
  ["gives a text", () => ({ compute: () => "0.5" })],
  ["gives nothing", () => ({ compute: () => undefined })],
  ["gives infinity", () => ({ compute: () => 1 / 0 })],
  [
    "gives infinity for a class that is nowhere",
    () => ({ compute: ({ counts }: { counts: { label: number }[] }) => 1 / counts.at(-1)!.label }),
  ],
  ["gives a promise", () => ({ compute: () => Promise.resolve(1) })],
  ["gives a number for a list", () => ({ compute: () => 1, perClass: () => 1 })],
  ["gives too few numbers", () => ({ compute: () => 1, perClass: () => [1] })],
  ["gives no number for a class", () => ({ compute: () => 1, perClass: () => [1, null, 1] })],
];

it("what a plug-in's metric does wrong is told before anything is counted, with its path", () => {
  const texts = failing.map(([problem, create]) => {
    const record = defineMetric({
      type: "mine",
      description: problem,
      schema: Type.Object({}),
      create: create as MetricRecord["create"],
    });
    try {
      createMetrics(registryWith(record), ["mine"], { classes });
    } catch (error) {
      if (error instanceof SegfuseError) return `${problem}\n${error.report()}`;
    }
    return `${problem}\nno error`;
  });
  expect(texts.join("\n\n")).toMatchInlineSnapshot(`
    "throws when it is made
    SEGFUSE_METRIC: the metric 'mine' failed
      at: /plugins/mine.ts
      found: RangeError: the data set has no class 'tram', in create()

    is none
    SEGFUSE_METRIC: the metric 'mine' is made of something else
      at: /plugins/mine.ts
      expected: create() that returns { compute(counts) }, with perClass(counts) or without
      found: an object with score

    throws
    SEGFUSE_METRIC: the metric 'mine' failed
      at: /plugins/mine.ts
      found: TypeError: counts.toFixed is not a function, in compute(), of made-up counts

    changes the counts
    SEGFUSE_METRIC: the metric 'mine' failed
      at: /plugins/mine.ts
      found: TypeError: Cannot delete property '2' of [object Array], in compute(), of made-up counts

    gives a text
    SEGFUSE_METRIC: the metric 'mine' gives no number
      at: /plugins/mine.ts
      expected: a finite number from compute(), or NaN where the score is not defined
      found: "0.5" (a string), of made-up counts

    gives nothing
    SEGFUSE_METRIC: the metric 'mine' gives no number
      at: /plugins/mine.ts
      expected: a finite number from compute(), or NaN where the score is not defined
      found: undefined, of made-up counts

    gives infinity
    SEGFUSE_METRIC: the metric 'mine' gives no number
      at: /plugins/mine.ts
      expected: a finite number from compute(), or NaN where the score is not defined
      found: Infinity, of made-up counts

    gives infinity for a class that is nowhere
    SEGFUSE_METRIC: the metric 'mine' gives no number
      at: /plugins/mine.ts
      expected: a finite number from compute(), or NaN where the score is not defined
      found: Infinity, of made-up counts without a pixel of bus

    gives a promise
    SEGFUSE_METRIC: the metric 'mine' gives no number
      at: /plugins/mine.ts
      expected: a finite number from compute(), or NaN where the score is not defined
      found: a promise, which is not awaited here, of made-up counts

    gives a number for a list
    SEGFUSE_METRIC: the metric 'mine' gives no number for each class
      at: /plugins/mine.ts
      expected: a list of 3 numbers from perClass(), one a class
      found: 1, of made-up counts

    gives too few numbers
    SEGFUSE_METRIC: the metric 'mine' gives no number for each class
      at: /plugins/mine.ts
      expected: a list of 3 numbers from perClass(), one a class
      found: a list of 1, of made-up counts

    gives no number for a class
    SEGFUSE_METRIC: the metric 'mine' gives no number for a class
      at: /plugins/mine.ts
      expected: finite numbers from perClass(), or NaN where the score is not defined
      found: null for class 1, of made-up counts"
  `);
});

it("a failure that only real counts show is told in the same way", () => {
  const record = defineMetric({
    type: "late",
    description: "does not know of empty classes",
    schema: Type.Object({}),
    create: () => ({ compute: ({ counts }) => 1 / counts[1]!.label }),
  });
  const list = createMetrics(registryWith(record), ["late"], { classes });
  const compute = () => list.compute([confusion[0]!, [0, 0, 0], confusion[2]!], null);
  expect(compute).toThrow(expect.objectContaining({ code: "SEGFUSE_METRIC" }) as Error);
});
