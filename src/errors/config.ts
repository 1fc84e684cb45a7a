import type { ErrorRecords } from "./record.ts";

/** Reading configs: files, YAML, inheritance, --set, and values that the schema refuses. */
export const configErrors = {
  SEGFUSE_CONFIG_FILE: {
    exit: 2,
    title: "a config file cannot be read",
    means: "A config, or a file that it names under `_base_`, is not there or cannot be read.",
    example: "config",
    wrong: "_base_: smal.yaml",
    right: "_base_: small.yaml",
  },
  SEGFUSE_CONFIG_ENCODING: {
    exit: 2,
    title: "a config file is not in UTF-8",
    means:
      "Config files are UTF-8. An editor that saved this one as Latin-1 or UTF-16 can save it again as UTF-8.",
    example: "config",
    latin1: true,
    wrong: "_base_: small.yaml # für später, saved as Latin-1",
    right: "_base_: small.yaml # für später, saved as UTF-8",
  },
  SEGFUSE_CONFIG_LIMIT: {
    exit: 2,
    title: "a config file is too large, too deep, or blown up by aliases",
    means:
      "A file may have 1,000,000 bytes, 20,000 values (what aliases stand for is counted), 100 aliases and 64 " +
      "levels. No config comes near; a few lines of aliases could otherwise fill the memory.",
    example: "config",
    wrong: [
      "_base_: small.yaml",
      "a: &a [1, 2, 3, 4, 5, 6, 7, 8, 9]",
      "b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]",
      "c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]",
      "d: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c]",
      "e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d]",
    ],
    right: ["_base_: small.yaml", "data: {crop_size: &size [128, 128]}", "evaluation: {window: *size}"],
  },
  SEGFUSE_CONFIG_SYNTAX: {
    exit: 2,
    title: "a config file is no YAML 1.2",
    means:
      "The file is no YAML 1.2. The place is where the parser gave up; the mistake is there or just before.",
    example: "config",
    wrong: ["_base_: small.yaml", "data: {crop_size: [96, 96}"],
    right: ["_base_: small.yaml", "data: {crop_size: [96, 96]}"],
  },
  SEGFUSE_CONFIG_DOCUMENT: {
    exit: 2,
    title: "a config file is not one map, or another kind of file",
    means:
      "A config file holds one document, and that is a map of KEY to VALUE. A study is no config, and an " +
      "overlay neither.",
    example: "config",
    wrong: ["- _base_: small.yaml", "- seed: 1"],
    right: ["_base_: small.yaml", "seed: 1"],
  },
  SEGFUSE_CONFIG_DUPLICATE_KEY: {
    exit: 2,
    title: "a key is written twice in one map",
    means: "A key stands twice in one map; which value counts would be a matter of luck.",
    example: "config",
    wrong: ["_base_: small.yaml", "model: {neck: {type: gff}}", "model: {in_channels: 3}"],
    right: ["_base_: small.yaml", "model:", "  neck: {type: gff}", "  in_channels: 3"],
  },
  SEGFUSE_CONFIG_FORBIDDEN_KEY: {
    exit: 2,
    title: "a key that no config can have",
    means:
      "`__proto__`, `constructor` and `prototype` could reach into the program and are refused everywhere; `<<` " +
      "is no part of YAML 1.2, where `_base_` does what it did; a list or a map cannot be a key.",
    example: "config",
    wrong: ["_base_: small.yaml", "defaults: &defaults {lr: 0.01}", "optimizer: {<<: *defaults}"],
    right: ["_base_: small.yaml", "optimizer: {lr: 0.01}"],
  },
  SEGFUSE_CONFIG_BASE: {
    exit: 2,
    title: "_base_ is no path and no list of paths",
    means: "`_base_` takes a path, or a list of paths, relative to the file it stands in.",
    example: "config",
    wrong: "_base_: {file: small.yaml}",
    right: "_base_: small.yaml",
  },
  SEGFUSE_CONFIG_CYCLE: {
    exit: 2,
    title: "files inherit from each other in a circle",
    means: "Files inherit from each other in a circle; the message shows it.",
    example: "config",
    files: { "other.yaml": "_base_: example.yaml" },
    wrong: "_base_: other.yaml",
    right: "_base_: small.yaml",
  },
  SEGFUSE_CONFIG_CONFLICT: {
    exit: 2,
    title: "two bases set the same key differently",
    means:
      "Two bases of one file set the same key to different values, and neither inherits from the other. Say in " +
      "the file itself which it is to be.",
    example: "config",
    files: { "fast.yaml": "optimizer: {lr: 0.1}", "slow.yaml": "optimizer: {lr: 0.001}" },
    wrong: "_base_: [small.yaml, fast.yaml, slow.yaml]",
    right: ["_base_: [small.yaml, fast.yaml, slow.yaml]", "optimizer: {lr: 0.001}"],
  },
  SEGFUSE_CONFIG_SET: {
    exit: 2,
    title: "--set is not KEY=VALUE, or its value is no YAML",
    means: "`--set` takes KEY=VALUE, the key with dots and the value in YAML.",
    example: "config",
    wrong: "_base_: small.yaml",
    set: ["optimizer.lr"],
    right: "_base_: small.yaml",
    rightSet: ["optimizer.lr=0.01"],
  },
  SEGFUSE_CONFIG_SET_PATH: {
    exit: 2,
    title: "--set names no place in the config",
    means:
      "The key of `--set` goes through a list without an index, or to an index that the list does not have.",
    example: "config",
    wrong: "_base_: small.yaml",
    set: ["data.train.transforms.9.type=resize"],
    right: "_base_: small.yaml",
    rightSet: ["data.train.transforms.0.range=[1, 2]"],
  },
  SEGFUSE_CONFIG_ENV: {
    exit: 2,
    title: "a config uses an environment variable that is not set",
    means:
      "The config takes a value from an environment variable that is not set or empty. Export it, give it a " +
      "default, or set the key. `segfuse config` shows such a config all the same.",
    example: "config",
    wrong: ["_base_: small.yaml", 'data: {dataset: {root: "${env:MY_DATA}"}}'],
    right: ["_base_: small.yaml", 'data: {dataset: {root: "${env:MY_DATA:-./data}"}}'],
  },
  SEGFUSE_CONFIG_ENV_FORM: {
    exit: 2,
    title: "a reference to an environment variable is not well formed",
    means:
      "A reference to a variable is written `${env:NAME}` or `${env:NAME:-default}`; the shell's `${NAME}` and " +
      "`$NAME/…` are taken for a slip.",
    example: "config",
    wrong: ["_base_: small.yaml", 'data: {dataset: {root: "${env:MY DATA}"}}'],
    right: ["_base_: small.yaml", 'data: {dataset: {root: "${env:MY_DATA:-./data}"}}'],
  },
  SEGFUSE_CONFIG_UNKNOWN_KEY: {
    exit: 2,
    title: "a key that the config does not have",
    means: "The config has no such key there. Keys are never ignored, so that a slip cannot go unnoticed.",
    example: "config",
    wrong: ["_base_: small.yaml", "optimizer: {learning_rate: 0.01}"],
    right: ["_base_: small.yaml", "optimizer: {lr: 0.01}"],
  },
  SEGFUSE_CONFIG_UNKNOWN_TYPE: {
    exit: 2,
    title: "a component type that is not registered",
    means:
      "No component of that kind has this type. `segfuse list` shows them all; plug-ins come under `plugins`.",
    example: "config",
    wrong: ["_base_: small.yaml", "model: {neck: {type: gaff}}"],
    right: ["_base_: small.yaml", "model: {neck: {type: gff}}"],
  },
  SEGFUSE_CONFIG_MISSING_KEY: {
    exit: 2,
    title: "a required key is missing",
    means: "A key without a default is missing, in this file and in what it inherits.",
    example: "config",
    wrong: ["_base_: small.yaml", "data: {dataset: {_delete_: true, type: folder, root: ./data}}"],
    right: [
      "_base_: small.yaml",
      "data: {dataset: {_delete_: true, type: folder, root: ./data, classes: [road, sky]}}",
    ],
  },
  SEGFUSE_CONFIG_TYPE: {
    exit: 2,
    title: "a value of the wrong type",
    means:
      "The value has another type than the key takes: a text for a number, a number for a list. `.nan` and " +
      "`.inf` are no numbers.",
    example: "config",
    wrong: ["_base_: small.yaml", "data: {crop_size: 96}"],
    right: ["_base_: small.yaml", "data: {crop_size: [96, 96]}"],
  },
  SEGFUSE_CONFIG_RANGE: {
    exit: 2,
    title: "a number out of its range",
    means: "The number is below the least or above the greatest that the key takes.",
    example: "config",
    wrong: ["_base_: small.yaml", "optimizer: {lr: 0}"],
    right: ["_base_: small.yaml", "optimizer: {lr: 0.01}"],
  },
  SEGFUSE_CONFIG_CHOICE: {
    exit: 2,
    title: "a value that is none of its choices",
    means: "The key takes one of a few values, which the message lists.",
    example: "config",
    wrong: ["_base_: small.yaml", "evaluation: {mode: sliding}"],
    right: ["_base_: small.yaml", "evaluation: {mode: slide}"],
  },
  SEGFUSE_CONFIG_LENGTH: {
    exit: 2,
    title: "a list or a text that is too short or too long",
    means: "The list has too few or too many entries, or the text too few or too many characters.",
    example: "config",
    wrong: ["_base_: small.yaml", "data: {crop_size: [96]}"],
    right: ["_base_: small.yaml", "data: {crop_size: [96, 96]}"],
  },
  SEGFUSE_CONFIG_PATTERN: {
    exit: 2,
    title: "a text that is not written as it must be",
    means:
      "The text has a form that the key does not take: names become names of folders, so that nothing in them " +
      "may lead elsewhere.",
    example: "config",
    wrong: ["_base_: small.yaml", "name: ../elsewhere"],
    right: ["_base_: small.yaml", "name: elsewhere"],
  },
  SEGFUSE_CONFIG_REPEATED: {
    exit: 2,
    title: "a list that names something twice",
    means: "The list names the same thing twice.",
    example: "config",
    wrong: ["_base_: small.yaml", "evaluation: {metrics: [mIoU, mIoU]}"],
    right: ["_base_: small.yaml", "evaluation: {metrics: [mIoU, mAcc]}"],
  },
  SEGFUSE_CONFIG_VALUE: {
    exit: 2,
    title: "a value that fits none of the forms it may have",
    means:
      "The value fits none of the forms that the key may have. Only options of plug-ins that take several forms " +
      "of one type end here; the message lists them.",
    example: "config",
    files: {
      "plugin.mjs": [
        'const number = (minimum, maximum) => ({ type: "integer", minimum, maximum });',
        "export default {",
        '  kind: "neck",',
        '  type: "levels",',
        '  description: "a neck that takes a number of 1 to 3 or of 7 to 9",',
        "  schema: {",
        '    type: "object",',
        '    properties: { levels: { anyOf: [number(1, 3), number(7, 9)], description: "how many" } },',
        "  },",
        "  create() {},",
        "};",
      ],
    },
    wrong: ["_base_: small.yaml", "plugins: [./plugin.mjs]", "model: {neck: {type: levels, levels: 5}}"],
    right: ["_base_: small.yaml", "plugins: [./plugin.mjs]", "model: {neck: {type: levels, levels: 3}}"],
  },
} as const satisfies ErrorRecords;
