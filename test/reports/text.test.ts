import { expect, it } from "vitest";
import { Confusion } from "../../src/evaluation/confusion.ts";
import { summarise } from "../../src/evaluation/evaluate.ts";
import { createMetrics } from "../../src/evaluation/metric_list.ts";
import { createRegistry } from "../../src/builtin.ts";
import { createReport, createStudyReport } from "../../src/reports/create.ts";
import { studyRemarks } from "../../src/reports/facts.ts";
import { points, percent, spreadPercent } from "../../src/reports/numbers.ts";
import { studyHtml } from "../../src/reports/html/study_page.ts";
import { reportMarkdown, studyMarkdown } from "../../src/reports/markdown.ts";
import { formatComparison, formatReport, formatStudyTable } from "../../src/reports/text.ts";
import { textTable, type Table } from "../../src/reports/table.ts";
import { sampleReport, sampleStudy } from "./samples.ts";

it("an evaluation in the terminal", () => {
  expect(formatReport(sampleReport(0.6))).toMatchInlineSnapshot(`
    "Class             |   IoU |   Acc
    ------------------+-------+------
    sky               | 53.22 | 63.44
    building          | 58.70 | 65.38
    pole              |  6.14 | 35.00
    road              | 58.71 | 63.82
    pavement          | 26.28 | 44.33
    tree              | 47.49 | 63.00
    sign <b>|_symbol_ |  7.45 | 35.00
    fence             |  8.24 | 32.86
    car               | 20.56 | 40.00
    pedestrian        |  5.04 | 24.00
    bicyclist         |  2.58 | 20.00
    nowhere           |     – |     –

    aAcc 60.36   mIoU 26.76   mAcc 44.26
    Always answering road, the commonest class of these labels, scores mIoU 2.93, aAcc 32.26.
    The means are over 11 of 12 classes. In no label and no prediction, so in none of the means: nowhere."
  `);
});

it("a study in the terminal", () => {
  expect(formatStudyTable(sampleStudy())).toMatchInlineSnapshot(`
    "GFF, Tables 1 and 2

    Row                   | paper mIoU | Δ paper | ours mIoU | Δ ours |  mAcc |  aAcc | iterations | train time
    ----------------------+------------+---------+-----------+--------+-------+-------+------------+-----------
    PSPNet                |      78.60 |       – |     24.18 |      – | 42.27 | 54.95 |        300 |       4:05
    + FPN                 |      79.30 |   +0.70 |     26.76 |  +2.59 | 44.26 | 60.36 |  300 + 300 |       4:05
    + GFF                 |      80.40 |   +1.80 |     31.49 |  +7.31 | 49.71 | 67.27 |  300 + 300 |       4:05
    + GFF + MS <i>        |      81.80 |   +3.20 |     32.23 |  +8.05 | 51.70 | 67.89 |     as gff |          –
    constant guess (road) |          – |       – |      2.93 |      – |  9.09 | 32.26 |          – |          –

    Paper: the paper's own numbers, on its data. Ours: camvid test, 233 images; per cent.
    Always answering road, the commonest class of these labels, scores mIoU 2.93, aAcc 32.26.
    mobilenet_v2 from ImageNet, 240×180, batch 8, crop 160×160."
  `);
});

it("a study in a terminal of 80 columns goes on below: no line is longer, no number broken", () => {
  const text = formatStudyTable(sampleStudy(), 80);
  expect(text).toMatchInlineSnapshot(`
    "GFF, Tables 1 and 2

    Row                   | paper mIoU | Δ paper | ours mIoU | Δ ours |  mAcc
    ----------------------+------------+---------+-----------+--------+------
    PSPNet                |      78.60 |       – |     24.18 |      – | 42.27
    + FPN                 |      79.30 |   +0.70 |     26.76 |  +2.59 | 44.26
    + GFF                 |      80.40 |   +1.80 |     31.49 |  +7.31 | 49.71
    + GFF + MS <i>        |      81.80 |   +3.20 |     32.23 |  +8.05 | 51.70
    constant guess (road) |          – |       – |      2.93 |      – |  9.09

    Row                   |  aAcc | iterations | train time
    ----------------------+-------+------------+-----------
    PSPNet                | 54.95 |        300 |       4:05
    + FPN                 | 60.36 |  300 + 300 |       4:05
    + GFF                 | 67.27 |  300 + 300 |       4:05
    + GFF + MS <i>        | 67.89 |     as gff |          –
    constant guess (road) | 32.26 |          – |          –

    Paper: the paper's own numbers, on its data. Ours: camvid test, 233 images; per
    cent.
    Always answering road, the commonest class of these labels, scores mIoU 2.93,
    aAcc 32.26.
    mobilenet_v2 from ImageNet, 240×180, batch 8, crop 160×160."
  `);
  expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
});

