import { isUtf8 } from "node:buffer";
import { readdir, readFile } from "node:fs/promises";
import { dirname, extname } from "node:path";
import { SegfuseError } from "../errors.ts";
import { escapedBytes } from "./folder_walk.ts";

export interface TextLine {
  /** From 1. */
  readonly number: number;
  readonly text: string;
}

/**
 * The lines of a list file without space around them, blank ones left out. The text may be UTF-8 or UTF-16 (as Windows'
 * shells write it), with a byte order mark or without; lines may end as on any system.
 *
 * @throws SegfuseError SEGFUSE_DATA_SPLIT where the file cannot be read, or is neither UTF-8 nor UTF-16
 */
export async function readLines(file: string): Promise<TextLine[]> {
  const bytes = await readFile(file).catch(async (cause: unknown) => {
    const isAbsent = (cause as NodeJS.ErrnoException).code === "ENOENT";
    const found = isAbsent ? await listsBeside(file) : (cause as Error).message;
    const message = `the list of a split ${isAbsent ? "is missing" : "cannot be read"}`;
    throw new SegfuseError("SEGFUSE_DATA_SPLIT", message, {
      where: file,
      ...(found === null ? {} : { found }),
      cause,
    });
  });
  return decode(bytes, file)
    .split(/\r\n?|[\n\u0085\u2028\u2029]/)
    .map((line, i) => ({ number: i + 1, text: line.trim() }))
    .filter(({ text }) => text !== "");
}

/** Other files of the kind, one of which may have been meant; null where there are none. */
async function listsBeside(file: string): Promise<string | null> {
  const names = await readdir(dirname(file)).catch(() => []);
  const lists = names.filter((name) => extname(name) === extname(file)).sort();
  const more = lists.length > 6 ? ", …" : "";
  return lists.length === 0 ? null : `beside it: ${lists.slice(0, 6).join(", ")}${more}`;
}

function decode(bytes: Buffer, file: string): string {
  const encoding = encodingOf(bytes);
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes); // a byte order mark is left out
  } catch (cause) {
    throw new SegfuseError("SEGFUSE_DATA_SPLIT", "a list is neither UTF-8 nor UTF-16", {
      ...(encoding === "utf-8" ? firstWrongLine(bytes, file) : { where: file, found: `broken ${encoding}` }),
      advice: "save it as UTF-8 (iconv -f latin1 -t utf8, in the encoding that it has)",
      cause,
    });
  }
}

/** By its byte order mark; without one, half of plain text's bytes are 0 in UTF-16 and none is in UTF-8. */
function encodingOf(bytes: Buffer): "utf-8" | "utf-16le" | "utf-16be" {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return "utf-16be";
  const zeros: [even: number, odd: number] = [0, 0];
  for (let at = bytes.indexOf(0); at >= 0; at = bytes.indexOf(0, at + 1)) zeros[at % 2 === 0 ? 0 : 1]++;
  if (zeros[0] === zeros[1]) return "utf-8";
  return zeros[1] > zeros[0] ? "utf-16le" : "utf-16be";
}

function firstWrongLine(bytes: Buffer, file: string): { where: string; found?: string } {
  const lines = bytes.toString("latin1").split(/\r\n?|\n/);
  const wrong = lines.map((line) => Buffer.from(line, "latin1")).findIndex((line) => !isUtf8(line));
  return { where: `${file}:${wrong + 1}`, found: escapedBytes(Buffer.from(lines[wrong] ?? "", "latin1")) };
}
