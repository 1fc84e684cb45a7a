import { dirname, join } from "node:path";
import { SegfuseError } from "../../errors.ts";
import { makeFolder } from "../../util/folder.ts";
import { addonFile, quietFile, quietSource, tensorflowLibraries } from "../locate.ts";
import { nodePackageFolder, requireFromSegfuse } from "../package.ts";
import { diskError } from "./files.ts";
import { lastLines, runProcess, type ProcessOptions } from "./process.ts";
import type { Command } from "./tools.ts";

export interface CompileOptions extends Pick<ProcessOptions, "onStart"> {
  compiler: Command;
  /** A folder with TensorFlow's two libraries and its `include`. */
  tensorflow: string;
  /** Where the addon looks for the libraries: absolute, or from `$ORIGIN`, its own folder. */
  libraryPath: string;
  /** The folder to make. */
  folder: string;
}

/**
 * Compiles tfjs-node's addon, its sources unchanged, against a TensorFlow (about ten seconds), and segfuse's own
 * small one beside it. Node's headers come from the package node-api-headers, so that nothing is downloaded.
 *
 * @throws SegfuseError `SEGFUSE_SETUP_COMPILE`, `SEGFUSE_SETUP_DISK`
 */
export async function compileAddon(options: CompileOptions): Promise<void> {
  makeFolder(options.folder);
  const sources = join(nodePackageFolder(), "binding");
  await Promise.all([
    compile(options, addonFile, [
      ...["tfjs_backend.cc", "tfjs_binding.cc"].map((file) => join(sources, file)),
      ...[`-I${dirname(sources)}`, `-I${join(options.tensorflow, "include")}`, `-L${options.tensorflow}`],
      ...tensorflowLibraries.map((file) => `-l:${file}`),
      `-Wl,-rpath,${options.libraryPath}`,
    ]),
    compile(options, quietFile, [quietSource()]),
  ]);
}

async function compile(
  { compiler, folder, onStart }: CompileOptions,
  file: string,
  args: string[],
): Promise<void> {
  const headers = (requireFromSegfuse("node-api-headers") as { include_dir: string }).include_dir;
  const name = file.slice(0, file.indexOf("."));
  const { code, output } = await runProcess(
    compiler,
    [
      ...["-O2", "-shared", "-fPIC", "-std=c++17", "-w", "-DNAPI_VERSION=8", "-DBUILDING_NODE_EXTENSION"],
      ...[`-DNODE_GYP_MODULE_NAME=${name}`, `-I${headers}`, ...args, "-o", join(folder, file)],
    ],
    { env: { LC_ALL: "C" }, onStart },
  );
  if (code === 0) return;
  if (/No space left on device/.test(output)) throw diskError(folder, lastLines(output, 1));
  throw new SegfuseError("SEGFUSE_SETUP_COMPILE", `the compiler could not make ${file}`, {
    where: compiler.join(" "),
    found: lastLines(output, 8),
    advice:
      "a C++17 compiler with its standard library is needed (g++ 8, clang 7 or newer): `apt install g++`, or set CXX",
  });
}
