import { mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { SegfuseError } from "../../errors.ts";
import { diskError } from "./files.ts";
import { lastLines, runProcess, type ProcessOptions } from "./process.ts";
import type { Command } from "./tools.ts";

/** What of pip's output tells why it failed; the first that matches counts. */
const hashMismatch = /DO NOT MATCH THE HASHES/;
const diskFull = /No space left on device|Errno 28|Disk quota exceeded/;
const noNetwork =
  /connection error:|name resolution|NewConnectionError|Connection (?:refused|reset|aborted|broken)|Max retries exceeded|[Tt]imed out|ProxyError|SSLError|Network is unreachable|IncompleteRead/;

export interface DownloadOptions extends Pick<ProcessOptions, "onStart"> {
  pip: Command;
  /** A pip requirements file that pins one wheel and its hash. */
  requirements: string;
  /** An existing folder for the wheel and for pip's temporary files. */
  folder: string;
  /** Called twice a second with the bytes that have come. */
  onBytes?: (bytes: number) => void;
}

/**
 * Downloads the pinned wheel with pip, which brings the user's index, mirror, proxy and certificate settings.
 *
 * @returns the wheel's path
 * @throws SegfuseError `SEGFUSE_SETUP_HASH`, `SEGFUSE_SETUP_NETWORK`, `SEGFUSE_SETUP_DISK`, or
 *   `SEGFUSE_SETUP_DOWNLOAD` for whatever else pip complains of
 */
export async function downloadWheel(options: DownloadOptions): Promise<string> {
  const temporary = join(options.folder, "pip");
  const target = join(options.folder, "wheel");
  mkdirSync(temporary);
  mkdirSync(target);
  let bytes = 0;
  const watch = setInterval(() => {
    // pip moves the file away at the end
    bytes = Math.max(bytes, largestFile(temporary));
    options.onBytes?.(bytes);
  }, 500);
  const { code, output } = await runProcess(
    options.pip,
    [
      // -vv: else nothing is said of an index that cannot be reached when retries are off
      ...["download", "-vv", "--no-deps", "--no-cache-dir", "--no-input", "--disable-pip-version-check"],
      ...[
        "--progress-bar",
        "off",
        "--only-binary=:all:",
        "--implementation",
        "cp",
        "--python-version",
        "3.12",
      ],
      ...[
        "--platform",
        "manylinux_2_27_x86_64",
        "--require-hashes",
        "-r",
        options.requirements,
        "-d",
        target,
      ],
    ],
    { env: { TMPDIR: temporary }, onStart: options.onStart },
  ).finally(() => clearInterval(watch));
  const [wheel] = readdirSync(target).filter((name) => name.endsWith(".whl"));
  if (code === 0 && wheel !== undefined) return join(target, wheel);
  throw pipError(output, options.folder);
}

function pipError(output: string, folder: string): SegfuseError {
  const complaints = output.split("\n").filter((line) => /^(ERROR|WARNING): /.test(line.trim()));
  const found = lastLines((complaints.length > 0 ? complaints : output.split("\n")).join("\n"), 3);
  if (hashMismatch.test(output)) {
    return new SegfuseError(
      "SEGFUSE_SETUP_HASH",
      "the downloaded wheel is not the pinned one; it was thrown away",
      {
        expected: `sha256 ${/Expected sha256 (\w+)/.exec(output)?.[1] ?? "of the requirements file"}`,
        found: `sha256 ${/Got\s+(\w+)/.exec(output)?.[1] ?? "unknown"}`,
        advice:
          "run `segfuse setup` again, as a download may have broken off; if it stays so, look at `pip config list`",
      },
    );
  }
  if (diskFull.test(output)) return diskError(folder, found);
  if (noNetwork.test(output)) {
    return new SegfuseError("SEGFUSE_SETUP_NETWORK", "TensorFlow could not be downloaded: no connection", {
      found,
      advice: `check the network and pip's settings (\`pip config list\`; a proxy, PIP_INDEX_URL); ${withoutDownload}`,
    });
  }
  return new SegfuseError("SEGFUSE_SETUP_DOWNLOAD", "pip did not download TensorFlow", {
    found,
    advice: `check pip's settings (\`pip config list\`); ${withoutDownload}`,
  });
}

const withoutDownload =
  "or set SEGFUSE_TENSORFLOW to the folder of an installed Python tensorflow; or compute without the native engine: " +
  "`--set engine.type=wasm`";

/** Bytes of the largest file below a folder: pip's unfinished download. */
function largestFile(folder: string): number {
  let largest = 0;
  try {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) largest = Math.max(largest, statSync(join(entry.parentPath, entry.name)).size);
    }
  } catch {
    // pip moves and removes files as it goes
  }
  return largest;
}
