import { metricOf } from "../metrics.ts";
import { points } from "../numbers.ts";
import type { StudyReport } from "../study_schema.ts";
import { columns } from "../../util/printable.ts";
import { cutText } from "../../util/terminal.ts";
import { html, type Markup } from "./markup.ts";

/** In letters; wide ones are two. */
const longestLabel = 24;

/** What each row gains over the baseline, the paper's and ours side by side, in per cent points; null without any. */
export function deltaChart(study: StudyReport): Markup | null {
  const { rows, metric } = study;
  const bars = rows
    .map((row) => ({
      label: row.label,
      paper: row.paper_delta,
      ours: row.delta === null ? null : 100 * row.delta,
    }))
    .filter(({ paper, ours }) => paper !== null || ours !== null);
  if (bars.length === 0) return null;
  const isBesidePaper = bars.some(({ paper }) => paper !== null);
  const values = bars.flatMap(({ paper, ours }) => [paper ?? 0, ours ?? 0]);
  const [low, high] = [Math.min(0, ...values), Math.max(0.01, ...values)];
  const names = 24 + 6.6 * Math.max(...bars.map(({ label }) => Math.min(columns(label), longestLabel)));
  const [plot, step, top, room] = [560, 44, 28, 52];
  const negative = low < 0 ? room : 0;
  const x = (value: number) => names + negative + ((value - low) / (high - low)) * plot;
  const width = names + negative + plot + room;
  const height = top + bars.length * step;
  const bar = (value: number | null, y: number, colour: string) => {
    if (value === null) return null;
    const [from, to] = [Math.min(x(0), x(value)), Math.max(x(0), x(value))];
    const text =
      value < 0
        ? html`<text x="${fixed(from - 6)}" y="${y + 11}" text-anchor="end">${points(value)}</text>`
        : html`<text x="${fixed(to + 6)}" y="${y + 11}">${points(value)}</text>`;
    return html`<rect
        x="${fixed(from)}"
        y="${y}"
        width="${fixed(Math.max(to - from, 1))}"
        height="14"
        rx="3"
        fill="${colour}"
      />${text}`;
  };
  return html`<svg
    width="${fixed(width)}"
    height="${height}"
    viewBox="0 0 ${fixed(width)} ${height}"
    role="img"
    aria-label="gain in ${metricOf(study, metric).title} over the baseline"
  >
    ${isBesidePaper ? legend(names) : null}
    ${bars.map(({ label, paper, ours }, i) => {
      const y = top + i * step;
      const text = cutText(label, longestLabel);
      return html`<text x="${fixed(names - 10)}" y="${y + 20}" text-anchor="end">${text}</text
        >${bar(paper, y, "var(--paper)")}${bar(ours, y + (isBesidePaper ? 17 : 9), "var(--accent)")}`;
    })}
    <line
      x1="${fixed(x(0))}"
      x2="${fixed(x(0))}"
      y1="${top - 4}"
      y2="${height}"
      stroke="var(--soft)"
      stroke-width="1"
    />
  </svg>`;
}

function legend(x: number): Markup {
  return html`<rect x="${fixed(x)}" y="4" width="12" height="12" rx="3" fill="var(--paper)" />
    <text x="${fixed(x + 18)}" y="14">paper</text>
    <rect x="${fixed(x + 70)}" y="4" width="12" height="12" rx="3" fill="var(--accent)" />
    <text x="${fixed(x + 88)}" y="14">ours</text>`;
}

function fixed(value: number): string {
  return String(Math.round(value * 100) / 100);
}
