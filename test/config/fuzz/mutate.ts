import { dump, load } from "js-yaml";
import type { Random } from "../../../src/util/random.ts";

/** A file to start from. */
export interface Seed {
  readonly path: string;
  readonly text: string;
}

type Data = Record<string, unknown> | unknown[];
type Mutation = (random: Random, seed: Seed) => string | Buffer;

const pick = <T>(random: Random, items: readonly T[]): T => items[random.integer(items.length)]!;

const strangeKeys = [
  "",
  " ",
  "type",
  "_base_",
  "_delete_",
  "<<",
  "0",
  "a.b",
  "ключ",
  "\u202e",
  "k".repeat(9000),
];
const forbidden = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty"];

/** Values that a user, a generator or an enemy writes. */
const values: readonly ((random: Random) => unknown)[] = [
  (r) => pick(r, [0, -1, -0, 0.5, 1e9, 1e21, 1e308, 2 ** 53, 255, 256, NaN, Infinity, -Infinity]),
  (r) => r.integer(2000) - 100,
  (r) => r.between(-2, 2),
  (r) => pick(r, [true, false, null]),
  (r) =>
    pick(r, [
      "",
      " ",
      "null",
      "~",
      "1e5",
      "0x10",
      "yes",
      "mIoU",
      "none",
      "gff",
      "\u0007\u001b[31mred",
      "日本語",
      "👩‍👩‍👧",
    ]),
  (r) => pick(r, ["../../../etc/passwd", "/dev/zero", "/", ".", "C:\\x", "file:///etc/passwd", "a\0b"]),
  (r) => pick(r, ["${env:HOME}", "${env:NOPE}", "${env:X:-3}", "${env:", "${env:1}", "${env:A:-${env:B}}"]),
  (r) => "x".repeat(r.integer(50_000)),
  (r) => Array.from({ length: r.integer(300) }, (_, i) => i),
  () => [],
  () => ({}),
  (r) => ({ type: pick(r, ["gff", "fpn", "ppm", "dfp", "resnet", "sgd", "poly", "nothing", 3, null]) }),
  (r) => deep(r.integer(100)),
];

function deep(levels: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = i % 2 === 0 ? [value] : { a: value };
  return value;
}

/** Every place below a value: the map or list that holds it, and its key there. */
function places(data: unknown): [holder: Data, key: string | number][] {
  if (typeof data !== "object" || data === null) return [];
  const keys = Array.isArray(data) ? data.map((_, i) => i) : Object.keys(data);
  return keys.flatMap((key): [Data, string | number][] => [
    [data as Data, key],
    ...places((data as Record<string | number, unknown>)[key]),
  ]);
}

/** Changes the file's data at one place and writes it again. */
function changed(
  change: (random: Random, holder: Record<string | number, unknown>, key: string | number) => void,
): Mutation {
  return (random, { text }) => {
    const data = load(text) as Data;
    const all = places(data);
    const [holder, key] = pick(random, all);
    change(random, holder as Record<string | number, unknown>, key);
    return dump(data, {
      noRefs: true,
      lineWidth: pick(random, [-1, 40, 120]),
      flowLevel: pick(random, [-1, 1, 2]),
    });
  };
}

const slip = (random: Random, word: string) => {
  const at = random.integer(word.length + 1);
  const letter = pick(random, [..."abcxyz_.- 0"]);
  return pick(random, [
    word.slice(0, at) + letter + word.slice(at),
    word.slice(0, at) + word.slice(at + 1),
    word.toUpperCase(),
    word.replaceAll("_", "-"),
  ]);
};

