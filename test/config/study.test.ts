import { describe, expect, it } from "vitest";
import { withSeed } from "../../src/config/index.ts";
import { Files, small } from "./files.ts";

const files = new Files({
  "table/base.yaml": small,
  "table/fused.yaml": "_base_: base.yaml\nmodel: {neck: {type: gff}}\n",
  "studies/study.yaml": `
title: A study
baseline: base
rows:
  - {name: late, config: ../table/fused.yaml, weights_from: fused, paper: {mIoU: 80.4}}
  - {name: fused, label: + GFF, config: ../table/fused.yaml, init_from: base}
  - {name: base, config: ../table/base.yaml}
  - {name: other, config: ../table/base.yaml}
`,
  "overlays/small.yaml": `
title: In small
config:
  _base_: ../parts/streets.yaml
  model: {backbone: {type: mobilenet_v2}}
  optimizer: {lr: 0.5}
rows:
  base: {optimizer: {lr: 0.25}, schedule: {_delete_: true, iterations: 7}}
extra_rows:
  - {name: base_continued, label: "Base, trained on", config: ../table/base.yaml, init_from: base}
`,
  "parts/streets.yaml": "data: {dataset: {root: ./streets}}\nschedule: {iterations: 5}\n",
});

describe("a study", () => {
  it("has its rows after those that they depend on", async () => {
    const study = await files.study("studies/study.yaml");
    expect(study).toMatchObject({
      name: "study",
      title: "A study",
      metric: "mIoU",
      baseline: "base",
      seeds: [0],
    });
    expect(
      study.rows.map(({ name, label, initFrom, weightsFrom, paper }) => [
        name,
        label,
        initFrom,
        weightsFrom,
        paper,
      ]),
    ).toEqual([
      ["base", "base", null, null, null],
      ["fused", "+ GFF", "base", null, null],
      ["late", "late", null, "fused", { mIoU: 80.4 }],
      ["other", "other", null, null, null],
    ]);
  });

  it("takes a choice of rows with what they need, and other seeds", async () => {
    const study = await files.study("studies/study.yaml", { rows: ["late"], seeds: [3, 4] });
    expect(study.rows.map((row) => row.name)).toEqual(["base", "fused", "late"]);
    expect(study.seeds).toEqual([3, 4]);
    const { loaded } = study.rows[0]!;
    const reseeded = withSeed(loaded, 3);
    expect([loaded.config.seed, reseeded.config.seed]).toEqual([0, 3]);
    expect(reseeded.hash).not.toBe(loaded.hash);
  });

  it("lays overlays over every row, then by row, then --set; extra rows come last", async () => {
    const overlays = [files.path("overlays/small.yaml")];
    const study = await files.study("studies/study.yaml", { overlays, set: ["data.batch_size=2"] });
    expect([study.name, study.title]).toEqual(["study_small", "In small"]);
    const rows = study.rows.map(({ name, loaded: { config } }) => [
      name,
      config.model.backbone.type,
      config.optimizer.lr,
      config.schedule.iterations,
      config.data.batch_size,
      config.data.dataset["root"],
    ]);
    const root = files.path("parts/streets");
    expect(rows).toEqual([
      ["base", "mobilenet_v2", 0.25, 7, 2, root],
      ["fused", "mobilenet_v2", 0.5, 5, 2, root],
      ["late", "mobilenet_v2", 0.5, 5, 2, root],
      ["other", "mobilenet_v2", 0.5, 5, 2, root],
      ["base_continued", "mobilenet_v2", 0.5, 5, 2, root],
    ]);
  });

  it("lays an overlay over a single config as well", async () => {
    const { config } = await files.load("table/base.yaml", { overlays: [files.path("overlays/small.yaml")] });
    expect([config.optimizer.lr, config.schedule.iterations]).toEqual([0.5, 5]);
  });
});

