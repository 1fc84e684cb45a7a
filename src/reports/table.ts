import { columns as columnsOf } from "../util/printable.ts";
import { cutText } from "../util/terminal.ts";

/** A table of finished text, drawn by the terminal, Markdown and HTML printers alike. */
export interface Table {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly string[])[];
}

export interface Column {
  readonly header: string;
  readonly align: "left" | "right";
  /** Marks numbers that are the paper's, not ours. */
  readonly paper?: boolean;
}

/** The first column is never cut to less. */
const leastLabel = 12;
const divider = " | ";

/**
 * For terminals: columns padded to their widest cell, a rule below the header. What is wider than the terminal goes
 * on below, with the first column again, so that no number is broken by a line's end.
 *
 * @param width columns of the terminal
 */
export function textTable(table: Table, width = Infinity): string {
  const { columns, rows } = table;
  const widths = columns.map(({ header }, c) =>
    Math.max(columnsOf(header), ...rows.map((row) => columnsOf(row[c] ?? ""))),
  );
  const [label = 0, ...others] = widths;
  const widest = Math.max(0, ...others.map((other) => other + divider.length));
  if (label + widest > width) widths[0] = Math.min(label, Math.max(leastLabel, width - widest));
  return blocks(widths, width)
    .map((shown) => block(table, shown, widths))
    .join("\n\n");
}

/** The columns of each of the tables that a wide one is divided into, by number. */
function blocks(widths: readonly number[], width: number): number[][] {
  const divided: number[][] = [[]];
  let used = 0;
  for (const [c, own] of widths.entries()) {
    if (c > 1 && used + divider.length + own > width) {
      divided.push([0]);
      used = widths[0]!;
    }
    divided.at(-1)!.push(c);
    used += (c === 0 ? 0 : divider.length) + own;
  }
  return divided;
}

function block({ columns, rows }: Table, shown: readonly number[], widths: readonly number[]): string {
  const cell = (text: string, c: number) => {
    const cut = c === 0 ? cutText(text, widths[c]!) : text;
    const padding = " ".repeat(Math.max(0, widths[c]! - columnsOf(cut)));
    return columns[c]!.align === "left" ? cut + padding : padding + cut;
  };
  const line = (cells: readonly string[]) =>
    shown
      .map((c) => cell(cells[c] ?? "", c))
      .join(divider)
      .trimEnd();
  const rule = shown.map((c) => "-".repeat(widths[c]!)).join("-+-");
  return [line(columns.map(({ header }) => header)), rule, ...rows.map(line)].join("\n");
}

/** GitHub-flavoured Markdown. */
export function markdownTable({ columns, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.map(escapeMarkdown).join(" | ")} |`;
  const rule = `|${columns.map(({ align }) => (align === "left" ? ":--" : "--:")).join("|")}|`;
  return [line(columns.map(({ header }) => header)), rule, ...rows.map(line)].join("\n");
}

/** Text that Markdown would read as markup, made plain; line breaks become spaces. */
export function escapeMarkdown(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, " ").replace(/[\\`*_{}[\]<>|#~&]/g, (mark) => `\\${mark}`);
}
