import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";
import { loadConfig, loadStudy, type LoadOptions, type StudyOptions } from "../../src/api/configs.ts";
import { SegfuseError } from "../../src/errors.ts";
import { createRegistry } from "../../src/builtin.ts";

/** Shared where no plug-in comes in: its schema is compiled once. */
const registry = createRegistry();

/** A folder of config files for one test, gone afterwards. */
export class Files {
  readonly root = mkdtempSync(join(realpathSync(tmpdir()), "segfuse-config-"));

  constructor(files: Record<string, string>) {
    for (const [name, text] of Object.entries(files)) this.write(name, text);
    folders.push(this.root);
  }

  write(name: string, content: string | Buffer): void {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), content);
  }

  path(name: string): string {
    return join(this.root, name);
  }

  load(name: string, options: LoadOptions = {}) {
    return loadConfig(this.path(name), { env: {}, folder: this.root, registry, ...options });
  }

  study(name: string, options: StudyOptions = {}) {
    return loadStudy(this.path(name), { env: {}, folder: this.root, registry, ...options });
  }

  /** The text that a user sees when `action` fails, with the folder as ROOT. */
  async report(action: Promise<unknown>): Promise<string> {
    const error: unknown = await action.then(
      () => new Error("nothing was thrown"),
      (reason: unknown) => reason,
    );
    if (!(error instanceof SegfuseError)) throw error;
    return error.report().replaceAll(this.root, "ROOT");
  }
}

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** The shortest config that is complete. */
export const small = `
model:
  backbone: {type: resnet, depth: 18}
  head: {type: ppm}
data:
  dataset: {type: folder, root: ./data, classes: [a, b]}
`;
