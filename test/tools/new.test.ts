import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { neckSkeleton } from "../../src/skeleton/neck.ts";
import { segfuse } from "../helpers/cli.ts";

// What is written works: `package.long.ts` type-checks it, trains its study and runs its test with the packed package.

const folder = mkdtempSync(join(realpathSync(tmpdir()), "segfuse-new-"));
afterAll(() => rmSync(folder, { recursive: true }));

const create = (...args: string[]) => segfuse(["new", "neck", ...args], { cwd: folder });

it("writes a neck with all that a comparison needs, and overwrites nothing", async () => {
  const first = await create("mine");
  expect(first).toMatchObject({ code: 0, stderr: "" });
  expect(first.stdout).toMatchInlineSnapshot(`
    "wrote
      mine/mine.ts
      mine/mine.yaml
      mine/gff.yaml
      mine/base.yaml
      mine/study.yaml
      mine/mine.test.ts

    next:
      npx segfuse ablate mine/study.yaml
      npx vitest run mine/mine.test.ts
    "
  `);
  for (const [name, text] of neckSkeleton("mine")) {
    expect(readFileSync(join(folder, "mine", name), "utf8")).toBe(text);
  }

  writeFileSync(join(folder, "mine", "mine.ts"), "// changed\n");
  const second = await create("mine");
  expect(second).toMatchObject({ code: 2, stdout: "" });
  expect(second.stderr).toMatchInlineSnapshot(`
    "SEGFUSE_NEW_EXISTS: nothing was written, since files are there already
      found: mine/mine.ts, mine/mine.yaml, mine/gff.yaml, mine/base.yaml, mine/study.yaml, mine/mine.test.ts
      try: another --dir
    "
  `);
  expect(readFileSync(join(folder, "mine", "mine.ts"), "utf8")).toBe("// changed\n");

  // One file in the way is enough for nothing to be written.
  const third = await create("other", "--dir", "mine");
  expect(third).toMatchObject({ code: 2, stdout: "" });
  expect(third.stderr).toMatchInlineSnapshot(`
    "SEGFUSE_NEW_EXISTS: nothing was written, since files are there already
      found: mine/gff.yaml, mine/base.yaml, mine/study.yaml
      try: another --dir
    "
  `);
  expect(readdirSync(join(folder, "mine")).filter((name) => name.startsWith("other"))).toEqual([]);
});

it("refuses names that a config could not use", async () => {
  const taken = await create("gff");
  expect(taken).toMatchObject({ code: 2, stdout: "" });
  expect(taken.stderr).toMatchInlineSnapshot(`
    "SEGFUSE_NEW_NAME: there is a neck 'gff' already
      expected: a name other than none, concat, addition, fpn, gated_fpn, gff
      found: gff
    "
  `);
  const outside = await create("../mine");
  expect(outside).toMatchObject({ code: 2, stdout: "" });
  expect(outside.stderr).toMatchInlineSnapshot(`
    "error: command-argument value '../mine' is invalid for argument 'name'. a small letter, then small letters, digits and _ are expected.
    (segfuse --help lists the commands)
    "
  `);
  expect(readdirSync(folder)).toEqual(["mine"]);
});

it("writes configs that load, with the neck", async () => {
  await create("loads", "--dir", "plain/folder");
  const { code, stdout, stderr } = await segfuse(["config", join(folder, "plain/folder/loads.yaml")]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toContain("type: loads");
});
