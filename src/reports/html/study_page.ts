import { constantGuessText, studyFacts } from "../facts.ts";
import { legend } from "../markdown.ts";
import { metricOf } from "../metrics.ts";
import type { StudyReport, StudySample } from "../study_schema.ts";
import { hasPaper, oursHeader, studyClassTable, studyTable } from "../tables.ts";
import { deltaChart } from "./deltas.ts";
import { html, type Markup } from "./markup.ts";
import { facts, page, table } from "./page.ts";
import { swatch } from "./report_page.ts";

/**
 * `report.html` of a study: one file without scripts or outside parts.
 *
 * @param pictures each sample's pictures (PNG), in the order of its captions, by its panel's path in the JSON;
 * samples without any are left out
 */
export function studyHtml(study: StudyReport, pictures: ReadonlyMap<string, readonly Uint8Array[]>): string {
  const { dataset, constant_guess: guess, notes } = study;
  const { title, better } = metricOf(study, study.metric);
  const change = better === "lower" ? "Change (the lower the better) against" : "Gain over";
  const ours = studyTable(study);
  const metricColumn = ours.columns.findIndex(({ header }) => header === oursHeader(study));
  const best = bestRow(study);
  const byClass = studyClassTable(study);
  const deltas = deltaChart(study);
  const samples = study.samples.filter(({ panel }) => (pictures.get(panel)?.length ?? 0) > 0);
  return page(`${study.title} · segfuse`, [
    html`<h1>${study.title}</h1>
      <p class="sub">
        ${hasPaper(study) ? "Ours: " : ""}${dataset.type} ${dataset.split} · ${dataset.images} images ·
        ${dataset.classes.length} classes
      </p> `,
    table(ours, (text, r, c) => {
      if (r >= study.rows.length) return { content: text, class: "guess" };
      return { content: text, class: r === best && c === metricColumn ? "best" : "" };
    }),
    html`<p class="legend">${legend(study)}</p> `,
    ...(guess === null ? [] : [html`<p class="legend">${constantGuessText(guess)}</p>`]),
    ...(notes.length === 0
      ? []
      : [
          html`<ul class="notes">
            ${notes.map((note) => html`<li>${note}</li>`)}
          </ul>`,
        ]),
    ...(deltas === null
      ? []
      : [
          html`<h2>${change} the baseline</h2>
            <div class="card">${deltas}</div>
            <p class="legend">
              Points of
              ${title}.${hasPaper(study) ? " The two were measured on different data: compare directions, not lengths." : ""}
            </p>`,
        ]),
    html`<h2>IoU by class</h2> `,
    table(byClass.table, (text, r, c) => {
      if (c === 0) return { content: html`${swatch(dataset.palette[r])}${text}` };
      return { content: heat(text, byClass.values[r]!, c - 1) };
    }),
    ...(samples.length === 0 ? [] : [html`<h2>Samples</h2> `]),
    ...samples.map((sample) => figure(sample, pictures.get(sample.panel)!)),
    html`<h2>How it was made</h2>
      <div class="card">${facts([...studyFacts(study), ["Made", study.created]])}</div>`,
  ]);
}

/** A score whose ground is the stronger the better it is among the rows of its class. */
function heat(text: string, values: readonly (number | null)[], column: number): Markup {
  const numbers = values.filter((value) => value !== null);
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  const value = values[column] ?? null;
  if (value === null || high === low) return html`${text}`;
  const strength = ((value - low) / (high - low)).toFixed(2);
  return html`<span
    class="heat"
    style="--v: ${strength}; padding: 2px 6px; margin: -2px -6px; border-radius: 5px"
    >${text}</span
  >`;
}

/** Pictures side by side, as many as there is room for, each with its name below. */
function figure({ id, captions }: StudySample, pictures: readonly Uint8Array[]): Markup {
  return html`<figure>
    <figcaption>${id}</figcaption>
    <div class="pictures">
      ${pictures.map((picture, i) => {
        const source = `data:image/png;base64,${Buffer.from(picture).toString("base64")}`;
        return html`<div>
          <img src="${source}" alt="${captions[i]!} of ${id}" /><span>${captions[i]!}</span>
        </div> `;
      })}
    </div>
  </figure> `;
}

function bestRow(study: StudyReport): number {
  const { rows, metric } = study;
  const sign = metricOf(study, metric).better === "lower" ? -1 : 1;
  const scores = rows.map((row) => sign * (row.metrics[metric]?.mean ?? -sign * Infinity));
  const best = Math.max(...scores);
  return best === -Infinity ? -1 : scores.indexOf(best);
}
