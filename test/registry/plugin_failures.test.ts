import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { Files, small } from "../config/files.ts";
import { program } from "../helpers/built.ts";

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
  head_of_version_1: `import { defineHead, Type } from "segfuse";
export default defineHead({ type: "x", description: "d", schema: Type.Object({}), context: () => null, create() {} });
`,
  right: composed("(tensors) => [tensors.levels[0]]"),
};

it("are told with a code, by their path", async () => {
  const files = new Files({ "small.yaml": small });
  for (const [name, text] of Object.entries(plugins)) {
    files.write(`${name}.mjs`, text);
    files.write(`${name}.yaml`, `_base_: small.yaml\nplugins: [./${name}.mjs]\nmodel: {neck: {type: x}}\n`);
  }
  const [node, child] = program("test/helpers/graph_child.ts");
  const configs = Object.keys(plugins).map((name) => files.path(`${name}.yaml`));
  const { stdout } = await promisify(execFile)(node, [child, ...configs]);
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
      found: ROOT/rule_that_throws.mjs:2:109: Error: in a rule, in check()

    SEGFUSE_COMPONENT_OPTIONS: not like that
      at: ROOT/rule_with_unknown_code.yaml:3:15 (model.neck)
      3 | model: {neck: {type: x}}
        |               ^

    SEGFUSE_PLUGIN_FAILED: the neck 'x' of a plug-in failed
      at: ROOT/create_throws.mjs:2:100
      found: RangeError: cannot be made, in create()
      try: --debug shows how it came there

    SEGFUSE_PLUGIN_CONTRACT: the neck 'x' of a plug-in breaks the contract of its kind
      at: ROOT/create_gives_nothing.mjs
      expected: composeNeck({ … }) or an object of a class that extends Neck
      found: undefined, from create()

    SEGFUSE_PLUGIN_CONTRACT: the neck 'x' of a plug-in breaks the contract of its kind
      at: ROOT/create_gives_a_number.mjs
      expected: composeNeck({ … }) or an object of a class that extends Neck
      found: 3, from create()

    SEGFUSE_PLUGIN_CONTRACT: the neck 'x' of a plug-in breaks the contract of its kind
      at: ROOT/create_gives_a_plain_object.mjs
      expected: composeNeck({ … }) or an object of a class that extends Neck
      found: an object with outputs, usesContext, forward, from create()

    SEGFUSE_PLUGIN_CONTRACT: the neck 'x' of a plug-in breaks the contract of its kind
      at: ROOT/wrong_outputs.mjs
      expected: 'outputs', a list of { channels, stride } in whole numbers
      found: [an object with channels], from create()

    SEGFUSE_PLUGIN_CONTRACT: the neck 'x' of a plug-in breaks the contract of its kind
      at: ROOT/wrong_channels.mjs
      expected: a list of one map [1, 16, 16, 99]
      found: [1, 16, 16, 64], from forward()

    SEGFUSE_PLUGIN_CONTRACT: the neck 'x' of a plug-in breaks the contract of its kind
      at: ROOT/wrong_number.mjs
      expected: a list of one map [1, 16, 16, 64]
      found: an empty list, from forward()

    SEGFUSE_PLUGIN_CONTRACT: the neck 'x' of a plug-in breaks the contract of its kind
      at: ROOT/no_list.mjs
      expected: a list of one map [1, 16, 16, 64]
      found: [1, 16, 16, 64], from forward()

    SEGFUSE_PLUGIN_FAILED: the neck 'x' of a plug-in failed
      at: ROOT/forward_throws.mjs:2:233
      found: TypeError: Cannot read properties of undefined (reading 'shape'), in forward()
      try: --debug shows how it came there

    SEGFUSE_PLUGIN_EXPORT: a plug-in exports no component
      at: ROOT/head_of_version_1.yaml:2:11 (plugins.0)
      2 | plugins: [./head_of_version_1.mjs]
        |           ^
      expected: \`export default defineNeck({ type, description, schema, create })\` or a list of such records
      found: ROOT/head_of_version_1.mjs: the head 'x' with context(), which is the option context: contextOption() since apiVersion 2

    drawn

    "
  `);
});
