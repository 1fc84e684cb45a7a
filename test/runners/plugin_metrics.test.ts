import { existsSync, writeFileSync } from "node:fs";
import { Ajv } from "ajv";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadStudy } from "../../src/config/study.ts";
import { reportJsonSchema } from "../../src/reports/json_schema.ts";
import { formatReport } from "../../src/reports/text.ts";
import { runStudy } from "../../src/runners/study.ts";
import { testCheckpoint } from "../../src/runners/test.ts";
import { silentLogger } from "../../src/util/logger.ts";
import { useEngine } from "../helpers/engine.ts";
import { HookRuns } from "../helpers/hook_run.ts";
import { MemoryLogger } from "../helpers/tiny_run.ts";

// Runs that are judged by metrics of a plug-in.

const plugin = `import { defineMetric, meanOfClasses, Type } from "segfuse";
const of = Type.Array(Type.String(), { default: ["ground", "box", "sky"], description: "classes" });
export default [
  defineMetric({
    type: "missed",
    title: "Missed share",
    column: "Missed",
    description: "share of the labelled pixels that were not found",
    better: "lower",
    schema: Type.Object({ of }),
    create({ of }, { classes }) {
      for (const name of of) if (!classes.includes(name)) throw new Error("there is no class '" + name + "'");
      const missed = ({ intersection, label }) => 1 - intersection / label;
      return {
        compute: ({ counts, ...all }) =>
          meanOfClasses(missed).compute({ ...all, counts: counts.filter((_, c) => of.includes(classes[c])) }),
        perClass: ({ counts }) => counts.map((c) => (c.label === 0 ? NaN : missed(c))),
      };
    },
  }),
  defineMetric({
    type: "few",
    description: "works on small counts alone",
    schema: Type.Object({}),
    create: () => ({
      compute({ counts }) {
        if (counts.some(({ label }) => label > 500)) throw new RangeError("too many pixels");
        return 0;
      },
    }),
  }),
];
`;

let runs: HookRuns;
let own: string[];
beforeAll(async () => {
  await useEngine();
  runs = new HookRuns();
  writeFileSync(runs.tiny.path("metrics.ts"), plugin);
  own = [
    `plugins=[${runs.tiny.path("metrics.ts")}]`,
    "evaluation.interval=1",
    "evaluation.metrics=[mIoU, {type: missed, of: [ground, box]}]",
    "checkpoint.best=missed",
    "checkpoint.keep_last=9",
    "hooks=[{type: early_stopping, metric: missed, patience: 3, min_delta: 9}]",
  ];
});
afterAll(() => runs.remove());

interface State {
  best: { metric: string; value: number; iteration: number };
  hooks: unknown;
  metrics: Record<string, number>;
}
const missedIn = (name: string) =>
  runs
    .log(name)
    .filter(({ event }) => event === "evaluate")
    .map(({ metrics }) => (metrics as Record<string, number>)["missed"]!);

describe("a run", () => {
  const logger = new MemoryLogger();
  beforeAll(async () => {
    await runs.start("judged", own, { logger });
  });

  it("keeps the checkpoint of the lowest score and stops when it falls no more", () => {
    const missed = missedIn("judged");
    expect(missed).toHaveLength(4); // the first is the best by so much, and three are waited for
    const [lowest] = missed.toSorted((a, b) => a - b);
    const state = runs.json<State>("judged/checkpoints/iter_4/state.json");
    const best = { metric: "missed", value: lowest, iteration: 1 + missed.indexOf(lowest!) };
    expect(state.best).toEqual(best);
    expect(state.metrics["missed"]).toBe(missed.at(-1));
    expect(runs.text("judged/checkpoints/best")).toBe(`iter_${best.iteration}\n`);
    const lines = logger.lines.filter((line) => /^(val at 1|stopping)/.test(line));
    expect(lines.join("\n").replaceAll(/\d+\.\d+|\d:\d\d/g, "#")).toMatchInlineSnapshot(`
      "val at 1: mIoU #, missed #, loss # (3 images, #)
      stopping early: missed was best at 1 (#), 3 evaluations ago"
    `);
  });

  it("goes on where it was left, with the same judgement", async () => {
    await runs.start("resumed", own, { resumeFrom: runs.tiny.path("judged/checkpoints/iter_2") });
    const [once, resumed] = ["judged", "resumed"].map((name) =>
      runs.json<State>(`${name}/checkpoints/iter_4/state.json`),
    );
    expect(resumed!.best).toEqual(once!.best);
    expect(resumed!.hooks).toEqual(once!.hooks);
    expect(missedIn("resumed")).toEqual(missedIn("judged").slice(2));
  });

  it("is judged by a metric that its tables do not show, with default options", async () => {
    const shown = ["evaluation.metrics=[mIoU]", "schedule.iterations=1"];
    const { best } = await runs.start("hidden", [...own, ...shown]);
    expect(best).toEqual({ metric: "missed", value: missedIn("hidden")[0], iteration: 1 });
  });
});