it("cells are the same at any width that has room for one column of numbers", () => {
  const cells = (text: string) => text.match(/[+−]?\d+\.\d\d( ± \d+\.\d\d)?/g)!.sort();
  for (const study of [sampleStudy(), sampleStudy([0, 1, 2])]) {
    const whole = formatStudyTable(study);
    for (const width of [40, 60, 80, 100, 200]) {
      const text = formatStudyTable(study, width);
      expect(cells(text), `${width} columns`).toEqual(cells(whole));
      expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(width);
    }
  }
});

it("long names leave room for numbers, and wide characters take two columns", () => {
  const table: Table = {
    columns: [
      { header: "Row", align: "left" },
      { header: "mIoU", align: "right" },
    ],
    rows: [
      ["道路", "1.00"],
      ["a name that is longer than the terminal is wide", "22.00"],
    ],
  };
  expect(textTable(table, 30)).toMatchInlineSnapshot(`
    "Row                    |  mIoU
    -----------------------+------
    道路                   |  1.00
    a name that is longer… | 22.00"
  `);
});

it("an evaluation and a comparison in a narrow terminal", () => {
  const report = sampleReport(0.6);
  expect(formatReport(report, 40).split("\n\n")[1]).toMatchInlineSnapshot(`
    "aAcc 60.36   mIoU 26.76   mAcc 44.26
    Always answering road, the commonest
    class of these labels, scores mIoU 2.93,
    aAcc 32.26.
    The means are over 11 of 12 classes. In
    no label and no prediction, so in none
    of the means: nowhere."
  `);
  const reports = [
    { title: "runs/a", report },
    { title: "runs/b", report },
  ];
  expect(formatComparison(reports, 40).split("\n\n").slice(0, 2).join("\n\n")).toMatchInlineSnapshot(`
    "Report | Split       |  mIoU |  mAcc
    -------+-------------+-------+------
    runs/a | camvid test | 26.76 | 44.26
    runs/b | camvid test | 26.76 | 44.26

    Report |  aAcc | fwIoU | iteration
    -------+-------+-------+----------
    runs/a | 60.36 | 50.57 |       300
    runs/b | 60.36 | 50.57 |       300"
  `);
});

it("a study over several seeds", () => {
  expect(formatStudyTable(sampleStudy([0, 1, 2]))).toMatchInlineSnapshot(`
    "GFF, Tables 1 and 2

    Row                   | paper mIoU | Δ paper |    ours mIoU | Δ ours |         mAcc |         aAcc | iterations | train time
    ----------------------+------------+---------+--------------+--------+--------------+--------------+------------+-----------
    PSPNet                |      78.60 |       – | 24.56 ± 0.55 |      – | 42.04 ± 0.43 | 56.12 ± 1.32 |        300 |       4:05
    + FPN                 |      79.30 |   +0.70 | 27.06 ± 0.29 |  +2.50 | 46.22 ± 1.97 | 60.09 ± 0.39 |  300 + 300 |       4:05
    + GFF                 |      80.40 |   +1.80 | 31.63 ± 0.19 |  +7.07 | 49.84 ± 1.10 | 67.31 ± 0.41 |  300 + 300 |       4:05
    + GFF + MS <i>        |      81.80 |   +3.20 | 32.75 ± 0.45 |  +8.19 | 51.38 ± 0.28 | 68.65 ± 0.67 |     as gff |          –
    constant guess (road) |          – |       – |         2.93 |      – |         9.09 |        32.26 |          – |          –

    Paper: the paper's own numbers, on its data. Ours: camvid test, 233 images; per cent, mean ± standard deviation over 3 seeds.
    Always answering road, the commonest class of these labels, scores mIoU 2.93, aAcc 32.26.
    mobilenet_v2 from ImageNet, 240×180, batch 8, crop 160×160."
  `);
});

