import { SegfuseError } from "../../errors.ts";
import { findProgram, runProcess } from "./process.ts";

/** A program with its first arguments, ready to run. */
export type Command = readonly [string, ...string[]];

/**
 * The C++ compiler: `$CXX` (which may hold arguments, as in `ccache g++`), else the first of g++, c++ and
 * clang++ on `PATH`.
 *
 * @throws SegfuseError `SEGFUSE_SETUP_COMPILER`
 */
export function findCompiler(env: NodeJS.ProcessEnv = process.env): Command {
  const named = env.CXX?.trim().split(/\s+/) ?? [];
  const [first = "", ...rest] = named;
  if (first !== "") {
    const file = findProgram(first, env.PATH);
    if (file !== null) return [file, ...rest];
    throw new SegfuseError("SEGFUSE_SETUP_COMPILER", `the compiler that CXX names is not there: ${first}`, {
      advice: `set CXX to a C++17 compiler, or unset it. ${installCompiler}`,
    });
  }
  for (const name of ["g++", "c++", "clang++"]) {
    const file = findProgram(name, env.PATH);
    if (file !== null) return [file];
  }
  throw new SegfuseError(
    "SEGFUSE_SETUP_COMPILER",
    "there is no C++ compiler (looked for $CXX, g++, c++, clang++)",
    {
      advice: `${installCompiler}; or compute without the native engine: \`--set engine.type=wasm\``,
    },
  );
}

const installCompiler = "install one: `apt install g++`, `dnf install gcc-c++`";

/** Python's pip, however it is called here, and the Python that unpacks wheels. */
export interface PythonTools {
  pip: Command;
  /** For example `23.2.1`. */
  pipVersion: string;
  python: Command;
}

/**
 * Finds pip and a Python.
 *
 * @throws SegfuseError `SEGFUSE_SETUP_PIP`
 */
export async function findPython(env: NodeJS.ProcessEnv = process.env): Promise<PythonTools> {
  const pythons: Command[] = [];
  for (const name of ["python3", "python"]) {
    const file = findProgram(name, env.PATH);
    if (file === null) continue;
    pythons.push([file]);
    const pipVersion = await versionOfPip([file, "-m", "pip"], env);
    if (pipVersion !== null) return { pip: [file, "-m", "pip"], pipVersion, python: [file] };
  }
  // A pip of its own, as pipx or a zipapp installs it, downloads for any Python.
  for (const name of ["pip3", "pip"]) {
    const file = findProgram(name, env.PATH);
    const [python] = pythons;
    if (file === null || python === undefined) continue;
    const pipVersion = await versionOfPip([file], env);
    if (pipVersion !== null) return { pip: [file], pipVersion, python };
  }
  throw new SegfuseError(
    "SEGFUSE_SETUP_PIP",
    "there is no working pip (looked for python3 -m pip, python -m pip, pip3, pip)",
    {
      found:
        pythons.length > 0 ? `Python without pip: ${pythons.map(([file]) => file).join(", ")}` : "no Python",
      advice:
        "install it: `apt install python3-pip`, `dnf install python3-pip`; or set SEGFUSE_TENSORFLOW to the folder of an " +
        "installed Python tensorflow; or compute without the native engine: `--set engine.type=wasm`",
    },
  );
}

async function versionOfPip(command: Command, env: NodeJS.ProcessEnv): Promise<string | null> {
  const { code, output } = await runProcess(command, ["--version"], { env });
  const version = /^pip (\S+)/m.exec(output)?.[1];
  return code === 0 && version !== undefined ? version : null;
}
