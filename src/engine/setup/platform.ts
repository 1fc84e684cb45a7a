import { SegfuseError } from "../../errors.ts";

/** What the pinned wheel runs on. */
const oldestGlibc = [2, 27] as const;

/** The machine as far as it matters for a native engine. */
export interface Platform {
  platform: string;
  arch: string;
  /** The version of the GNU C library; null where there is another one, as on Alpine. */
  glibc: string | null;
}

/** This machine. */
export function currentPlatform(): Platform {
  const report = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
  return { platform: process.platform, arch: process.arch, glibc: report.header.glibcVersionRuntime ?? null };
}

/** Why the pinned TensorFlow does not run on this machine; null where it does. */
export function whyUnsupported({ platform, arch, glibc }: Platform): string | null {
  if (platform !== "linux" || arch !== "x64") return `${platform} ${arch}`;
  if (glibc === null) return "linux x64 without the GNU C library";
  const [major = 0, minor = 0] = glibc.split(".").map(Number);
  const [wantedMajor, wantedMinor] = oldestGlibc;
  const isOld = major < wantedMajor || (major === wantedMajor && minor < wantedMinor);
  return isOld ? `linux x64 with glibc ${glibc}` : null;
}

/**
 * @throws SegfuseError `SEGFUSE_SETUP_PLATFORM` where no TensorFlow can be downloaded for this machine
 */
export function assertSupported(machine: Platform): void {
  const reason = whyUnsupported(machine);
  if (reason === null) return;
  throw new SegfuseError("SEGFUSE_SETUP_PLATFORM", `segfuse has no TensorFlow to download for ${reason}`, {
    expected: `linux x64 with glibc ${oldestGlibc.join(".")} or newer`,
    advice:
      (machine.platform === "linux"
        ? "set SEGFUSE_TENSORFLOW to the folder of an installed Python tensorflow; or "
        : "") +
      "try the stock installer: `npm rebuild @tensorflow/tfjs-node-gpu --ignore-scripts=false`; or compute without the " +
      "native engine: `--set engine.type=wasm`",
  });
}