it("a study of one's own has no columns of a paper", () => {
  const study = sampleStudy();
  const own = {
    ...study,
    rows: study.rows.map((row) => ({ ...row, paper: {}, paper_delta: null })),
  };
  expect(formatStudyTable(own)).toMatchInlineSnapshot(`
    "GFF, Tables 1 and 2

    Row                   |  mIoU |     Δ |  mAcc |  aAcc | iterations | train time
    ----------------------+-------+-------+-------+-------+------------+-----------
    PSPNet                | 24.18 |     – | 42.27 | 54.95 |        300 |       4:05
    + FPN                 | 26.76 | +2.59 | 44.26 | 60.36 |  300 + 300 |       4:05
    + GFF                 | 31.49 | +7.31 | 49.71 | 67.27 |  300 + 300 |       4:05
    + GFF + MS <i>        | 32.23 | +8.05 | 51.70 | 67.89 |     as gff |          –
    constant guess (road) |  2.93 |     – |  9.09 | 32.26 |          – |          –

    camvid test, 233 images; per cent.
    Always answering road, the commonest class of these labels, scores mIoU 2.93, aAcc 32.26.
    mobilenet_v2 from ImageNet, 240×180, batch 8, crop 160×160."
  `);
  expect(studyMarkdown(own).split("\n").slice(0, 14).join("\n")).toMatchInlineSnapshot(`
    "# GFF, Tables 1 and 2

    | Row | mIoU | Δ | mAcc | aAcc | iterations | train time |
    |:--|--:|--:|--:|--:|--:|--:|
    | PSPNet | 24.18 | – | 42.27 | 54.95 | 300 | 4:05 |
    | + FPN | 26.76 | +2.59 | 44.26 | 60.36 | 300 + 300 | 4:05 |
    | + GFF | 31.49 | +7.31 | 49.71 | 67.27 | 300 + 300 | 4:05 |
    | + GFF + MS \\<i\\> | 32.23 | +8.05 | 51.70 | 67.89 | as gff | – |
    | constant guess (road) | 2.93 | – | 9.09 | 32.26 | – | – |

    On camvid test (233 images). Per cent; Δ: against the baseline, in points. Iterations “a + b”: b of its own after the a that it started from.

    Always answering road, the commonest class of these labels, scores mIoU 2.93, aAcc 32.26.
    "
  `);
  const words = studyHtml(own, new Map()).replace(/<style>.*?<\/style>/s, "");
  expect(words).not.toMatch(/paper|ours/i);
});

it("two evaluations side by side", () => {
  const [a, b] = [sampleReport(0.5), sampleReport(0.6)];
  b.dataset.fingerprint = "0";
  const reports = [
    { title: "runs/a", report: a },
    { title: "runs/b", report: b },
  ];
  expect(formatComparison(reports)).toMatchInlineSnapshot(`
    "Report | Split       |  mIoU |  mAcc |  aAcc | fwIoU | iteration
    -------+-------------+-------+-------+-------+-------+----------
    runs/a | camvid test | 22.36 | 40.52 | 51.80 | 41.78 |       300
    runs/b | camvid test | 26.76 | 44.26 | 60.36 | 50.57 |       300

    Class             | runs/a | runs/b
    ------------------+--------+-------
    sky               |  44.36 |  53.22
    building          |  47.32 |  58.70
    pole              |   4.98 |   6.14
    road              |  48.17 |  58.71
    pavement          |  22.74 |  26.28
    tree              |  41.61 |  47.49
    sign <b>|_symbol_ |   5.88 |   7.45
    fence             |   6.47 |   8.24
    car               |  17.23 |  20.56
    pedestrian        |   3.82 |   5.04
    bicyclist         |   3.37 |   2.58
    nowhere           |      – |      –

    These reports are of different images: their scores do not compare."
  `);
});

