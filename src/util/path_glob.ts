import { existsSync, statSync, type Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";

const magic = /[*?[{]/;

/** True where a path that does not exist can be meant as a pattern. */
export const isPathGlob = (path: string): boolean => magic.test(path);

/** The files that a pattern stands for. */
export interface GlobMatches {
  /** The folder before the pattern's first special character. */
  readonly base: string;
  /** Paths inside `base`, with `/`, in the order of their code units. */
  readonly files: readonly string[];
}

/**
 * Finds files by a pattern, as a shell would: `*`, `?` and `[a-c]` or `[!a-c]` within a name, `{a,b}` for either, `**`
 * for any folders. As in a shell, names that begin with a dot are matched only by patterns that begin with one, and `**`
 * does not go through links.
 */
export async function pathGlob(pattern: string): Promise<GlobMatches> {
  const segments = pattern.split("/");
  const first = segments.findIndex((segment) => magic.test(segment));
  const base = segments.slice(0, first).join("/") || (pattern.startsWith("/") ? "/" : ".");
  const steps = segments.slice(first);
  const found = new Set<string>();
  // Braces may hold a slash, so they are written out first.
  for (const plain of writtenOut(steps.join("/"))) await descend(base, "", plain.split("/"), found);
  const files = [...found].filter((path) => isFile(join(base, path)));
  return { base, files: files.sort((a, b) => (a < b ? -1 : 1)) };
}

async function descend(
  base: string,
  inside: string,
  steps: readonly string[],
  found: Set<string>,
): Promise<void> {
  const [step, ...rest] = steps;
  if (step === undefined) return;
  if (step === "**") {
    await descend(base, inside, rest.length === 0 ? ["*"] : rest, found);
    for (const entry of await entriesOf(join(base, inside))) {
      if (entry.isDirectory() && !entry.name.startsWith("."))
        await descend(base, below(inside, entry.name), steps, found);
    }
    return;
  }
  const matches = matcher(step);
  const isLast = rest.length === 0;
  if (!magic.test(step)) {
    if (!isLast) await descend(base, below(inside, step), rest, found);
    else if (existsSync(join(base, inside, step))) found.add(below(inside, step));
    return;
  }
  for (const entry of await entriesOf(join(base, inside))) {
    if (!matches(entry.name)) continue;
    const path = below(inside, entry.name);
    if (!isLast) {
      if (!entry.isFile()) await descend(base, path, rest, found);
    } else if (!entry.isDirectory()) found.add(path);
  }
}

/** Or a link to nothing: whoever reads it will say so. Pipes, devices and folders are no files. */
function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? true;
}

const below = (folder: string, name: string) => (folder === "" ? name : `${folder}/${name}`);

/** None where there is no such folder: then nothing matches. */
function entriesOf(folder: string): Promise<Dirent[]> {
  return readdir(folder, { withFileTypes: true }).catch(() => []);
}

/** `a{b,c}` → ab, ac. */
function writtenOut(pattern: string): string[] {
  const braces = /\{([^{}]*,[^{}]*)\}/.exec(pattern);
  if (braces === null) return [pattern];
  const [before, after] = [pattern.slice(0, braces.index), pattern.slice(braces.index + braces[0].length)];
  return braces[1]!.split(",").flatMap((choice) => writtenOut(before + choice + after));
}

/** A test for one name of a path. */
function matcher(step: string): (name: string) => boolean {
  const source = step.replace(/\*+|\?|\[[!^]?[^\]]+\]|[.+^${}()|[\]\\]/g, (token) => {
    if (token.startsWith("*")) return ".*";
    if (token === "?") return ".";
    if (!token.startsWith("[") || token.length === 1) return `\\${token}`;
    const isNot = /^\[[!^]/.test(token);
    const set = token.slice(isNot ? 2 : 1, -1).replaceAll(/[\\\]^]/g, "\\$&");
    return `[${isNot ? "^" : ""}${set}]`;
  });
  const expression = safeExpression(`^${source}$`);
  return (name) => (step.startsWith(".") || !name.startsWith(".")) && expression.test(name);
}

/** A class such as `[z-a]` matches nothing, as in a shell. */
function safeExpression(source: string): RegExp {
  try {
    return new RegExp(source, "su");
  } catch {
    return /^(?!)/;
  }
}