it("an evaluation reports it, by class too, and the report follows its schema", async () => {
  const loaded = await runs.tiny.load(...own, "data.test.split=val");
  const { registry } = runs.tiny;
  const checkpoint = runs.tiny.path("judged");
  const outDir = runs.tiny.path("report");
  const report = await testCheckpoint({ loaded, registry, checkpoint, outDir, logger: silentLogger });
  const found = report.per_class.map(({ Acc }) => 1 - Acc!);
  expect(report.per_class.map(({ extra }) => extra!["missed"])).toEqual(found);
  const { missed } = report.metrics as Record<string, number>;
  expect(missed).toBeCloseTo((found[0]! + found[1]!) / 2, 12);
  expect(report.extra_metrics).toEqual([
    {
      name: "missed",
      title: "Missed share",
      description: "share of the labelled pixels that were not found",
      better: "lower",
      options: { of: ["ground", "box"] },
      column: "Missed",
    },
  ]);
  const isValid = new Ajv({ strict: false }).compile(reportJsonSchema());
  expect(isValid(runs.json("report/report.json")), JSON.stringify(isValid.errors)).toBe(true);
  const [head, , first] = formatReport(report).split("\n");
  expect(head!.split(/ +\| +/)).toEqual(["Class", "IoU", "Acc", "Missed ↓"]);
  expect(first).toContain((100 * found[0]!).toFixed(2));
});

it("a study compares its rows by it", async () => {
  for (const name of ["a", "b"]) {
    const set = ["_base_: tiny.yaml", `plugins: [./metrics.ts]`, "schedule: {iterations: 1}"];
    const evaluation = `evaluation: {metrics: [mIoU, {type: missed, of: [${name === "a" ? "sky" : "box"}]}]}`;
    const data = "data: {test: {split: val}}";
    writeFileSync(runs.tiny.path(`${name}.yaml`), [...set, evaluation, data].join("\n"));
  }
  const rows =
    "rows: [{name: a, config: a.yaml, paper: {missed: 30}}, {name: b, config: b.yaml, init_from: a}]";
  writeFileSync(runs.tiny.path("study.yaml"), `title: T\nmetric: missed\nbaseline: a\n${rows}\n`);
  const { registry } = runs.tiny;
  const study = await loadStudy(runs.tiny.path("study.yaml"), { registry });
  const workDir = runs.tiny.path("study");
  const table = await runStudy({ study, workDir, registry, logger: silentLogger });
  const means = table.rows.map(({ metrics }) => metrics["missed"]!.mean!);
  expect(table.rows[1]!.delta).toBeCloseTo(means[1]! - means[0]!, 12);
  const isValid = new Ajv({ strict: false }).compile(reportJsonSchema());
  expect(isValid(runs.json("study/report.json")), JSON.stringify(isValid.errors)).toBe(true);
  const [head] = runs.text("study/report.md").split("\n").slice(2);
  expect(head).toMatchInlineSnapshot(
    `"| Row | paper Missed share ↓ | Δ paper | ours Missed share ↓ | Δ ours | mIoU | mAcc | aAcc | iterations | train time |"`,
  );
  expect(table.notes.at(-1)).toMatchInlineSnapshot(
    `"Missed share has different options in different rows: its scores do not compare."`,
  );
  const best = means.indexOf(Math.min(...means));
  const bold = [...runs.text("study/report.html").matchAll(/<td class="right best">([^<]*)</g)];
  expect(bold.map(([, text]) => text)).toEqual([(100 * means[best]!).toFixed(2)]);
});

describe("a metric that does not work", () => {
  it("ends a run before it begins", async () => {
    const set = [...own, "evaluation.metrics=[{type: missed, of: [tram]}]"];
    expect(await runs.complaint(runs.start("none", set))).toMatchInlineSnapshot(`
      "SEGFUSE_METRIC: the metric 'missed' failed
        at: FOLDER/metrics.ts
        found: Error: there is no class 'tram', in create()"
    `);
    expect(existsSync(runs.tiny.path("none"))).toBe(false);
  });

  it("ends it at the evaluation that shows it", async () => {
    const set = [...own, "evaluation.metrics=[few]", "checkpoint.best=null", "hooks=[]"];
    expect(await runs.complaint(runs.start("late", set))).toMatchInlineSnapshot(`
      "SEGFUSE_METRIC: the metric 'few' failed
        at: FOLDER/metrics.ts
        found: RangeError: too many pixels, in compute()"
    `);
  });
});
