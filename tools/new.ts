import { closeSync, existsSync, openSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { Argument, InvalidArgumentError, type Command } from "commander";
import { SegfuseError } from "../src/errors.ts";
import { neckSkeleton, skeletonName } from "../src/skeleton/neck.ts";
import { writeError } from "../src/util/atomic_file.ts";
import { makeFolder } from "../src/util/folder.ts";

/** `segfuse new`: the files of a component of one's own. */
export function register(program: Command): void {
  program
    .command("new")
    .description(
      "write a neck of your own: the neck, a config, a study that compares it with GFF, and a test",
    )
    .addArgument(new Argument("<kind>", "what to write").choices(["neck"]))
    .argument("<name>", "its type: small letters, digits and _", typeName)
    .option("--dir <folder>", "where to write (default: a folder of that name)")
    .action(create);
}

async function create(_kind: "neck", type: string, options: { dir?: string }): Promise<void> {
  const { createRegistry } = await import("../src/builtin.ts");
  const registry = createRegistry();
  if (registry.has("neck", type)) {
    throw new SegfuseError("SEGFUSE_NEW_NAME", `there is a neck '${type}' already`, {
      expected: `a name other than ${registry.types("neck").join(", ")}`,
      found: type,
    });
  }
  const folder = options.dir ?? type;
  const files = [...neckSkeleton(type)].map(([name, text]) => [join(folder, name), text] as const);
  const there = files.map(([path]) => path).filter((path) => existsSync(path));
  if (there.length > 0) {
    throw new SegfuseError("SEGFUSE_NEW_EXISTS", "nothing was written, since files are there already", {
      found: there.join(", "),
      advice: "another --dir",
    });
  }
  write(folder, files);
  const study = join(folder, "study.yaml");
  const lines = files.map(([path]) => `  ${path}`);
  const test = relative(".", join(folder, `${type}.test.ts`));
  lines.push("", "next:", `  npx segfuse ablate ${study}`, `  npx vitest run ${test}`);
  process.stdout.write(`wrote\n${lines.join("\n")}\n`);
}

/** All files or none. */
function write(folder: string, files: readonly (readonly [path: string, text: string])[]): void {
  const written: string[] = [];
  try {
    makeFolder(folder);
    for (const [path, text] of files) {
      // wx: a file that came in between is not overwritten either.
      const file = openSync(path, "wx");
      written.push(path);
      writeFileSync(file, text);
      closeSync(file);
    }
  } catch (cause) {
    for (const path of written) rmSync(path, { force: true });
    throw writeError(folder, cause);
  }
}

function typeName(value: string): string {
  if (!skeletonName.test(value)) {
    throw new InvalidArgumentError("a small letter, then small letters, digits and _ are expected.");
  }
  return value;
}
