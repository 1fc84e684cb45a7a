import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { unequalMetrics } from "../../src/reports/extra_metrics.ts";
import { reportHtml } from "../../src/reports/html/report_page.ts";
import { studyHtml } from "../../src/reports/html/study_page.ts";
import { reportJsonSchema } from "../../src/reports/json_schema.ts";
import { reportMarkdown } from "../../src/reports/markdown.ts";
import { formatComparison, formatReport, formatStudyTable } from "../../src/reports/text.ts";
import { sampleReport, sampleStudy } from "./samples.ts";

// Reports with a plug-in's metric (the lower the better) and one of segfuse's own with options.

const entries = [
  { type: "missed", of: ["car"] },
  { type: "mFscore", beta: 2 },
];
const follows = new Ajv({ strict: false }).compile(reportJsonSchema());

describe("an evaluation", () => {
  const report = sampleReport(0.6, 0, entries);

  it("for the terminal", () => {
    expect(formatReport(report)).toMatchInlineSnapshot(`
      "Class             |   IoU |   Acc | Missed ↓
      ------------------+-------+-------+---------
      sky               | 53.22 | 63.44 |    36.56
      building          | 58.70 | 65.38 |    34.62
      pole              |  6.14 | 35.00 |    65.00
      road              | 58.71 | 63.82 |    36.18
      pavement          | 26.28 | 44.33 |    55.67
      tree              | 47.49 | 63.00 |    37.00
      sign <b>|_symbol_ |  7.45 | 35.00 |    65.00
      fence             |  8.24 | 32.86 |    67.14
      car               | 20.56 | 40.00 |    60.00
      pedestrian        |  5.04 | 24.00 |    76.00
      bicyclist         |  2.58 | 20.00 |    80.00
      nowhere           |     – |     – |        –

      aAcc 60.36   mIoU 26.76   mAcc 44.26   Missed <b>|_share_ 55.74   mFscore 39.42
      Always answering road, the commonest class of these labels, scores mIoU 2.93, aAcc 32.26.
      The means are over 11 of 12 classes. In no label and no prediction, so in none of the means: nowhere."
    `);
  });

  it("in Markdown", () => {
    expect(reportMarkdown(report)).toMatchInlineSnapshot(`
      "# camvid\\_gff

      **mIoU 26.76** · mAcc 44.26 · aAcc 60.36 · fwIoU 50.57 · mDice 37.53 · kappa 52.43 · mFscore 39.42 · Missed \\<b\\>\\|\\_share\\_ 55.74

      Always answering road, the commonest class of these labels, scores mIoU 2.93, aAcc 32.26.

      The means are over 11 of 12 classes. In no label and no prediction, so in none of the means: nowhere.

      ## Classes

      Per cent.

      | Class | IoU | Acc | Dice | Precision | Missed ↓ | Pixels |
      |:--|--:|--:|--:|--:|--:|--:|
      | sky | 53.22 | 63.44 | 69.46 | 76.75 | 36.56 | 900 |
      | building | 58.70 | 65.38 | 73.98 | 85.17 | 34.62 | 1,300 |
      | pole | 6.14 | 35.00 | 11.57 | 6.93 | 65.00 | 40 |
      | road | 58.71 | 63.82 | 73.99 | 88.00 | 36.18 | 1,700 |
      | pavement | 26.28 | 44.33 | 41.63 | 39.23 | 55.67 | 300 |
      | tree | 47.49 | 63.00 | 64.40 | 65.85 | 37.00 | 600 |
      | sign \\<b\\>\\|\\_symbol\\_ | 7.45 | 35.00 | 13.86 | 8.64 | 65.00 | 60 |
      | fence | 8.24 | 32.86 | 15.23 | 9.91 | 67.14 | 70 |
      | car | 20.56 | 40.00 | 34.11 | 29.73 | 60.00 | 220 |
      | pedestrian | 5.04 | 24.00 | 9.60 | 6.00 | 76.00 | 50 |
      | bicyclist | 2.58 | 20.00 | 5.02 | 2.87 | 80.00 | 30 |
      | nowhere | – | – | – | – | – | 0 |

      ## How it was made

      - Data: camvid test: 233 images, 5,270 pixels counted, 3 ignored (fingerprint feedfacefeedface)
      - Inference: windows of 160×160, stride 120×120, scales 0.75, 1, 1.25, mirrored as well
      - mFscore: F-score, (1 + β²) I / (β² L + P), mean over classes; options \\{"beta":2\\}
      - Missed \\<b\\>\\|\\_share\\_: share of the pixels that were not found; options \\{"of":\\["car"\\]\\}; the lower the better
      - Config: hash 0123456789abcdef, seed 0, configs/camvid/gff.yaml
      - Checkpoint: work\\_dirs/gff/checkpoints/iter\\_300, iteration 300, SHA-256 abababababababab…
      - Parameters: 4.90 M
      - Engine: tensorflow 2.21.0 on CPU, 2 threads
      - Versions: segfuse 0.1.0, node 20.20.2, tfjs 4.22.0
      - Time: 1:02 for the evaluation, 0.264 s an image
      - Made: 2026-01-02T03:04:05.000Z
      "
    `);
  });

  it("in HTML", () => {
    const page = reportHtml(report);
    const tiles = [...page.matchAll(/class="value">([^<]*)<\/div>\s*<div class="name">(.*?)<\/div>/g)];
    expect(tiles.map(([, value, name]) => `${name}: ${value}`).join("\n")).toMatchInlineSnapshot(`
      "mIoU: 26.76
      mAcc: 44.26
      aAcc: 60.36
      fwIoU: 50.57
      mDice: 37.53
      kappa: 52.43
      mFscore: 39.42
      Missed &lt;b&gt;|_share_: 55.74"
    `);
    expect(page).not.toContain("<b>|");
  });

  it("beside one that does not have them", () => {
    const reports = [
      { title: "with", report },
      { title: "without", report: sampleReport(0.5) },
    ];
    expect(formatComparison(reports).split("\n\n")[0]).toMatchInlineSnapshot(`
      "Report  | Split       |  mIoU |  mAcc |  aAcc | fwIoU | mFscore | Missed <b>|_share_ ↓ | iteration
      --------+-------------+-------+-------+-------+-------+---------+----------------------+----------
      with    | camvid test | 26.76 | 44.26 | 60.36 | 50.57 |   39.42 |                55.74 |       300
      without | camvid test | 22.36 | 40.52 | 51.80 | 41.78 |   32.96 |                    – |       300"
    `);
  });

  it("as JSON, which follows the schema; a score need not end at 1", () => {
    expect(follows(report), JSON.stringify(follows.errors)).toBe(true);
    const large = { ...report, metrics: { ...report.metrics, missed: 17 } };
    expect(follows(large)).toBe(true);
    expect(follows({ ...report, metrics: { ...report.metrics, mIoU: 17 } })).toBe(false);
    expect(follows({ ...report, metrics: { ...report.metrics, missed: "low" } })).toBe(false);
  });

  it("without any says nothing of them", () => {
    expect(JSON.stringify(sampleReport(0.6))).not.toContain("extra");
  });
});

