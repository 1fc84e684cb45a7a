import { relative } from "node:path";
import { closest, distance } from "fastest-levenshtein";
import { SegfuseError, type ErrorCode } from "../errors.ts";
import { pathText, type Origin, type Path } from "./tree.ts";

/** One thing that is wrong in a config, and where the file says it. */
export interface Complaint {
  readonly code: ErrorCode;
  readonly message: string;
  /** Where the wrong value (or key) was written; null where there is no file. */
  readonly origin: Origin | null;
  /** The place in the config; empty for the whole of it. */
  readonly path: Path;
  readonly expected?: string;
  readonly found?: string;
  /** Every name that would be valid here. */
  readonly valid?: readonly string[];
  /** The valid name that is nearest to what was found. */
  readonly nearest?: string;
  readonly advice?: string;
}

/**
 * Everything that is wrong in a config, at once. Its code is the first complaint's; exit status 2.
 */
export class ConfigError extends SegfuseError {
  readonly complaints: readonly Complaint[];

  constructor(complaints: readonly Complaint[]) {
    const first = complaints[0];
    if (first === undefined) throw new TypeError("a ConfigError needs a complaint");
    const more = complaints.length === 1 ? "" : ` (and ${complaints.length - 1} more)`;
    super(first.code, `${first.message}${more}`, {
      where: whereText(first),
      ...(first.expected === undefined ? {} : { expected: first.expected }),
      ...(first.found === undefined ? {} : { found: first.found }),
    });
    this.complaints = complaints;
  }

  override report(): string {
    const texts = this.complaints.map(complaintText);
    return texts.length === 1 ? texts[0]! : [`${texts.length} complaints`, ...texts].join("\n\n");
  }
}

/** Throws where there is a complaint. */
export function assertNone(complaints: readonly Complaint[]): void {
  if (complaints.length > 0) throw new ConfigError(complaints);
}

function complaintText(complaint: Complaint): string {
  const { code, message, expected, found, valid, nearest, advice } = complaint;
  const lines = [`${code}: ${message}`, `  at: ${whereText(complaint)}`];
  if (expected !== undefined) lines.push(`  expected: ${expected}`);
  if (found !== undefined) lines.push(`  found: ${found}`);
  if (nearest !== undefined) lines.push(`  did you mean: ${nearest}`);
  if (valid !== undefined)
    lines.push(`  valid: ${valid.length === 0 ? "(there are none)" : valid.join(", ")}`);
  if (advice !== undefined) lines.push(`  try: ${advice}`);
  return lines.join("\n");
}

function whereText({ origin, path }: Complaint): string {
  const place = pathText(path);
  if (origin === null) return place;
  return place === "" ? originText(origin) : `${originText(origin)} (${place})`;
}

/** `configs/table1/gff.yaml:3:9`; a file inside the working folder is shown relative to it. */
export function originText(origin: Origin): string {
  if (origin.line === null) return origin.source;
  const position = origin.column === null ? origin.line : `${origin.line}:${origin.column}`;
  return `${displayPath(origin.source)}:${position}`;
}

export function displayPath(path: string): string {
  const local = relative(process.cwd(), path);
  return local.startsWith("..") || local === "" ? path : local;
}

/** The valid name that a user may have meant, where one is near enough to be worth saying. */
export function nearestName(name: string, valid: readonly string[]): { nearest?: string } {
  if (valid.length === 0) return {};
  const nearest = closest(name, valid);
  const edits = distance(name, nearest);
  const near = edits <= Math.ceil(nearest.length / 2) && edits < Math.max(name.length, nearest.length);
  return near ? { nearest } : {};
}

const shownLength = 60;

/** A value as a complaint shows it: `"2" (a string)`, `{type, channels} (a map)`. */
export function showValue(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return `${shorten(JSON.stringify(value))} (a list of ${value.length})`;
  if (typeof value === "object") return `{${shorten(Object.keys(value).join(", "))}} (a map)`;
  if (typeof value === "string") return `${shorten(JSON.stringify(value))} (a string)`;
  return JSON.stringify(value);
}

function shorten(text: string): string {
  return text.length <= shownLength ? text : `${text.slice(0, shownLength - 1)}…`;
}
