import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const script = fileURLToPath(new URL("run/reference.py", import.meta.url));
const fixtures = fileURLToPath(new URL("../fixtures", import.meta.url));

/** There is no reference to compare with. No error of segfuse's own: its codes are those of src/errors.ts. */
export class NoReference extends Error {
  constructor(message: string, details: { at: string; expected?: string; found: string; try?: string }) {
    const lines = Object.entries(details).map(([key, text]) => `  ${key}: ${text}`);
    super([`PARITY_PYTHON: ${message}`, ...lines].join("\n"));
  }
}

/** The Python that references are made with: `SEGFUSE_PYTHON`, else `python3`. */
function pythonName(): string {
  const named = process.env.SEGFUSE_PYTHON;
  return named === undefined || named === "" ? "python3" : named;
}

/** Why references cannot be made here; null where they can. */
export function pythonProblem(): string | null {
  const { status, stderr, error } = spawnSync(
    pythonName(),
    ["-c", "import networks, recipe, safetensors.torch, PIL"],
    { cwd: fixtures, encoding: "utf8" },
  );
  if (error !== undefined) return error.message;
  return status === 0 ? null : (stderr.trim().split("\n").at(-1) ?? `exit code ${status}`);
}

/** @throws NoReference where there is no Python with what the reference needs */
export function requirePython(): void {
  const problem = pythonProblem();
  if (problem === null) return;
  throw new NoReference("there is no Python to make the reference with", {
    at: pythonName(),
    expected: "Python 3 with torch, torchvision, numpy, safetensors and pillow",
    found: problem,
    try: "install them, or name another Python with SEGFUSE_PYTHON",
  });
}

/** Runs reference.py to its end. @throws NoReference with the last line it printed */
export function runReference(...args: string[]): Promise<void> {
  const child = spawn(pythonName(), [script, ...args], { stdio: ["ignore", "inherit", "pipe"] });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0) return resolve();
      const found = stderr.trim().split("\n").at(-1) ?? "";
      reject(
        new NoReference("the reference could not be computed", {
          at: [script, ...args].join(" "),
          found: found === "" ? `ended with ${signal ?? code}` : found,
        }),
      );
    });
  });
}
