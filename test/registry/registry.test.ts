import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { createRegistry, kinds } from "../../src/builtin.ts";
import { Files, small } from "../config/files.ts";

describe("the registry", () => {
  it("holds the built-in components, and gives each by kind and type", () => {
    const registry = createRegistry();
    for (const kind of kinds) {
      expect(registry.list(kind).length, kind).toBeGreaterThan(0);
      for (const record of registry.list(kind)) expect(registry.get(kind, record.type)).toBe(record);
    }
    expect(registry.types("neck")).toEqual(["none", "concat", "addition", "fpn", "gated_fpn", "gff"]);
  });

  it("says what there is where a type is unknown", async () => {
    const files = new Files({});
    const report = files.report(Promise.resolve().then(() => createRegistry().get("neck", "gfff")));
    expect(await report).toMatchInlineSnapshot(`
      "SEGFUSE_UNKNOWN_COMPONENT: there is no neck 'gfff'
        expected: one of none, concat, addition, fpn, gated_fpn, gff
        found: gfff
        try: gff"
    `);
  });
});

const component = pathToFileURL(new URL("../../src/necks/contracts.ts", import.meta.url).pathname).href;
const neck = (type: string, options = "{}") => `
import { defineNeck } from ${JSON.stringify(component)};
const schema = { type: "object", properties: ${options}, required: [] };
export default defineNeck({ type: "${type}", description: "mine", schema, create() { throw new Error("not built here"); } });
`;

describe("plug-ins", () => {
  const files = new Files({
    "plugins/mine.ts": neck(
      "mine",
      '{ width: { type: "integer", minimum: 1, default: 3, description: "w" } }',
    ),
    "plugins/clash.ts": neck("gff"),
    "plugins/throws.ts": "throw new RangeError('at the import');\n",
    "plugins/number.ts": "export default 3;\n",
    "plugins/nothing.ts": "export const neck = 3;\n",
    "plugins/half.ts":
      'export default [{ kind: "neck", type: "half", schema: { type: "object", properties: {} } }];\n',
    "plugins/kind.ts": 'export default { kind: "knee", type: "x" };\n',
    "base.yaml": `${small}\nplugins: [./plugins/mine.ts]\n`,
    "sub/top.yaml": "_base_: ../base.yaml\nmodel: {neck: {type: mine}}\n",
    "sub/wrong.yaml": "_base_: ../base.yaml\nmodel: {neck: {type: mine, width: 0}}\n",
  });

  it("bring components that configs can name, relative to the file that names them", async () => {
    const registry = createRegistry();
    const { config } = await files.load("sub/top.yaml", { registry });
    expect(config.model.neck).toEqual({ type: "mine", width: 3 });
    expect(config.plugins).toEqual([files.path("plugins/mine.ts")]);
    expect(registry.source(registry.get("neck", "mine"))).toBe(files.path("plugins/mine.ts"));
    await files.load("sub/top.yaml", { registry }); // a second row of the same study
    expect(createRegistry().has("neck", "mine")).toBe(false);
    expect(await files.report(files.load("sub/wrong.yaml", { registry }))).toMatchInlineSnapshot(`
      "SEGFUSE_CONFIG_RANGE: 'width' is out of range
        at: ROOT/sub/wrong.yaml:2:35 (model.neck.width)
        2 | model: {neck: {type: mine, width: 0}}
          |                                   ^
        expected: an integer ≥ 1
        found: 0"
    `);
  });

  it("are named where they cannot be used", async () => {
    const names = ["clash", "throws", "number", "nothing", "half", "kind", "absent"].map(
      (name) => `./plugins/${name}.ts`,
    );
    const reports = [];
    for (const name of [...names, "no-such-package"]) {
      reports.push(await files.report(createRegistry().loadPlugins([name], files.path("base.yaml"))));
    }
    expect(reports.join("\n")).toMatchInlineSnapshot(`
      "SEGFUSE_PLUGIN_CLASH: there are two components 'gff' of kind neck
        at: ROOT/plugins/clash.ts
        expected: a neck type of another name
        found: gff, which segfuse has registered already
      SEGFUSE_PLUGIN_LOAD: the plug-in 'throws.ts' could not be loaded
        at: ROOT/plugins/throws.ts:1:7
        found: RangeError: at the import
      SEGFUSE_PLUGIN_EXPORT: a plug-in exports no component
        at: ROOT/plugins/number.ts
        expected: \`export default defineNeck({ type, description, schema, create })\` or a list of such records
        found: a default export that is a number
      SEGFUSE_PLUGIN_EXPORT: a plug-in exports no component
        at: ROOT/plugins/nothing.ts
        expected: \`export default defineNeck({ type, description, schema, create })\` or a list of such records
        found: no default export
      SEGFUSE_PLUGIN_EXPORT: a plug-in exports no component
        at: ROOT/plugins/half.ts
        expected: \`export default defineNeck({ type, description, schema, create })\` or a list of such records
        found: the neck 'half' without a description
      SEGFUSE_PLUGIN_EXPORT: a plug-in exports no component
        at: ROOT/plugins/kind.ts
        expected: \`export default defineNeck({ type, description, schema, create })\` or a list of such records
        found: a record whose kind is "knee"
      SEGFUSE_PLUGIN_LOAD: the plug-in './plugins/absent.ts' is not there
        at: ROOT/base.yaml
        found: no file ROOT/plugins/absent.ts
      SEGFUSE_PLUGIN_LOAD: the plug-in package 'no-such-package' was not found
        at: ROOT/base.yaml
        expected: a package that is installed for ROOT, or a path that starts with ./
        found: no-such-package"
    `);
  });
});
