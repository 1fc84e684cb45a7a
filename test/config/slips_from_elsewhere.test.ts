import { expect, it } from "vitest";
import { Files, small } from "./files.ts";

// What a config takes from elsewhere: bases, overlays, variables, plug-ins. Everything that is wrong comes at once.

/** What is said of each file, or that nothing is. */
async function reports(texts: Record<string, string>): Promise<string> {
  const files = new Files({ "small.yaml": small, ...texts });
  const all = [];
  for (const name of Object.keys(texts)) all.push(await files.report(files.load(name)));
  return all.join("\n\n");
}

it("of files", async () => {
  const files = new Files({
    "small.yaml": small,
    "study.yaml": "title: t\nrows: [{name: a, config: small.yaml}]\n",
    "overlay.yaml": "config: {seed: 3}\n",
    "bases.yaml": "_base_: [smal.yaml, https://example.com/a.yaml, ~/a.yaml, ., small.yaml]\n",
    "comma.yaml": "_base_: small.yaml, other.yaml\n",
    "variable.yaml": "_base_: ${env:HOME}/a.yaml\n",
    "folder.yaml/a.txt": "",
    "laid_over.yaml": "optimizer: {lr: 0.1}\n",
  });
  files.write("wide.yaml", Buffer.from(small, "utf16le"));
  const reports = [];
  for (const name of ["study", "overlay", "bases", "comma", "variable", "folder", "wide"])
    reports.push(await files.report(files.load(`${name}.yaml`)));
  for (const overlay of ["small.yaml", "laid_over.yaml"])
    reports.push(await files.report(files.load("small.yaml", { overlays: [files.path(overlay)] })));
  reports.push(await files.report(files.study("small.yaml")));
  expect(reports.join("\n\n")).toMatchInlineSnapshot(`
    "SEGFUSE_CONFIG_DOCUMENT: the file is a study
      at: ROOT/study.yaml:1:1
      1 | title: t
        | ^
      expected: a config
      try: segfuse ablate ROOT/study.yaml

    SEGFUSE_CONFIG_DOCUMENT: the file is an overlay
      at: ROOT/overlay.yaml:1:1
      1 | config: {seed: 3}
        | ^
      expected: a config
      try: --overlay ROOT/overlay.yaml, beside a config or a study

    4 complaints

    SEGFUSE_CONFIG_FILE: a config file cannot be read
      at: ROOT/bases.yaml:1:10 (_base_)
      1 | _base_: [smal.yaml, https://example.com/a.yaml, ~/a.yaml, ., small.yaml]
        |          ^
      found: ROOT/smal.yaml: no such file
      did you mean: ROOT/small.yaml

    SEGFUSE_CONFIG_FILE: a config file cannot be read
      at: ROOT/bases.yaml:1:21 (_base_)
      1 | _base_: [smal.yaml, https://example.com/a.yaml, ~/a.yaml, ., small.yaml]
        |                     ^
      found: ROOT/https:/example.com/a.yaml: no such file
      try: a copy of the file: nothing is downloaded

    SEGFUSE_CONFIG_FILE: a config file cannot be read
      at: ROOT/bases.yaml:1:49 (_base_)
      1 | _base_: [smal.yaml, https://example.com/a.yaml, ~/a.yaml, ., small.yaml]
        |                                                 ^
      found: ROOT/~/a.yaml: no such file
      try: a path in full: ~ is not the home folder here

    SEGFUSE_CONFIG_FILE: a config file cannot be read
      at: ROOT/bases.yaml:1:59 (_base_)
      1 | _base_: [smal.yaml, https://example.com/a.yaml, ~/a.yaml, ., small.yaml]
        |                                                           ^
      found: ROOT: a folder

    SEGFUSE_CONFIG_FILE: a config file cannot be read
      at: ROOT/comma.yaml:1:9 (_base_)
      1 | _base_: small.yaml, other.yaml
        |         ^
      found: ROOT/small.yaml, other.yaml: no such file
      did you mean: ROOT/small.yaml
      try: a list: [small.yaml, other.yaml]

    SEGFUSE_CONFIG_FILE: a config file cannot be read
      at: ROOT/variable.yaml:1:9 (_base_)
      1 | _base_: \${env:HOME}/a.yaml
        |         ^
      found: ROOT/\${env:HOME}/a.yaml: no such file
      try: a path in full: variables count in values, not in _base_

    SEGFUSE_CONFIG_FILE: a config file cannot be read
      at: ROOT/folder.yaml
      found: a folder

    SEGFUSE_CONFIG_ENCODING: a config file is not in UTF-8
      at: ROOT/wide.yaml
      expected: text in UTF-8
      found: text in UTF-16

    SEGFUSE_CONFIG_DOCUMENT: the file is a config
      at: ROOT/small.yaml:2:1
      2 | model:
        | ^
      inherited: --overlay → ROOT/small.yaml
      expected: an overlay
      try: its keys under config:

    SEGFUSE_CONFIG_DOCUMENT: the file is a config
      at: ROOT/laid_over.yaml:1:1
      1 | optimizer: {lr: 0.1}
        | ^
      inherited: --overlay → ROOT/laid_over.yaml
      expected: an overlay
      try: its keys under config:

    SEGFUSE_CONFIG_DOCUMENT: the file is a config
      at: ROOT/small.yaml:2:1
      2 | model:
        | ^
      expected: a study
      try: segfuse train ROOT/small.yaml"
  `);
});

