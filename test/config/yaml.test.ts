import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { ConfigError } from "../../src/config/complaint.ts";
import { toData } from "../../src/config/tree.ts";
import { parseYaml } from "../../src/config/yaml.ts";

const configs = fileURLToPath(new URL("../../configs", import.meta.url));
const parse = (text: string) => parseYaml(text, "/tiny.yaml");

function told(text: string): string {
  try {
    return JSON.stringify(toData(parse(text)));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.report();
  }
}

describe("a YAML text", () => {
  it("has the values that js-yaml's own loader gives it", () => {
    const shipped = readdirSync(configs, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".yaml"))
      .map((name) => readFileSync(join(configs, name), "utf8"));
    const others = [
      "a: [1, 0x1f, 1e-3, .inf, true, null, ~, yes, 'x', \"\\u00e9\", 2026-01-01, !!str 3]\nb:\n",
      "a: &a {b: [1, 2]}\nc: *a\nd: |\n  one\n  two\ne: >-\n  three\n  four\n",
      "%TAG !y! tag:yaml.org,2002:\n---\na: !y!int 3\nb: !!map {c: !!seq [d]}\n",
      "? a\n: 1\n&key b: *key\n",
    ];
    for (const text of [...shipped, ...others]) expect(toData(parse(text)), text).toEqual(load(text));
  });

  it("may be 64 levels deep", () => {
    const nested = (levels: number) => `a: ${"[".repeat(levels - 1)}1${"]".repeat(levels - 1)}\n`;
    expect(told(nested(64))).toContain("[[[1]]]");
    for (const text of [nested(65), `a: ${"[".repeat(100_000)}`, nested(70).replace("1", "1 2")])
      expect(told(text).split("\n")[0]).toBe("SEGFUSE_CONFIG_LIMIT: a config is nested too deeply");
    expect(told(nested(64).replace("1", ", ")).split("\n")[0]).toMatch(/^SEGFUSE_CONFIG_SYNTAX/);
  });

  it("has aliases of what stands before them", () => {
    expect(["a: *b\nb: &b 1\n", "a: &a [1, *a]\n"].map(told).join("\n")).toMatchInlineSnapshot(`
      "SEGFUSE_CONFIG_SYNTAX: no YAML: no anchor &b ends before this alias
        at: /tiny.yaml:1:4
        1 | a: *b
          |    ^
      SEGFUSE_CONFIG_SYNTAX: no YAML: no anchor &a ends before this alias
        at: /tiny.yaml:1:11
        1 | a: &a [1, *a]
          |           ^"
    `);
  });
});
