import { spawn, type ChildProcess } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, isAbsolute, join, resolve } from "node:path";

/** How a program ended, and all that it printed on both of its streams. */
export interface ProcessResult {
  /** The exit status; null where a signal ended it or it could not be started. */
  code: number | null;
  output: string;
}

export interface ProcessOptions {
  /** Added to this process's environment. */
  env?: NodeJS.ProcessEnv;
  /** Called with each whole line of standard output. */
  onLine?: (line: string) => void;
  /** Called with the process, so that the caller can end it. */
  onStart?: (child: ChildProcess) => void;
}

/** Runs a program to its end, without a shell and without input. It never rejects. */
export function runProcess(
  command: readonly string[],
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<ProcessResult> {
  const [file = "", ...first] = command;
  return new Promise((settle) => {
    let output = "";
    let rest = "";
    const child = spawn(file, [...first, ...args], {
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    options.onStart?.(child);
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) options.onLine?.(line);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.on("error", (error) => settle({ code: null, output: output + error.message }));
    child.on("close", (code, signal) =>
      settle({ code, output: signal === null ? output : `${output}\nended by ${signal}` }),
    );
  });
}

/** The path of a program, looked up on `PATH` unless it is named with a folder; null where there is none. */
export function findProgram(name: string, path: string | undefined = process.env.PATH): string | null {
  if (name.includes("/")) return isProgram(name) ? resolve(name) : null;
  for (const folder of (path ?? "").split(delimiter)) {
    const file = join(folder, name);
    if (isAbsolute(folder) && isProgram(file)) return file;
  }
  return null;
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** The last lines of a program's output that hold anything, for an error message. */
export function lastLines(output: string, count = 5): string {
  const lines = output.split("\n").filter((line) => line.trim() !== "");
  return lines.slice(-count).join("\n    ");
}
