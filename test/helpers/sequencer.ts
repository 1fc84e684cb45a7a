import { readFile } from "node:fs/promises";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** What a test that trains whole runs or starts processes imports. */
const slow =
  /helpers\/(cli|built|killed_run|hook_run|tiny_run|packed|seeds)\.ts"|parity\/|"node:child_process"/;

/**
 * The order of the test files: those that train whole runs or start processes first. They take ten times as long as
 * the others, and one of them that was begun last would keep one core busy for minutes while the other has nothing left
 * to do. Where vitest remembers an earlier run, its own order stands: what failed, then what took longest.
 */
export default class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isKnown = ({ project, moduleId }: TestSpecification) =>
      this.ctx.cache.getFileTestResults(`${project.name}:${moduleId.slice(this.ctx.config.root.length + 1)}`);
    if (sorted.some(isKnown)) return sorted;
    const texts = await Promise.all(sorted.map(({ moduleId }) => readFile(moduleId, "utf8")));
    const isSlow = texts.map((text) => slow.test(text));
    return [...sorted.filter((_, i) => isSlow[i]), ...sorted.filter((_, i) => !isSlow[i])];
  }
}
