import { expect, it } from "vitest";
import { shownClasses, topConfusions } from "../../src/reports/confusions.ts";
import { reportHtml } from "../../src/reports/html/report_page.ts";
import type { Report } from "../../src/reports/schema.ts";
import { sampleReport } from "./samples.ts";

/** A report whose classes "class 0", "class 1" … have these pixels as [label, prediction, pixels]. */
function reportOf(count: number, cells: readonly (readonly [number, number, number])[]): Report {
  const report = sampleReport(0.6);
  const classes = Array.from({ length: count }, (_, i) => `class ${i}`);
  const confusion = classes.map(() => classes.map(() => 0));
  for (const [label, prediction, pixels] of cells) confusion[label]![prediction] = pixels;
  const palette = classes.map((_, i) => [i, i, i]);
  const perClass = classes.map((name, i) => ({ ...report.per_class[i % report.per_class.length]!, name }));
  return { ...report, confusion, dataset: { ...report.dataset, classes, palette }, per_class: perClass };
}

/** The names along a page's matrix. */
function rowsOf(html: string): string[] {
  return [...html.matchAll(/<text class="soft"[^>]*text-anchor="end"\s*>([^<]*)</g)].map(([, name]) => name!);
}

const numbered = (numbers: readonly number[]) => numbers.map((n) => `class ${n}`);

it("few classes are all in the matrix, whether they occur or not", () => {
  const report = reportOf(24, [[0, 0, 5]]);
  expect(rowsOf(reportHtml(report))).toEqual(report.dataset.classes);
  expect(reportHtml(report)).not.toContain("Taken for");
});

it("of 182 classes, those of a label or a prediction are in the matrix, with their names", () => {
  const present = Array.from({ length: 30 }, (_, i) => 6 * i);
  const report = reportOf(182, [...present.map((c) => [c, c, 90] as const), [6, 12, 10], [12, 181, 20]]);
  expect(shownClasses(report.confusion, 24)).toEqual({ shown: [...present, 181], present: 31 });
  const html = reportHtml(report);
  expect(rowsOf(html)).toEqual(numbered([...present, 181]));
  expect(html).toContain("31 of the 182 classes are in a label or a prediction; the others are left out.");
  expect(html).toContain(">class 12 → class 181: 18.18 %<");
});

it("of many that occur, those with the most pixels in wrong cells", () => {
  const cells = Array.from({ length: 100 }, (_, c) => [c, (c + 50) % 100, 1000 - c] as const);
  const report = reportOf(182, [...cells, ...cells.map(([c]) => [c, c, 100_000] as const)]);
  const { shown, present } = shownClasses(report.confusion, 24);
  expect(present).toBe(100);
  // Class c has 1000 − c pixels in its row and 1000 − (c + 50) mod 100 in its column: the lower, the more.
  expect(shown).toEqual([...Array(20).keys(), ...Array.from({ length: 20 }, (_, i) => 50 + i)]);
  expect(reportHtml(report)).toContain(
    "100 of the 182 classes are in a label or a prediction; here are the 40 with the most pixels in wrong cells.",
  );
});

it("lists the pairs with the most wrong pixels, by their share of the label", () => {
  const pairs = Array.from({ length: 30 }, (_, c) => [c, c + 30, 10 * (c + 1)] as const);
  const report = reportOf(60, [...pairs, [29, 29, 1200], [59, 59, 9999]]);
  const { rows } = topConfusions(report);
  expect(rows).toHaveLength(20);
  expect(rows.slice(0, 2)).toEqual([
    ["class 29", "class 59", "20.00", "300"],
    ["class 28", "class 58", "100.00", "290"],
  ]);
  expect(reportHtml(report)).toContain("Taken for");
});

it("names beside the matrix have the room that their letters take, wide ones too", () => {
  const report = reportOf(3, [[0, 0, 5]]);
  const namesFrom = (name: string) => {
    report.dataset.classes = ["a", "b", name];
    const html = reportHtml(report);
    const [, x] = /<text class="soft" x="([\d.]+)"/.exec(html)!;
    return [rowsOf(html).at(-1), Number(x)];
  };
  expect(namesFrom("pedestrian")).toEqual(["pedestrian", 68]);
  expect(namesFrom("道路標識板")).toEqual(["道路標識板", 68]);
  expect(namesFrom("道路標識板".repeat(5))).toEqual(["道路標識板道路標識…", 132]);
});

it("a score's bar has the same track whatever its number", () => {
  const report = sampleReport(0.6);
  const scores = [1, 0.5, 0, null];
  for (const [i, score] of scores.entries()) report.per_class[i]!.IoU = score;
  const html = reportHtml(report);
  const tracks = [...html.matchAll(/<div class="track">\s*(<i>.*?<\/i>)(.*?)\s*<\/div>/gs)];
  expect(tracks.slice(0, 4).map(([, , number]) => number)).toEqual(
    ["100.00", "50.00", "0.00", "–"].map((text) => `<span>${text}</span>`),
  );
  expect(tracks).toHaveLength(12);
  // What is left beside a number of a fixed width is the same in every row.
  expect(html).toMatch(/\.track span \{ flex: none; width: [\d.]+em; \}/);
  expect(html).toMatch(/\.track i \{ display: block; flex: 1;/);
});