describe("a study", () => {
  it("has columns of them, and compares by one", () => {
    const study = sampleStudy([0, 1], "missed", entries);
    expect(formatStudyTable(study)).toMatchInlineSnapshot(`
      "GFF, Tables 1 and 2

      Row                   | paper Missed <b>|_share_ ↓ | Δ paper | ours Missed <b>|_share_ ↓ | Δ ours |         mIoU |         mAcc |         aAcc |      mFscore | iterations | train time
      ----------------------+----------------------------+---------+---------------------------+--------+--------------+--------------+--------------+--------------+------------+-----------
      PSPNet                |                      78.60 |       – |              58.10 ± 0.51 |      – | 24.68 ± 0.71 | 41.90 ± 0.51 | 56.25 ± 1.84 | 37.08 ± 0.18 |        300 |       4:05
      + FPN                 |                      79.30 |   +0.70 |              53.77 ± 2.79 |  −4.33 | 27.06 ± 0.41 | 46.23 ± 2.79 | 60.00 ± 0.51 | 40.51 ± 1.54 |  300 + 300 |       4:05
      + GFF                 |                      80.40 |   +1.80 |              50.74 ± 0.63 |  −7.36 | 31.67 ± 0.25 | 49.26 ± 0.63 | 67.50 ± 0.34 | 44.77 ± 0.29 |  300 + 300 |       4:05
      + GFF + MS <i>        |                      81.80 |   +3.20 |              48.55 ± 0.35 |  −9.55 | 32.61 ± 0.54 | 51.45 ± 0.35 | 68.52 ± 0.89 | 46.45 ± 0.23 |     as gff |          –
      constant guess (road) |                          – |       – |                         – |      – |         2.93 |         9.09 |        32.26 |            – |          – |          –

      Paper: the paper's own numbers, on its data. Ours: camvid test, 233 images; per cent, mean ± standard deviation over 2 seeds.
      Always answering road, the commonest class of these labels, scores mIoU 2.93, aAcc 32.26.
      mobilenet_v2 from ImageNet, 240×180, batch 8, crop 160×160."
    `);
    expect(follows(study), JSON.stringify(follows.errors)).toBe(true);
  });

  it("marks the lowest score as the best", () => {
    const study = sampleStudy([0], "missed", entries);
    const scores = study.rows.map(({ metrics }) => metrics["missed"]!.mean!);
    const page = studyHtml(study, new Map());
    const bold = [...page.matchAll(/<td class="right best">([^<]*)</g)].map(([, text]) => text);
    expect(bold).toEqual([(100 * Math.min(...scores)).toFixed(2)]);
    expect(page).toContain("<h2>Change (the lower the better) against the baseline</h2>");
    expect(studyHtml(sampleStudy(), new Map())).toContain("<h2>Gain over the baseline</h2>");
  });

  it("remarks that options differ", () => {
    const [a, b] = [sampleReport(0.5, 0, entries), sampleReport(0.5, 0, [{ type: "missed", of: [] }])];
    expect(unequalMetrics([a, a])).toEqual([]);
    expect(unequalMetrics([a, b]).join("\n")).toMatchInlineSnapshot(`
      "mFscore has different options in different rows: its scores do not compare.
      Missed <b>|_share_ has different options in different rows: its scores do not compare."
    `);
    expect(unequalMetrics([a, sampleReport(0.5)])).toHaveLength(1); // an mFscore of beta 1
  });
});
