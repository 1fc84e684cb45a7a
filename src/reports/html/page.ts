import type { Fact } from "../facts.ts";
import type { Table } from "../table.ts";
import { html, Markup } from "./markup.ts";

/** A whole page: no scripts, nothing from outside the file. */
export function page(title: string, body: readonly Markup[]): string {
  const document = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="generator" content="segfuse" />
        <title>${title}</title>
        <style>
          ${new Markup(style)}
        </style>
      </head>
      <body>
        <main>${body}</main>
      </body>
    </html> `;
  return document.text;
}

/** One big number with its name. */
export function tile(name: string, value: string): Markup {
  return html`<div class="tile">
    <div class="value">${value}</div>
    <div class="name">${name}</div>
  </div>`;
}

export function tiles(scores: readonly (readonly [name: string, value: string])[]): Markup {
  return html`<div class="tiles">${scores.map(([name, value]) => tile(name, value))}</div>`;
}

/** A table; cells may be marked up (`decorate` gets the cell's text and its place). */
export function table(
  { columns, rows }: Table,
  decorate: (text: string, row: number, column: number) => { content: Markup | string; class?: string } = (
    text,
  ) => ({
    content: text,
  }),
): Markup {
  const classOf = (c: number, more?: string) =>
    [columns[c]!.align, columns[c]!.paper ? "paper" : "", more ?? ""].filter((name) => name !== "").join(" ");
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          ${columns.map(({ header }, c) => html`<th scope="col" class="${classOf(c)}">${header}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row, r) =>
            html`<tr>
              ${row.map((text, c) => {
                const cell = decorate(text, r, c);
                return html`<td class="${classOf(c, cell.class)}">${cell.content}</td>`;
              })}
            </tr> `,
        )}
      </tbody>
    </table>
  </div>`;
}

export function facts(list: readonly Fact[]): Markup {
  return html`<dl class="facts">
    ${list.map(
      ([name, text]) =>
        html`<dt>${name}</dt>
          <dd>${text}</dd>`,
    )}
  </dl>`;
}

export function remarks(list: readonly string[]): Markup | null {
  return list.length === 0
    ? null
    : html`<ul class="remarks">
        ${list.map((text) => html`<li>${text}</li>`)}
      </ul>`;
}

/** Colours are chosen for contrast on both grounds; numbers line up. */
const style = `
:root { --ground: #f7f8fa; --card: #ffffff; --ink: #1b2230; --soft: #5a6475; --line: #dde2ea; --accent: #2563c9; --paper: #8a5a00; --paper-ground: #fbf4e4; --bar: #c9dbf7; --wrong: #c2410c; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #11151c; --card: #191f29; --ink: #e6eaf1; --soft: #98a3b5; --line: #2c3543; --accent: #7cb0ff; --paper: #e7bd6a; --paper-ground: #292314; --bar: #284672; --wrong: #fb923c; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 40px 24px 64px; }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 4px; letter-spacing: -0.01em; }
h2 { font-size: 18px; margin: 40px 0 12px; }
h3 { font-size: 15px; margin: 24px 0 10px; }
.sub { color: var(--soft); margin: 0 0 24px; }
.tiles { display: flex; flex-wrap: wrap; gap: 12px; margin: 0 0 20px; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 18px; min-width: 112px; }
.tile .value { font-size: 26px; font-weight: 650; font-variant-numeric: tabular-nums; letter-spacing: -0.02em; }
.tile .name { color: var(--soft); font-size: 13px; }
.tile:first-child .value { color: var(--accent); }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 7px 12px; border-top: 1px solid var(--line); white-space: nowrap; }
thead th { border-top: 0; font-size: 13px; font-weight: 600; color: var(--soft); }
.left { text-align: left; }
.right { text-align: right; }
.paper { color: var(--paper); background: var(--paper-ground); }
thead th.paper { color: var(--paper); }
td.guess { color: var(--soft); font-style: italic; }
td.best { font-weight: 700; }
td.bar { min-width: 150px; }
.track { display: flex; align-items: center; gap: 10px; justify-content: flex-end; }
.track i { display: block; flex: 1; height: 10px; border-radius: 5px; background: color-mix(in srgb, var(--line) 60%, transparent); overflow: hidden; }
.track span { flex: none; width: 3.8em; }
.track i b { display: block; height: 100%; border-radius: 5px; background: var(--accent); }
.swatch { display: inline-block; width: 12px; height: 12px; border-radius: 3px; margin-right: 9px; vertical-align: -1px; border: 1px solid color-mix(in srgb, var(--ink) 25%, transparent); }
.heat { background: color-mix(in srgb, var(--accent) calc(var(--v) * 42%), transparent); }
.remarks, .notes { color: var(--soft); margin: 12px 0; padding-left: 20px; }
.legend { color: var(--soft); font-size: 13px; margin: 10px 2px; }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: 6px 20px; margin: 0; }
.facts dt { color: var(--soft); }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 16px; overflow-x: auto; }
svg { display: block; font: 11px system-ui, sans-serif; }
svg text { fill: var(--ink); }
svg .soft { fill: var(--soft); }
figure { margin: 0 0 28px; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(210px, 46%), 1fr)); gap: 12px 10px; }
.pictures img { display: block; width: 100%; height: auto; border-radius: 6px; }
.pictures span { display: block; margin-top: 3px; font-size: 13px; line-height: 1.35; overflow-wrap: anywhere; }
figcaption { color: var(--soft); font-size: 13px; margin-bottom: 6px; }
@media print { body { background: #fff; } .card, .scroll, .tile { break-inside: avoid; } }
`;
