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

/** For terminals: columns padded to their widest cell, a rule below the header. */
export function textTable({ columns, rows }: Table): string {
  const widths = columns.map(({ header }, c) =>
    Math.max(header.length, ...rows.map((row) => row[c]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, c) => (columns[c]!.align === "left" ? cell.padEnd(widths[c]!) : cell.padStart(widths[c]!)))
      .join(" | ")
      .trimEnd();
  const rule = widths.map((width) => "-".repeat(width)).join("-+-");
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