describe("a study that is wrong", () => {
  const row = (text: string) => `  - {config: ../table/base.yaml, ${text}}\n`;
  const wrong = new Files({
    "table/base.yaml": small,
    "table/broken.yaml": "_base_: base.yaml\nmodel: {neck: {typ: gff}}\n",
    "s/names.yaml": `title: T\nbaseline: z\nrows:\n${row("name: a, init_from: bb")}${row("name: b")}${row("name: b")}${row("name: c, init_from: b, weights_from: b")}${row("name: d, init_from: c")}`,
    "s/baseline.yaml": `title: T\nbaseline: z\nrows:\n${row("name: a")}`,
    "s/circle.yaml": `title: T\nrows:\n${row("name: a, init_from: b")}${row("name: b, init_from: a")}`,
    "s/unsafe.yaml": `title: T\nrows:\n${row("name: ../a")}`,
    "s/broken.yaml":
      "title: T\nrows:\n  - {name: a, config: ../table/broken.yaml}\n  - {name: b, config: ../table/broken.yaml}\n",
    "s/good.yaml": `title: T\nrows:\n${row("name: a")}`,
    "o.yaml": "rows: {aa: {seed: 1}}\nconfig: {sed: 1}\n",
    "o2.yaml": "rows: []\nconfigs: {}\n",
  });

  it("says so before anything runs", async () => {
    const report = (name: string, options = {}) => wrong.report(wrong.study(name, options));
    expect(await report("s/names.yaml")).toMatchInlineSnapshot(`
      "5 complaints

      SEGFUSE_STUDY_ROW_TWICE: there are two rows 'b'
        at: ROOT/s/names.yaml:6:40 (rows.b)
        6 |   - {config: ../table/base.yaml, name: b}
          |                                        ^

      SEGFUSE_STUDY_UNKNOWN_ROW: init_from of 'a' names a row 'bb' that there is not
        at: ROOT/s/names.yaml:4:54 (rows.a)
        4 |   - {config: ../table/base.yaml, name: a, init_from: bb}
          |                                                      ^
        did you mean: b
        valid: a, b, c, d

      SEGFUSE_STUDY_WEIGHTS: the row 'c' has both init_from and weights_from
        at: ROOT/s/names.yaml:7:5 (rows.c)
        7 |   - {config: ../table/base.yaml, name: c, init_from: b, weights_from: b}
          |     ^
        expected: init_from: it trains, from there; or weights_from: it evaluates those weights and trains nothing

      SEGFUSE_STUDY_WEIGHTS: init_from of 'd' names a row that trains nothing
        at: ROOT/s/names.yaml:8:54 (rows.d)
        8 |   - {config: ../table/base.yaml, name: d, init_from: c}
          |                                                      ^
        found: c
        try: b

      SEGFUSE_STUDY_UNKNOWN_ROW: the baseline names a row 'z' that there is not
        at: ROOT/s/names.yaml:2:11 (baseline)
        2 | baseline: z
          |           ^
        valid: a, b, c, d"
    `);
    expect(await report("s/baseline.yaml")).toMatchInlineSnapshot(`
      "SEGFUSE_STUDY_UNKNOWN_ROW: the baseline names a row 'z' that there is not
        at: ROOT/s/baseline.yaml:2:11 (baseline)
        2 | baseline: z
          |           ^
        valid: a"
    `);
    expect(await report("s/circle.yaml")).toMatchInlineSnapshot(`
      "SEGFUSE_STUDY_CYCLE: rows depend on each other in a circle
        at: ROOT/s/circle.yaml:3:54 (rows.a)
        3 |   - {config: ../table/base.yaml, name: a, init_from: b}
          |                                                      ^
        found: a → b → a"
    `);
    expect(await report("s/unsafe.yaml")).toMatchInlineSnapshot(`
      "SEGFUSE_CONFIG_PATTERN: 'name' is not written as it must be
        at: ROOT/s/unsafe.yaml:3:40 (rows.0.name)
        3 |   - {config: ../table/base.yaml, name: ../a}
          |                                        ^
        expected: text of 1 to 200 characters that matches ^[A-Za-z0-9][A-Za-z0-9_.-]*$
        found: "../a" (a string)"
    `);
    expect(await report("s/broken.yaml")).toMatchInlineSnapshot(`
      "SEGFUSE_CONFIG_UNKNOWN_KEY: the neck 'none' has no key 'typ'
        at: ROOT/table/broken.yaml:2:16 (model.neck.typ)
        2 | model: {neck: {typ: gff}}
          |                ^
        inherited: ROOT/s/broken.yaml:3:23 → ROOT/table/broken.yaml
        did you mean: type
        valid: type"
    `);
    expect(await report("s/good.yaml", { rows: ["b"] })).toMatchInlineSnapshot(`
      "SEGFUSE_STUDY_UNKNOWN_ROW: --rows names a row 'b' that there is not
        at: --rows b
        valid: a"
    `);
    expect(await report("s/good.yaml", { overlays: [wrong.path("o.yaml")] })).toMatchInlineSnapshot(`
      "2 complaints

      SEGFUSE_STUDY_UNKNOWN_ROW: the overlay names a row 'aa' that there is not
        at: ROOT/o.yaml:1:8 (rows.aa)
        1 | rows: {aa: {seed: 1}}
          |        ^
        inherited: --overlay → ROOT/o.yaml
        did you mean: a
        valid: a

      SEGFUSE_CONFIG_UNKNOWN_KEY: the file has no key 'sed'
        at: ROOT/o.yaml:2:10 (sed)
        2 | config: {sed: 1}
          |          ^
        inherited: --overlay → ROOT/o.yaml
        did you mean: seed
        valid: name, seed, engine, plugins, init_from, init_key, allow_fresh, min_loaded, model, data, optimizer, schedule, evaluation, checkpoint, log, hooks"
    `);
    expect(await report("s/good.yaml", { overlays: [wrong.path("o2.yaml")] })).toMatchInlineSnapshot(`
      "2 complaints

      SEGFUSE_CONFIG_TYPE: 'rows' has a value of the wrong type
        at: ROOT/o2.yaml:1:7 (rows)
        1 | rows: []
          |       ^
        inherited: --overlay → ROOT/o2.yaml
        expected: a map
        found: [] (a list of 0)

      SEGFUSE_CONFIG_UNKNOWN_KEY: the file has no key 'configs'
        at: ROOT/o2.yaml:2:1 (configs)
        2 | configs: {}
          | ^
        inherited: --overlay → ROOT/o2.yaml
        did you mean: config
        valid: title, config, rows, extra_rows"
    `);
  });
});