it("an evaluation in Markdown", () => {
  expect(reportMarkdown(sampleReport(0.6))).toMatchInlineSnapshot(`
    "# camvid\\_gff

    **mIoU 26.76** · mAcc 44.26 · aAcc 60.36 · fwIoU 50.57 · mDice 37.53 · kappa 52.43

    Always answering road, the commonest class of these labels, scores mIoU 2.93, aAcc 32.26.

    The means are over 11 of 12 classes. In no label and no prediction, so in none of the means: nowhere.

    ## Classes

    Per cent.

    | Class | IoU | Acc | Dice | Precision | Pixels |
    |:--|--:|--:|--:|--:|--:|
    | sky | 53.22 | 63.44 | 69.46 | 76.75 | 900 |
    | building | 58.70 | 65.38 | 73.98 | 85.17 | 1,300 |
    | pole | 6.14 | 35.00 | 11.57 | 6.93 | 40 |
    | road | 58.71 | 63.82 | 73.99 | 88.00 | 1,700 |
    | pavement | 26.28 | 44.33 | 41.63 | 39.23 | 300 |
    | tree | 47.49 | 63.00 | 64.40 | 65.85 | 600 |
    | sign \\<b\\>\\|\\_symbol\\_ | 7.45 | 35.00 | 13.86 | 8.64 | 60 |
    | fence | 8.24 | 32.86 | 15.23 | 9.91 | 70 |
    | car | 20.56 | 40.00 | 34.11 | 29.73 | 220 |
    | pedestrian | 5.04 | 24.00 | 9.60 | 6.00 | 50 |
    | bicyclist | 2.58 | 20.00 | 5.02 | 2.87 | 30 |
    | nowhere | – | – | – | – | 0 |

    ## How it was made

    - Data: camvid test: 233 images, 5,270 pixels counted, 3 ignored (fingerprint feedfacefeedface)
    - Inference: windows of 160×160, stride 120×120, scales 0.75, 1, 1.25, mirrored as well
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

it("a study in Markdown", () => {
  const study = sampleStudy();
  study.samples = [
    { id: "0001", panel: "pictures/a b.png", captions: ["image", "label", "PSPNet"], columns: 3 },
  ];
  expect(studyMarkdown(study)).toMatchInlineSnapshot(`
    "# GFF, Tables 1 and 2

    | Row | paper mIoU | Δ paper | ours mIoU | Δ ours | mAcc | aAcc | iterations | train time |
    |:--|--:|--:|--:|--:|--:|--:|--:|--:|
    | PSPNet | 78.60 | – | 24.18 | – | 42.27 | 54.95 | 300 | 4:05 |
    | + FPN | 79.30 | +0.70 | 26.76 | +2.59 | 44.26 | 60.36 | 300 + 300 | 4:05 |
    | + GFF | 80.40 | +1.80 | 31.49 | +7.31 | 49.71 | 67.27 | 300 + 300 | 4:05 |
    | + GFF + MS \\<i\\> | 81.80 | +3.20 | 32.23 | +8.05 | 51.70 | 67.89 | as gff | – |
    | constant guess (road) | – | – | 2.93 | – | 9.09 | 32.26 | – | – |

    “paper” columns are the paper's own numbers, on the paper's data; the others are ours, on camvid test (233 images). Per cent; Δ: against the baseline, in points. Iterations “a + b”: b of its own after the a that it started from.

    Always answering road, the commonest class of these labels, scores mIoU 2.93, aAcc 32.26.

    - mobilenet\\_v2 from ImageNet, 240×180, batch 8, crop 160×160.

    ## IoU by class

    | Class | PSPNet | + FPN | + GFF | + GFF + MS \\<i\\> |
    |:--|--:|--:|--:|--:|
    | sky | 46.71 | 53.22 | 61.30 | 60.23 |
    | building | 49.93 | 58.70 | 65.96 | 65.96 |
    | pole | 4.43 | 6.14 | 7.25 | 6.51 |
    | road | 52.97 | 58.71 | 65.19 | 66.43 |
    | pavement | 25.38 | 26.28 | 33.90 | 33.11 |
    | tree | 41.66 | 47.49 | 56.15 | 59.44 |
    | sign \\<b\\>\\|\\_symbol\\_ | 7.80 | 7.45 | 10.05 | 10.46 |
    | fence | 10.10 | 8.24 | 9.05 | 9.65 |
    | car | 21.33 | 20.56 | 25.63 | 27.37 |
    | pedestrian | 3.30 | 5.04 | 8.56 | 8.80 |
    | bicyclist | 2.34 | 2.58 | 3.33 | 6.54 |
    | nowhere | – | – | – | – |

    ## Samples

    ![0001](pictures/a%20b.png)

    0001, row by row: image, label, PSPNet.

    ## How it was made

    - Data: camvid test: 233 images, 12 classes (fingerprint feedfacefeedface)
    - Seed: 0
    - Engine: tensorflow 2.21.0 on CPU, 2 threads
    - Versions: segfuse 0.1.0, node 20.20.2, tfjs 4.22.0
    - Time: 1:00:00 for the whole study
    - Made: 2026-01-02T03:04:05.000Z
    "
  `);
});

it("numbers: a dash where there is none, a sign on differences", () => {
  expect([0.786, 0, 1, null, undefined].map(percent)).toEqual(["78.60", "0.00", "100.00", "–", "–"]);
  expect([1.8, -1.8, 0, 0.001, -0.001, null].map(points)).toEqual([
    "+1.80",
    "−1.80",
    "0.00",
    "0.00",
    "0.00",
    "–",
  ]);
  expect(spreadPercent({ mean: 0.5, sd: 0.0123 })).toBe("50.00 ± 1.23");
});

it("means, sample standard deviations and differences over seeds", () => {
  const { rows, ...rest } = sampleStudy([0, 1]);
  const scores = [0.4, 0.5, 0.6, 0.7];
  for (const [r, row] of rows.entries()) {
    row.runs[0]!.metrics.mIoU = scores[r]!;
    row.runs[1]!.metrics.mIoU = scores[r]! + 0.02;
  }
  const again = createStudyReport({ ...rest, created: new Date(0), rows });
  expect(again.rows.map((row) => row.metrics.mIoU?.mean)).toEqual(
    scores.map((s) => expect.closeTo(s + 0.01, 12) as number),
  );
  // of two values x and x + d: d / √2
  expect(again.rows[0]!.metrics.mIoU?.sd).toBeCloseTo(0.02 / Math.SQRT2, 12);
  expect(again.rows.map((row) => row.delta)).toEqual([
    null,
    ...[0.1, 0.2, 0.3].map((d) => expect.closeTo(d, 12) as number),
  ]);
  expect(again.rows.map((row) => row.paper_delta)).toEqual([
    null,
    ...[0.7, 1.8, 3.2].map((d) => expect.closeTo(d, 9) as number),
  ]);
});

it("a study says which rows' means are over fewer classes, and what is ignored", () => {
  const [a, b] = [sampleReport(0.5), sampleReport(0.6)];
  const remarks = (...reports: (typeof a)[]) =>
    studyRemarks(reports.map((report, r) => ({ label: `row ${r}`, reports: [report] }))).join("\n");
  expect(remarks(a, b)).toMatchInlineSnapshot(
    `"The means are over 11 of 12 classes. In no label and no prediction, so in none of the means: nowhere."`,
  );
  b.absent_classes = [];
  b.dataset.ignored_pixels = 2 * b.dataset.pixels;
  expect(remarks(a, b)).toMatchInlineSnapshot(`
    "row 0: The means are over 11 of 12 classes. In no label and no prediction, so in none of the means: nowhere.
    row 1: 66.67 % of the pixels are ignored and count nowhere; where their stored value stands for a class, data.dataset.label_map says so."
  `);
  expect(formatReport(b).split("\n").at(-1)).toMatchInlineSnapshot(
    `"66.67 % of the pixels are ignored and count nowhere; where their stored value stands for a class, data.dataset.label_map says so."`,
  );
});

it("the report of masks of 0 and 255 without label_map says what became of them", () => {
  const confusion = new Confusion(2, 255);
  confusion.add([0, 0, 0, 0, 0, 0], Uint8Array.of(0, 0, 0, 0, 0, 255));
  const metrics = createMetrics(createRegistry(), [], { classes: ["back", "front"] });
  const result = summarise({
    confusion,
    boundary: null,
    metrics,
    classes: ["back", "front"],
    images: 1,
    seconds: 1,
  });
  const { name, config, checkpoint, settings, parameters, engine, versions, dataset } = sampleReport(0.5);
  const two = { ...dataset, classes: ["back", "front"] };
  const inputs = { name, config, checkpoint, settings, parameters, engine, versions, dataset: two, result };
  expect(formatReport(createReport(inputs))).toMatchInlineSnapshot(`
    "Class |    IoU |    Acc
    ------+--------+-------
    back  | 100.00 | 100.00
    front |      – |      –

    aAcc 100.00   mIoU 100.00   mAcc 100.00
    Always answering back, the commonest class of these labels, scores mIoU 100.00, aAcc 100.00.
    The means are over 1 of 2 classes. In no label and no prediction, so in none of the means: front.
    16.67 % of the pixels are ignored and count nowhere; where their stored value stands for a class, data.dataset.label_map says so."
  `);
});