const onData: Record<string, Mutation> = {
  value: changed((r, holder, key) => (holder[key] = pick(r, values)(r))),
  number: changed((r, holder, key) => {
    const value = holder[key];
    holder[key] =
      typeof value === "number"
        ? pick(r, [value + 1, value - 1, value * 2, value / 2, -value])
        : r.integer(9);
  }),
  wrap: changed(
    (r, holder, key) => (holder[key] = pick(r, [[holder[key]], { type: holder[key] }, { a: holder[key] }])),
  ),
  typo: changed((r, holder, key) => {
    if (typeof key === "number") holder[key] = typeof holder[key] === "string" ? slip(r, holder[key]) : null;
    else {
      const value = holder[key];
      delete holder[key];
      holder[slip(r, key)] = value;
    }
  }),
  word: changed((r, holder, key) => {
    const value = holder[key];
    holder[key] = typeof value === "string" ? slip(r, value) : (JSON.stringify(value) ?? "");
  }),
  remove: changed((_, holder, key) => {
    if (Array.isArray(holder)) holder.splice(Number(key), 1);
    else delete holder[key];
  }),
  repeat: changed((r, holder, key) => {
    if (Array.isArray(holder))
      holder.push(...Array.from({ length: 1 + r.integer(40) }, () => structuredClone(holder[key] as object)));
    else holder[`${key}_2`] = holder[key];
  }),
  insert: changed((r, holder) => {
    if (Array.isArray(holder)) holder.splice(r.integer(holder.length + 1), 0, pick(r, values)(r));
    else holder[pick(r, strangeKeys)] = pick(r, values)(r);
  }),
  // a valid change in most places: the config must then build
  option: (random, { text }) => {
    const data = load(text) as Record<string, unknown>;
    const model = (data["model"] ??= {}) as Record<string, unknown>;
    Object.assign(
      data,
      pick(random, [{ seed: random.integer(99) }, { log: { interval: 1 + random.integer(9) } }, {}]),
    );
    if (random.integer(2) === 0)
      model["neck"] = { type: pick(random, ["none", "concat", "addition", "fpn", "gated_fpn", "gff"]) };
    if (random.integer(2) === 0)
      model["head"] = {
        type: pick(random, ["ppm", "dfp"]),
        channels: 1 + random.integer(600),
        bins: Array.from({ length: random.integer(5) }, () => 1 + random.integer(9)),
      };
    if (random.integer(3) === 0)
      model["backbone"] = {
        type: "resnet",
        depth: pick(random, [18, 34, 50, 101, 152]),
        output_stride: pick(random, [8, 16, 32]),
        base_channels: pick(random, [2, 4, 16, 63, 64, 8192]),
      };
    if (random.integer(3) === 0)
      model["auxiliary_head"] = {
        type: "fcn",
        level: 1 + random.integer(5),
        channels: 1 + random.integer(70),
      };
    return dump(data);
  },
};

/** At a random place of the text. */
const within =
  (insert: (random: Random) => string): Mutation =>
  (random, { text }) => {
    const at = random.integer(text.length + 1);
    return text.slice(0, at) + insert(random) + text.slice(at);
  };

const atEnd =
  (append: (random: Random) => string): Mutation =>
  (random, { text }) =>
    `${text}\n${append(random)}\n`;