it("of variables, beside all other complaints", async () => {
  expect(
    await reports({
      "shell.yaml": `_base_: small.yaml
data: {dataset: {root: "\${HOME}/data"}, batch_size: many}
init_from: $HOME/weights.safetensors
`,
      "unset.yaml": `_base_: small.yaml
data: {dataset: {root: "\${env:NOT_THERE}"}, batch_size: "\${env:NOR_THIS}"}
seedd: 3
`,
      "rules.yaml": `_base_: small.yaml
data: {dataset: {root: "\${env:NOT_THERE}"}, crop_size: [16, 16]}
`,
    }),
  ).toMatchInlineSnapshot(`
    "3 complaints

    SEGFUSE_CONFIG_ENV_FORM: a reference to an environment variable is not well formed
      at: ROOT/shell.yaml:2:24 (data.dataset.root)
      2 | data: {dataset: {root: "\${HOME}/data"}, batch_size: many}
        |                        ^
      expected: \${env:NAME} or \${env:NAME:-default}
      found: "\${HOME}/data" (a string)

    SEGFUSE_CONFIG_TYPE: 'batch_size' has a value of the wrong type
      at: ROOT/shell.yaml:2:53 (data.batch_size)
      2 | data: {dataset: {root: "\${HOME}/data"}, batch_size: many}
        |                                                     ^
      expected: an integer ≥ 1 and ≤ 65536
      found: "many" (a string)

    SEGFUSE_CONFIG_ENV_FORM: a reference to an environment variable is not well formed
      at: ROOT/shell.yaml:3:12 (init_from)
      3 | init_from: $HOME/weights.safetensors
        |            ^
      expected: \${env:NAME} or \${env:NAME:-default}
      found: "$HOME/weights.safetensors" (a string)

    3 complaints

    SEGFUSE_CONFIG_ENV: the environment variable NOT_THERE is not set
      at: ROOT/unset.yaml:2:24 (data.dataset.root)
      2 | data: {dataset: {root: "\${env:NOT_THERE}"}, batch_size: "\${env:NOR_THIS}"}
        |                        ^
      found: "\${env:NOT_THERE}" (a string)
      try: export NOT_THERE=VALUE, or --set data.dataset.root=VALUE

    SEGFUSE_CONFIG_ENV: the environment variable NOR_THIS is not set
      at: ROOT/unset.yaml:2:57 (data.batch_size)
      2 | data: {dataset: {root: "\${env:NOT_THERE}"}, batch_size: "\${env:NOR_THIS}"}
        |                                                         ^
      found: "\${env:NOR_THIS}" (a string)
      try: export NOR_THIS=VALUE, or --set data.batch_size=VALUE

    SEGFUSE_CONFIG_UNKNOWN_KEY: the file has no key 'seedd'
      at: ROOT/unset.yaml:3:1 (seedd)
      3 | seedd: 3
        | ^
      did you mean: seed
      valid: name, seed, engine, plugins, init_from, init_key, allow_fresh, min_loaded, model, data, optimizer, schedule, evaluation, checkpoint, log, hooks

    2 complaints

    SEGFUSE_CONFIG_ENV: the environment variable NOT_THERE is not set
      at: ROOT/rules.yaml:2:24 (data.dataset.root)
      2 | data: {dataset: {root: "\${env:NOT_THERE}"}, crop_size: [16, 16]}
        |                        ^
      found: "\${env:NOT_THERE}" (a string)
      try: export NOT_THERE=VALUE, or --set data.dataset.root=VALUE

    SEGFUSE_CROP_SIZE: the crop is too small for the network
      at: ROOT/rules.yaml:2:56 (data.crop_size)
      2 | data: {dataset: {root: "\${env:NOT_THERE}"}, crop_size: [16, 16]}
        |                                                        ^
      expected: at least 48 a side: 6 cells of the deepest level at an output stride of 8
      found: [16,16]"
  `);
});

