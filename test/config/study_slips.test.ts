import { expect, it } from "vitest";
import { Files, small } from "./files.ts";

it("a study's rows, its numbers and its rows' configs are told of at once, each at its value", async () => {
  const files = new Files({
    "small.yaml": small,
    "bad.yaml": "_base_: small.yaml\nseed: -1\n",
    "study.yaml": `
title: T
metric: miou
baseline: basline
rows:
  - {name: baseline, config: small.yaml, paper: {mIoU: 0.786, miou: 78, flops: 580.1}}
  - {name: Baseline, config: smal.yaml, paper: {mIoU: 786}}
  - {name: gff, config: bad.yaml, init_from: baselin}
  - {name: a, config: small.yaml, init_from: b}
  - {name: b, config: small.yaml, weights_from: c}
  - {name: c, config: small.yaml, init_from: a}
`,
  });
  expect(await files.report(files.study("study.yaml", { rows: ["gff", "gfff"] }))).toMatchInlineSnapshot(`
    "8 complaints

    SEGFUSE_STUDY_METRIC: there is no metric 'miou'
      at: ROOT/study.yaml:3:9 (metric)
      3 | metric: miou
        |         ^
      did you mean: mIoU
      valid: mIoU, mAcc, aAcc, fwIoU, mDice, mFscore, mPrecision, mRecall, kappa, mBIoU

    SEGFUSE_STUDY_ROW_TWICE: the rows 'baseline' and 'Baseline' differ in case alone
      at: ROOT/study.yaml:7:12 (rows.Baseline)
      7 |   - {name: Baseline, config: smal.yaml, paper: {mIoU: 786}}
        |            ^
      expected: names of folders that differ on every file system

    SEGFUSE_STUDY_UNKNOWN_ROW: init_from of 'gff' names a row 'baselin' that there is not
      at: ROOT/study.yaml:8:46 (rows.gff)
      8 |   - {name: gff, config: bad.yaml, init_from: baselin}
        |                                              ^
      did you mean: baseline
      valid: baseline, Baseline, gff, a, b, c

    SEGFUSE_STUDY_WEIGHTS: init_from of 'a' names a row that trains nothing
      at: ROOT/study.yaml:9:46 (rows.a)
      9 |   - {name: a, config: small.yaml, init_from: b}
        |                                              ^
      found: b
      try: c

    SEGFUSE_STUDY_UNKNOWN_ROW: the baseline names a row 'basline' that there is not
      at: ROOT/study.yaml:4:11 (baseline)
      4 | baseline: basline
        |           ^
      did you mean: baseline
      valid: baseline, Baseline, gff, a, b, c

    SEGFUSE_STUDY_CYCLE: rows depend on each other in a circle
      at: ROOT/study.yaml:9:46 (rows.a)
      9 |   - {name: a, config: small.yaml, init_from: b}
        |                                              ^
      found: a → b → c → a

    SEGFUSE_STUDY_UNKNOWN_ROW: --rows names a row 'gfff' that there is not
      at: --rows gff,gfff
      did you mean: gff
      valid: baseline, Baseline, gff, a, b, c

    SEGFUSE_CONFIG_RANGE: 'seed' is out of range
      at: ROOT/bad.yaml:2:7 (seed)
      2 | seed: -1
        |       ^
      inherited: ROOT/study.yaml:8:25 → ROOT/bad.yaml
      expected: an integer ≥ 0 and ≤ 9007199254740991
      found: -1"
  `);
  expect(await files.report(files.study("study.yaml"))).toMatchInlineSnapshot(`
    "11 complaints

    SEGFUSE_STUDY_METRIC: there is no metric 'miou'
      at: ROOT/study.yaml:3:9 (metric)
      3 | metric: miou
        |         ^
      did you mean: mIoU
      valid: mIoU, mAcc, aAcc, fwIoU, mDice, mFscore, mPrecision, mRecall, kappa, mBIoU

    SEGFUSE_STUDY_ROW_TWICE: the rows 'baseline' and 'Baseline' differ in case alone
      at: ROOT/study.yaml:7:12 (rows.Baseline)
      7 |   - {name: Baseline, config: smal.yaml, paper: {mIoU: 786}}
        |            ^
      expected: names of folders that differ on every file system

    SEGFUSE_STUDY_UNKNOWN_ROW: init_from of 'gff' names a row 'baselin' that there is not
      at: ROOT/study.yaml:8:46 (rows.gff)
      8 |   - {name: gff, config: bad.yaml, init_from: baselin}
        |                                              ^
      did you mean: baseline
      valid: baseline, Baseline, gff, a, b, c

    SEGFUSE_STUDY_WEIGHTS: init_from of 'a' names a row that trains nothing
      at: ROOT/study.yaml:9:46 (rows.a)
      9 |   - {name: a, config: small.yaml, init_from: b}
        |                                              ^
      found: b
      try: c

    SEGFUSE_STUDY_UNKNOWN_ROW: the baseline names a row 'basline' that there is not
      at: ROOT/study.yaml:4:11 (baseline)
      4 | baseline: basline
        |           ^
      did you mean: baseline
      valid: baseline, Baseline, gff, a, b, c

    SEGFUSE_STUDY_CYCLE: rows depend on each other in a circle
      at: ROOT/study.yaml:9:46 (rows.a)
      9 |   - {name: a, config: small.yaml, init_from: b}
        |                                              ^
      found: a → b → c → a

    SEGFUSE_CONFIG_FILE: a config file cannot be read
      at: ROOT/study.yaml:7:30 (rows.Baseline.config)
      7 |   - {name: Baseline, config: smal.yaml, paper: {mIoU: 786}}
        |                              ^
      found: ROOT/smal.yaml: no such file
      did you mean: ROOT/small.yaml

    SEGFUSE_CONFIG_RANGE: 'seed' is out of range
      at: ROOT/bad.yaml:2:7 (seed)
      2 | seed: -1
        |       ^
      inherited: ROOT/study.yaml:8:25 → ROOT/bad.yaml
      expected: an integer ≥ 0 and ≤ 9007199254740991
      found: -1

    SEGFUSE_CONFIG_RANGE: 'mIoU' is out of range
      at: ROOT/study.yaml:6:56 (rows.baseline.paper.mIoU)
      6 |   - {name: baseline, config: small.yaml, paper: {mIoU: 0.786, miou: 78, flops: 580.1}}
        |                                                        ^
      expected: per cent, such as 78.6
      found: 0.786
      try: mIoU: 78.6

    SEGFUSE_STUDY_METRIC: there is no metric 'miou'
      at: ROOT/study.yaml:6:69 (rows.baseline.paper.miou)
      6 |   - {name: baseline, config: small.yaml, paper: {mIoU: 0.786, miou: 78, flops: 580.1}}
        |                                                                     ^
      did you mean: mIoU
      valid: mIoU, mAcc, aAcc, fwIoU, mDice, mFscore, mPrecision, mRecall, kappa, mBIoU, params, flops

    SEGFUSE_CONFIG_RANGE: 'mIoU' is out of range
      at: ROOT/study.yaml:7:55 (rows.Baseline.paper.mIoU)
      7 |   - {name: Baseline, config: smal.yaml, paper: {mIoU: 786}}
        |                                                       ^
      expected: per cent, such as 78.6
      found: 786"
  `);
});