const onText: Record<string, Mutation> = {
  characters: within((r) =>
    pick(r, [
      ":",
      "- ",
      "{",
      "}",
      "[",
      "]",
      "&a ",
      "*a ",
      "!!js/function ",
      "|",
      ">",
      "#",
      "\t",
      "%",
      "@",
      "'",
      '"',
      "\u0000",
      "\u{1f600}",
      "\ud800",
      "\u2028",
      "? ",
      "!!binary ",
      "!!set ",
    ]),
  ),
  cut: (random, { text }) => text.slice(0, random.integer(text.length)),
  lines: (random, { text }) => {
    const lines = text.split("\n");
    const [i, j] = [random.integer(lines.length), random.integer(lines.length)];
    if (random.integer(2) === 0) [lines[i], lines[j]] = [lines[j]!, lines[i]!];
    else lines.splice(i, 1, ...pick(random, [[], [lines[i]!, lines[i]!], [` ${lines[i]!}`]]));
    return lines.join("\n");
  },
  line_ends: (_, { text }) => text.replaceAll("\n", "\r\n"),
  byte_order_mark: (_, { text }) => `\ufeff${text}`,
  comments: (r, { text }) => `# ${"c".repeat(r.integer(5000))}\n${text}`,
  key_twice: (random, { text }) => {
    const keys = [...text.matchAll(/^(\w+):/gm)].map((match) => match[1]!);
    return `${text}\n${keys.length === 0 ? "a: 1\na" : pick(random, keys)}: {}\n`;
  },
  forbidden: atEnd((r) => `${pick(r, forbidden)}: {polluted: true, nested: {${pick(r, forbidden)}: 1}}`),
  forbidden_within: within((r) => ` ${pick(r, forbidden)}: 1, `),
  aliases: atEnd((r) => `x_a: &a [1]\nx_b: [${"*a, ".repeat(r.integer(200))}]`),
  recursive_alias: atEnd(() => "x_a: &a [*a]"),
  anchor_bomb: atEnd((r) =>
    [
      "x_0: &x0 [1, 1, 1, 1, 1, 1, 1, 1, 1]",
      ...Array.from(
        { length: 2 + r.integer(9) },
        (_, i) => `x_${i + 1}: &x${i + 1} [${Array(9).fill(`*x${i}`).join(", ")}]`,
      ),
    ].join("\n"),
  ),
  merge_key: atEnd(() => "x_m: &m {seed: 1}\nx_n: {<<: *m}"),
  documents: atEnd(() => "---\nseed: 1"),
  tag: atEnd(
    (r) =>
      `x: ${pick(r, ["!!js/function 'x'", "!!python/object:os.system x", "!!binary aGk=", "!foo bar", "!!timestamp 2001-01-01", "!!float 1", "!<x> y"])}`,
  ),
  nesting: atEnd((r) => `x: ${"[".repeat(r.integer(20_000))}`),
  nested_maps: atEnd((r) => `x: ${"{a: ".repeat(r.integer(3000))}`),
  many_values: atEnd((r) => `x: [${"1,".repeat(r.integer(60_000))}1]`),
  many_keys: atEnd((r) => Array.from({ length: r.integer(3000) }, (_, i) => `k${i}: ${i}`).join("\n")),
  env: atEnd((r) => `x: "${"${env:A:-".repeat(r.integer(20_000))}"`),
};

const wholeFiles: Record<string, Mutation> = {
  own_base: (_, { path, text }) =>
    `_base_: ${mutantName(path)}\n${text.replace(/^_base_:[^\n]*(\n +- .*)*/m, "")}`,
  base: (r, { text }) =>
    `_base_: ${pick(r, ["nowhere.yaml", "..", "/dev/zero", "[]", "{}", "3", "[[a]]", '""', "null", '"\\0"', "x".repeat(5000)])}\n${text.replace(/^_base_:[^\n]*(\n +- .*)*/m, "")}`,
  too_large: (r, { text }) => `${text}\n# ${"x".repeat(990_000 + r.integer(40_000))}`,
  long_key: (r, { text }) => `${text}\n${"k".repeat(r.integer(900_000))}: 1`,
  binary: (r) => Buffer.from(Array.from({ length: 1 + r.integer(3000) }, () => r.integer(256))),
  utf16: (_, { text }) => Buffer.from(`\ufeff${text}`, "utf16le"),
  latin1: (_, { text }) => Buffer.concat([Buffer.from(text), Buffer.from([0x23, 0xe9, 0xfc, 0x0a])]),
  scalar: (r) => pick(r, ["", "~", "3", "text", "[]", "- 1", "{}", "---", "...", "# nothing"]),
};

/** The name beside the seed that a mutant is written under. */
export function mutantName(path: string): string {
  return path
    .replace(/([^/]+)$/, "mutant_$1")
    .split("/")
    .at(-1)!;
}

const groups = [
  { weight: 62, mutations: onData },
  { weight: 30, mutations: onText },
  { weight: 8, mutations: wholeFiles },
];

/** A mutant of a seed; which mutation and where follow from `random`. */
export function mutate(random: Random, seed: Seed): { name: string; bytes: Buffer } {
  let ticket = random.integer(100);
  const { mutations } = groups.find(({ weight }) => (ticket -= weight) < 0)!;
  const name = pick(random, Object.keys(mutations));
  const made = mutations[name]!(random, seed);
  return { name, bytes: typeof made === "string" ? Buffer.from(made) : made };
}