it("of plug-ins, each at the line that names it, beside all other complaints", async () => {
  const files = new Files({
    "small.yaml": small,
    "a.yaml": `_base_: small.yaml
plugins:
  - ./not_there.mjs
  - ./throws.mjs
  - no-such-package
  - ./folder
  - 3
model: {neck: {type: from_a_plugin}}
seed: -1
`,
    "throws.mjs": 'throw new Error("boom\\nin two lines");\n',
    "folder/index.mjs": "",
  });
  expect(await files.report(files.load("a.yaml", { set: ["sed=3", "a..b=3"] }))).toMatchInlineSnapshot(`
    "8 complaints

    SEGFUSE_CONFIG_SET: --set is not well formed
      at: --set a..b=3
      expected: a.b.0.c=VALUE
      found: a..b=3

    SEGFUSE_CONFIG_UNKNOWN_KEY: the file has no key 'sed'
      at: --set sed=3 (sed)
      did you mean: seed
      valid: name, seed, engine, plugins, init_from, init_key, allow_fresh, min_loaded, model, data, optimizer, schedule, evaluation, checkpoint, log, hooks

    SEGFUSE_PLUGIN_LOAD: the plug-in './not_there.mjs' is not there
      at: ROOT/a.yaml:3:5 (plugins.0)
      3 |   - ./not_there.mjs
        |     ^
      found: no file ROOT/not_there.mjs

    SEGFUSE_PLUGIN_LOAD: the plug-in 'throws.mjs' could not be loaded
      at: ROOT/a.yaml:4:5 (plugins.1)
      4 |   - ./throws.mjs
        |     ^
      found: ROOT/throws.mjs:1:7: Error: boom in two lines

    SEGFUSE_PLUGIN_LOAD: the plug-in package 'no-such-package' was not found
      at: ROOT/a.yaml:5:5 (plugins.2)
      5 |   - no-such-package
        |     ^
      expected: a package that is installed for ROOT, or a path that starts with ./
      found: no-such-package

    SEGFUSE_PLUGIN_LOAD: the plug-in './folder' is a folder
      at: ROOT/a.yaml:6:5 (plugins.3)
      6 |   - ./folder
        |     ^
      expected: a file, or a package's name
      found: ROOT/folder

    SEGFUSE_CONFIG_TYPE: 'plugins' has a value of the wrong type
      at: ROOT/a.yaml:7:5 (plugins.4)
      7 |   - 3
        |     ^
      expected: non-empty text
      found: 3

    SEGFUSE_CONFIG_RANGE: 'seed' is out of range
      at: ROOT/a.yaml:9:7 (seed)
      9 | seed: -1
        |       ^
      expected: an integer ≥ 0 and ≤ 9007199254740991
      found: -1"
  `);
});
