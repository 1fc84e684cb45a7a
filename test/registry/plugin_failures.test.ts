import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { Files, small } from "../config/files.ts";

// Plug-ins that fail in every way: each is told with a code and its path, and no network is built of one.

const neck = (rest: string, schema = "Type.Object({})") =>
  `import { composeNeck, defineNeck, tf, Type } from "segfuse";
export default defineNeck({ type: "x", description: "d", schema: ${schema}, ${rest} });
`;
const composed = (forward: string, outputs = "[{ channels: levels[0].channels, stride: 4 }]") =>
  neck(`create: (_, { levels }) => composeNeck({ modules: {}, outputs: ${outputs}, forward: ${forward} })`);

const plugins: Record<string, string> = {
  unknown_type_in_schema: neck("create() {}", '{ type: "object", properties: { a: { type: "integr" } } }'),
  schema_of_no_use: neck("create() {}", '{ type: "object", properties: { a: 3 } }'),
  option_called_type: neck("create() {}", 'Type.Object({ type: Type.String({ description: "t" }) })'),
  rules_no_list: neck('rules: "abc", create() {}'),
  rule_that_throws: neck('rules: [{ check() { throw new Error("in a rule"); } }], create() {}'),
  rule_with_unknown_code: neck(
    'rules: [{ code: "MINE", *check() { yield { path: [], message: "not like that" }; } }], create() {}',
  ),
  create_throws: neck('create() { throw new RangeError("cannot\\nbe made"); }'),
  create_gives_nothing: neck("create() {}"),
  create_gives_a_number: neck("create: () => 3"),
  create_gives_a_plain_object: neck("create: () => ({ outputs: [], usesContext: false, forward: () => [] })"),
  wrong_outputs: composed("(tensors) => [tensors.levels[0]]", '[{ channels: "many" }]'),
  wrong_channels: composed("(tensors) => [tensors.levels[0]]", "[{ channels: 99, stride: 4 }]"),
  wrong_number: composed("() => []"),
  no_list: composed("(tensors) => tensors.levels[0]"),
  forward_throws: composed("(tensors) => tensors.levels[7].shape"),
  right: composed("(tensors) => [tensors.levels[0]]"),
};

it("are told with a code, by their path", async () => {
  const files = new Files({ "small.yaml": small });
  for (const [name, text] of Object.entries(plugins)) {
    files.write(`${name}.mjs`, text);
    files.write(`${name}.yaml`, `_base_: small.yaml\nplugins: [./${name}.mjs]\nmodel: {neck: {type: x}}\n`);
  }
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
  const child = fileURLToPath(new URL("../helpers/graph_child.ts", import.meta.url));
  const configs = Object.keys(plugins).map((name) => files.path(`${name}.yaml`));
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", tsx, child, ...configs]);
  expect(stdout.replaceAll(files.root, "ROOT")).toMatchInlineSnapshot(`
    "SEGFUSE_PLUGIN_EXPORT: a plug-in exports no component
      at: ROOT/unknown_type_in_schema.yaml:2:11 (plugins.0)
      2 | plugins: [./unknown_type_in_schema.mjs]
        |           ^
      expected: \`export default defineNeck({ type, description, schema, create })\` or a list of such records
      found: ROOT/unknown_type_in_schema.mjs: the neck 'x' whose schema is invalid: a/type must be equal to one of the allowed values

    SEGFUSE_PLUGIN_EXPORT: a plug-in exports no component
      at: ROOT/schema_of_no_use.yaml:2:11 (plugins.0)
      2 | plugins: [./schema_of_no_use.mjs]
        |           ^
      expected: \`export default defineNeck({ type, description, schema, create })\` or a list of such records
      found: ROOT/schema_of_no_use.mjs: the neck 'x' whose schema is invalid: a must be object,boolean

    SEGFUSE_PLUGIN_EXPORT: a plug-in exports no component
      at: ROOT/option_called_type.yaml:2:11 (plugins.0)
      2 | plugins: [./option_called_type.mjs]
        |           ^
      expected: \`export default defineNeck({ type, description, schema, create })\` or a list of such records
      found: ROOT/option_called_type.mjs: the neck 'x' with an option 'type', which is the component's own name

    SEGFUSE_PLUGIN_EXPORT: a plug-in exports no component
      at: ROOT/rules_no_list.yaml:2:11 (plugins.0)
      2 | plugins: [./rules_no_list.mjs]
        |           ^
      expected: \`export default defineNeck({ type, description, schema, create })\` or a list of such records
      found: ROOT/rules_no_list.mjs: the neck 'x' whose rules are no list of { check(options) }

    SEGFUSE_PLUGIN_FAILED: a rule of the neck 'x' failed
      at: ROOT/rule_that_throws.yaml:3:15 (model.neck)
      3 | model: {neck: {type: x}}
        |               ^
      found: ROOT/rule_that_throws.mjs:2:109: Error: in a rule

    SEGFUSE_COMPONENT_OPTIONS: not like that
      at: ROOT/rule_with_unknown_code.yaml:3:15 (model.neck)
      3 | model: {neck: {type: x}}
        |               ^

    SEGFUSE_PLUGIN_FAILED: a plug-in's component failed
      at: ROOT/create_throws.mjs:2:100
      found: RangeError: cannot be made
      try: --debug, which shows the stack trace

    SEGFUSE_PLUGIN_FAILED: the neck 'x' is not what its kind must be
      at: ROOT/create_gives_nothing.mjs
      expected: a module: composeNeck({ … }), or a class that extends Neck, Head, Backbone, …
      found: create() gave undefined

    SEGFUSE_PLUGIN_FAILED: the neck 'x' is not what its kind must be
      at: ROOT/create_gives_a_number.mjs
      expected: a module: composeNeck({ … }), or a class that extends Neck, Head, Backbone, …
      found: create() gave a number

    SEGFUSE_PLUGIN_FAILED: the neck 'x' is not what its kind must be
      at: ROOT/create_gives_a_plain_object.mjs
      expected: a module: composeNeck({ … }), or a class that extends Neck, Head, Backbone, …
      found: create() gave an object of another class

    SEGFUSE_PLUGIN_FAILED: the neck 'x' is not what its kind must be
      at: ROOT/wrong_outputs.mjs
      expected: outputs: a list of { channels, stride }
      found: [{"channels":"many"}]

    SEGFUSE_PLUGIN_FAILED: the neck 'x' is not what its kind must be
      at: ROOT/wrong_channels.mjs
      expected: 1 maps [batch, height, width, channels] of 99 channels, as it says of itself
      found: forward() gave [[1,16,16,64]]

    SEGFUSE_PLUGIN_FAILED: the neck 'x' is not what its kind must be
      at: ROOT/wrong_number.mjs
      expected: 1 maps [batch, height, width, channels] of 64 channels, as it says of itself
      found: forward() gave []

    SEGFUSE_PLUGIN_FAILED: the neck 'x' is not what its kind must be
      at: ROOT/no_list.mjs
      expected: 1 maps [batch, height, width, channels] of 64 channels, as it says of itself
      found: forward() gave no list of maps

    SEGFUSE_PLUGIN_FAILED: a plug-in's component failed
      at: ROOT/forward_throws.mjs:2:233
      found: TypeError: Cannot read properties of undefined (reading 'shape')
      try: --debug, which shows the stack trace

    drawn

    "
  `);
});
