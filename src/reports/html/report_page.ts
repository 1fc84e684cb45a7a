import { shownClasses, topConfusions } from "../confusions.ts";
import { reportFacts, reportRemarks } from "../facts.ts";
import { headlineScores } from "../metrics.ts";
import type { Report } from "../schema.ts";
import { classTable } from "../tables.ts";
import { confusionMap, mostNumbered } from "./confusion.ts";
import { html, type Markup } from "./markup.ts";
import { facts, page, remarks, table, tiles } from "./page.ts";

/** `report.html` of one evaluation: one file without scripts or outside parts, from the JSON alone. */
export function reportHtml(report: Report): string {
  const { dataset, per_class: classes } = report;
  const list = remarks(reportRemarks(report));
  return page(`${report.name} · segfuse`, [
    html`<h1>${report.name}</h1>
      <p class="sub">${dataset.type} ${dataset.split} · ${dataset.images} images · per cent</p> `,
    tiles(headlineScores(report)),
    ...(list === null ? [] : [list]),
    html`<h2>Classes</h2> `,
    table(classTable(report), (text, r, c) => {
      if (c === 0) return { content: html`${swatch(dataset.palette[r])}${text}` };
      if (c === 1) return { content: bar(classes[r]!.IoU, text), class: "bar" };
      return { content: text };
    }),
    ...confusion(report),
    html`<h2>How it was made</h2>
      <div class="card">${facts([...reportFacts(report), ["Made", report.created]])}</div>`,
  ]);
}

function confusion(report: Report): Markup[] {
  const { classes } = report.dataset;
  const { shown, present } = shownClasses(report.confusion, mostNumbered);
  if (shown.length === 0) return [];
  const pairs = shown.length > mostNumbered ? topConfusions(report) : null;
  return [
    html`<h2>Confusion</h2>
      <div class="card">${confusionMap(report.confusion, classes, shown)}</div>
      <p class="legend">
        A row is a label; its cells say where its pixels went, in per cent of the row. Blue: right. Orange:
        wrong.${shownText(classes.length, present, shown.length)}
      </p> `,
    ...(pairs === null || pairs.rows.length === 0
      ? []
      : [html`<h3>Most pixels in the wrong class</h3> `, table(pairs)]),
  ];
}

/** Which classes the matrix has, where it does not have all. */
function shownText(all: number, present: number, shown: number): string {
  if (shown === all) return "";
  const those = `${present} of the ${all} classes are in a label or a prediction`;
  if (shown === present) return ` ${those}; the others are left out.`;
  return ` ${those}; here are the ${shown} with the most pixels in wrong cells.`;
}

/** A class's colour as a small square. */
export function swatch(colour: readonly number[] | undefined): Markup | null {
  if (colour === undefined) return null;
  return html`<span class="swatch" style="background: rgb(${colour.join(", ")})"></span>`;
}

function bar(score: number | null, text: string): Markup {
  const width = (100 * Math.max(0, score ?? 0)).toFixed(1);
  return html`<div class="track">
    <i><b style="width: ${width}%"></b></i><span>${text}</span>
  </div>`;
}
