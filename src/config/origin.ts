import { relative } from "node:path";
import { columns, oneLine } from "../util/printable.ts";

/** Where a value of a config was written. */
export interface Origin {
  /** A file's absolute path, or `--set KEY=VALUE`. */
  readonly source: string;
  /** From 1; null where the source is no file. */
  readonly line: number | null;
  /** From 1. */
  readonly column: number | null;
  /** Folder that relative paths of this value start from. */
  readonly directory: string;
  /** The whole line, where there is one. */
  readonly text?: string;
  /** What brought the file in: the `_base_` entry that names it, a study's row, `--overlay`; absent for the file asked for. */
  readonly from?: Origin;
  /** The environment variables that the value was made of. */
  readonly variables?: readonly string[];
}

/** An origin that is no place in a file: `--set …`, `--rows …`. */
export function commandLineOrigin(source: string, directory = ""): Origin {
  return { source, line: null, column: null, directory };
}

/** `configs/table1/gff.yaml:3:9`; a file inside the working folder is shown relative to it. */
export function originText(origin: Origin): string {
  if (origin.line === null) return displayPath(origin.source);
  const position = origin.column === null ? origin.line : `${origin.line}:${origin.column}`;
  return `${displayPath(origin.source)}:${position}`;
}

export function displayPath(path: string): string {
  if (path.startsWith("--")) return path;
  const local = relative(process.cwd(), path);
  return local.startsWith("..") || local === "" ? path : local;
}

/** `studies/gff.yaml:6:5 → table1/gff.yaml:2:8 → table1/pspnet.yaml`: how a file came in; null for the file asked for. */
export function chainText(origin: Origin): string | null {
  if (origin.from === undefined) return null;
  const steps: string[] = [displayPath(origin.source)];
  for (let step: Origin | undefined = origin.from; step !== undefined; step = step.from)
    steps.unshift(originText(step));
  return steps.join(" → ");
}

/** Where a value came from in one line: variables, the place, and backwards the places that brought its file in. */
export function provenance(origin: Origin): string {
  const variables = (origin.variables ?? []).map((name) => `$${name} at `).join("");
  const places: string[] = [];
  for (let step: Origin | undefined = origin; step !== undefined; step = step.from)
    places.push(originText(step));
  return oneLine(`${variables}${places.join(" ← ")}`);
}

const shownBefore = 60;
const shownLength = 100;

/** The source line with a caret below the column; a long line is cut around it. */
export function excerpt({ line, column, text }: Origin): string[] {
  if (line === null || column === null || text === undefined) return [];
  const at = Math.min(column - 1, text.length);
  const start = at > shownBefore + 10 ? at - shownBefore : 0;
  const end = Math.min(text.length, start + shownLength);
  // tabs are one column here, so that the caret stands right on every terminal
  const plain = (part: string) => oneLine(part.replaceAll("\t", " ").replace(/\r$/, ""));
  const before = `${start > 0 ? "…" : ""}${plain(text.slice(start, at))}`;
  const after = `${plain(text.slice(at, end))}${end < text.length ? "…" : ""}`;
  const gutter = String(line);
  const [shown, caret] = [
    `  ${gutter} | ${before}${after}`,
    `  ${" ".repeat(gutter.length)} | ${" ".repeat(columns(before))}^`,
  ];
  return [shown.trimEnd(), caret];
}
