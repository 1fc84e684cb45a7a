import { SegfuseError, type ErrorCode } from "../errors.ts";
import { oneLine } from "../util/printable.ts";
import { chainText, excerpt, originText, type Origin } from "./origin.ts";
import { pathText, type Path } from "./tree.ts";

export { nearestName } from "./nearest.ts";

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

  /** @param cause what a plug-in threw, for `--debug` */
  constructor(complaints: readonly Complaint[], cause?: unknown) {
    const first = complaints[0];
    if (first === undefined) throw new TypeError("a ConfigError needs a complaint");
    const more = complaints.length === 1 ? "" : ` (and ${complaints.length - 1} more)`;
    super(first.code, `${first.message}${more}`, {
      where: whereText(first),
      ...(first.expected === undefined ? {} : { expected: first.expected }),
      ...(first.found === undefined ? {} : { found: first.found }),
      ...(cause === undefined ? {} : { cause }),
    });
    this.complaints = complaints;
  }

  override get exitCode(): 2 {
    return 2;
  }

  override report(): string {
    const count = this.complaints.length;
    const texts = this.complaints.slice(0, shownComplaints).map(complaintText);
    if (count === 1) return texts[0]!;
    const rest = count > texts.length ? [`… and ${count - texts.length} more`] : [];
    return [`${count} complaints`, ...texts, ...rest].join("\n\n");
  }
}

/** Throws where there is a complaint. */
export function assertNone(complaints: readonly Complaint[]): void {
  if (complaints.length > 0) throw new ConfigError(complaints);
}

/** Complaints that are printed; programs get all of them. */
const shownComplaints = 50;
/** Longest part of a complaint that quotes the user. */
const shownText = 400;

function complaintText(complaint: Complaint): string {
  const { code, message, origin, expected, found, valid, nearest, advice } = complaint;
  const quoted = (text: string) => oneLine(text, shownText);
  const chain = origin === null ? null : chainText(origin);
  const variables = origin?.variables ?? [];
  const lines = [`${code}: ${quoted(message)}`];
  if (whereText(complaint) !== "") lines.push(`  at: ${quoted(whereText(complaint))}`);
  if (origin !== null) lines.push(...excerpt(origin));
  if (chain !== null) lines.push(`  inherited: ${oneLine(chain)}`);
  if (variables.length > 0) lines.push(`  set by: the environment (${variables.join(", ")})`);
  if (expected !== undefined) lines.push(`  expected: ${oneLine(expected)}`);
  if (found !== undefined) lines.push(`  found: ${quoted(found)}`);
  if (nearest !== undefined) lines.push(`  did you mean: ${quoted(nearest)}`);
  if (valid !== undefined)
    lines.push(`  valid: ${valid.length === 0 ? "(there are none)" : oneLine(valid.join(", "))}`);
  if (advice !== undefined) lines.push(`  try: ${quoted(advice)}`);
  return lines.join("\n");
}

function whereText({ origin, path }: Complaint): string {
  const place = pathText(path);
  if (origin === null) return place;
  return place === "" ? originText(origin) : `${originText(origin)} (${place})`;
}

const shownLength = 60;

/** A value as a complaint shows it: `"2" (a string)`, `{type, channels} (a map)`. */
export function showValue(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return `${shorten(JSON.stringify(value))} (a list of ${value.length})`;
  if (typeof value === "object") return `{${shorten(Object.keys(value).join(", "))}} (a map)`;
  if (typeof value === "string") return `${shorten(JSON.stringify(value))} (a string)`;
  return typeof value === "number" ? String(value) : JSON.stringify(value); // JSON has no NaN
}

/** A key or a name, short enough for a message. */
export function shorten(text: string): string {
  return text.length <= shownLength ? text : `${text.slice(0, shownLength - 1)}…`;
}

/** One complaint for each mistake: rows and bases that share a file would name it again and again. */
export function distinct(complaints: readonly Complaint[]): Complaint[] {
  const byPlace = new Map<string, Complaint>();
  for (const complaint of complaints) {
    const { code, message, origin, path, expected, found } = complaint;
    const at = origin === null ? null : [origin.source, origin.line, origin.column];
    const key = JSON.stringify([code, message, at, path, expected, found]);
    if (!byPlace.has(key)) byPlace.set(key, complaint);
  }
  return [...byPlace.values()];
}
