import { execFile } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const root = fileURLToPath(new URL("../../", import.meta.url));

interface ShellOptions {
  /** A folder whose `node` is found before all others. */
  readonly node?: string | undefined;
}

export interface ShellResult {
  readonly stdout: string;
  readonly stderr: string;
}

/** What a folder's own user would type in a shell of their own. */
export async function shell(command: string, cwd: string, { node }: ShellOptions = {}): Promise<ShellResult> {
  // `npm run` and vitest give their children settings of this repository.
  const ours = /^(npm_.*|NODE_(ENV|OPTIONS|PATH)|VITEST.*)$/i;
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)));
  if (node !== undefined) env.PATH = [node, env.PATH].join(delimiter);
  try {
    return await promisify(execFile)("bash", ["-e", "-c", command], { cwd, env, maxBuffer: 1 << 26 });
  } catch (error) {
    const { stdout, stderr } = error as ShellResult;
    throw new Error(`${command}\n${stdout}${stderr}`, { cause: error });
  }
}

/** The command that installs packages in the current folder, as the documentation says: without their scripts. */
export const install = (what: string) =>
  `npm install --ignore-scripts --prefer-offline --no-audit --no-fund ${what}`;

/** The packages as `npm install` takes them, of the versions that this repository has. */
export function pinned(...packages: string[]): string {
  const { devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    devDependencies: Record<string, string>;
  };
  return packages.map((name) => `${name}@${devDependencies[name]!}`).join(" ");
}

/**
 * Follows a page of the documentation word for word: writes the files that it shows and types its commands, in order.
 * A block is either one of them; what is neither has no place on such a page.
 *
 * @param page its path in this repository
 * @returns what each block of commands printed
 */
export async function follow(
  page: string,
  folder: string,
  options: ShellOptions = {},
): Promise<ShellResult[]> {
  const printed: ShellResult[] = [];
  const blocks = readFileSync(join(root, page), "utf8").matchAll(/^```(\w*)(?: (\S+))?\n(.*?)^```$/gms);
  for (const [block, language, file, text] of blocks) {
    if (file !== undefined) writeFileSync(join(folder, file), text!);
    else if (language === "sh") printed.push(await shell(text!, folder, options));
    else throw new Error(`${page} has a block that nobody can follow:\n${block}`);
  }
  return printed;
}

/**
 * Builds and packs this repository in a copy of it, so that its own `dist/` is left alone and tests may do so side by
 * side.
 *
 * @param folder gets the copy (`checkout/`) and the tarball
 * @returns the tarball
 */
export async function pack(folder: string): Promise<string> {
  const checkout = join(folder, "checkout");
  mkdirSync(checkout);
  const { files } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { files: string[] };
  const packed = files.map((file) => file.split("/")[0]!).filter((part) => part !== "dist");
  const parts = ["package.json", "tsconfig.json", "tsconfig.build.json", "README.md", "LICENSE", "tools"];
  for (const part of new Set([...parts, ...packed]))
    cpSync(join(root, part), join(checkout, part), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(checkout, "node_modules"));
  // With scripts, which .npmrc turns off for the packages that are installed: `prepack` builds.
  const command = `npm pack --silent --ignore-scripts=false --pack-destination ${JSON.stringify(folder)}`;
  const { stdout } = await shell(command, checkout);
  return join(folder, /\S+\.tgz/.exec(stdout)![0]);
}
