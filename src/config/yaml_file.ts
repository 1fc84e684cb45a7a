import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { ErrorCode } from "../errors.ts";
import { ConfigError, type Complaint } from "./complaint.ts";
import { nearestFile } from "./nearest.ts";
import { displayPath } from "./origin.ts";
import type { MapNode, Origin, Path } from "./tree.ts";
import { limits, parseYaml } from "./yaml.ts";

/** A file that another place names, for the complaint where it cannot be read. */
export interface NamedBy {
  readonly origin: Origin;
  readonly path: Path;
  /** What may be wrong with the name, where it cannot be read. */
  readonly advice?: string;
}

/**
 * Reads a file that holds one YAML map.
 *
 * @param path absolute
 * @param by what names the file, where that is not the command line
 * @throws ConfigError `SEGFUSE_CONFIG_FILE` where it cannot be read, `SEGFUSE_CONFIG_LIMIT` where it is above 1 MB,
 *   `SEGFUSE_CONFIG_ENCODING` where it is no UTF-8, and what {@link parseYaml} throws
 */
export async function readYamlFile(path: string, by?: NamedBy): Promise<MapNode> {
  const from = by?.origin;
  let bytes: Buffer;
  try {
    bytes = await readBounded(path);
  } catch (error) {
    throw error instanceof ConfigError ? error : new ConfigError([await unreadable(path, error, by)]);
  }
  return parseYaml(decoded(bytes, path, from), path, from);

  async function readBounded(file: string): Promise<Buffer> {
    const info = await stat(file);
    // A pipe or a device may never end.
    if (!info.isFile())
      throw Object.assign(new Error(), { code: info.isDirectory() ? "EISDIR" : "no plain file" });
    if (info.size > limits.bytes) {
      throw fileFault("SEGFUSE_CONFIG_LIMIT", "a config file is too large", path, from, {
        expected: `at most ${limits.bytes} bytes`,
        found: `${info.size} bytes`,
      });
    }
    return readFile(file);
  }
}

/** Text of UTF-8; a byte-order mark is left out. */
function decoded(bytes: Buffer, path: string, from: Origin | undefined): string {
  const isWide =
    bytes.length > 1 &&
    (bytes.subarray(0, 2).includes(0) || [0xfffe, 0xfeff].includes(bytes.readUInt16BE(0)));
  try {
    if (!isWide) return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    // told below
  }
  throw fileFault("SEGFUSE_CONFIG_ENCODING", "a config file is not in UTF-8", path, from, {
    expected: "text in UTF-8",
    found: isWide ? "text in UTF-16" : "bytes that are no UTF-8",
  });
}

function fileFault(
  code: ErrorCode,
  message: string,
  path: string,
  from: Origin | undefined,
  more: Partial<Complaint>,
): ConfigError {
  const origin = { source: path, line: null, column: null, directory: dirname(path) };
  return new ConfigError([
    { code, message, origin: from === undefined ? origin : { ...origin, from }, path: [], ...more },
  ]);
}

const reasons: Record<string, string> = {
  ENOENT: "no such file",
  EISDIR: "a folder",
  EACCES: "no permission to read it",
  ENOTDIR: "no such file",
};

/** A file that cannot be read is the fault of the place that names it. */
async function unreadable(path: string, error: unknown, by: NamedBy | undefined): Promise<Complaint> {
  const code = (error as NodeJS.ErrnoException).code ?? String(error);
  const reason = reasons[code] ?? code;
  const siblings = await readdir(dirname(path)).catch((): string[] => []);
  const { nearest } = nearestFile(basename(path), siblings);
  return {
    code: "SEGFUSE_CONFIG_FILE",
    message: "a config file cannot be read",
    origin: by?.origin ?? { source: path, line: null, column: null, directory: dirname(path) },
    path: by?.path ?? [],
    found: by === undefined ? reason : `${displayPath(path)}: ${reason}`,
    ...(nearest === undefined ? {} : { nearest: displayPath(join(dirname(path), nearest)) }),
    ...(by?.advice === undefined ? {} : { advice: by.advice }),
  };
}
