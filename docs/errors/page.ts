/** `npm run docs`: writes docs/errors.md from src/errors.ts and the YAML files beside this one. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { load } from "js-yaml";
import { errorCodes, type ErrorCode } from "../../src/errors.ts";

/** What the page says of a code; the YAML files say what the fields are. */
export interface ErrorDoc {
  readonly means: string;
  readonly wrong: string;
  readonly right: string;
  readonly study?: boolean;
  readonly set?: readonly string[];
  readonly right_set?: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
  readonly latin1?: boolean;
}

export type ErrorDocs = Readonly<Partial<Record<ErrorCode, ErrorDoc>>>;

/** Where entries stand: those whose examples are whole files, and all others. */
export const sources = { config: "config.yaml", runs: "runs.yaml" } as const;

export function readDocs(name: keyof typeof sources): ErrorDocs {
  return load(readFileSync(new URL(sources[name], import.meta.url), "utf8")) as ErrorDocs;
}

/** The text of docs/errors.md. */
export function errorPage(): string {
  const config = readDocs("config");
  const docs = { ...readDocs("runs"), ...config };
  const codes = (Object.keys(errorCodes) as ErrorCode[]).sort();
  const small = readFileSync(new URL("small.yaml", import.meta.url), "utf8");
  const chapters = codes.map((code) => chapter(code, docs[code], code in config));
  return `${[intro(codes, small), ...chapters].join("\n\n")}\n`;
}

function intro(codes: readonly ErrorCode[], small: string): string {
  const lines = codes.map(
    (code) => `| [${code}](#${code.toLowerCase()}) | ${errorCodes[code].title} | ${errorCodes[code].exit} |`,
  );
  return [
    "<!-- Written by `npm run docs` from docs/errors/*.yaml and src/errors.ts: change those. -->",
    "# Error codes",
    "A message begins with one of these codes, then says where the mistake stands (file, line, column, the line itself and\nthe files that inherited it), what was expected and found, and what to try. A config's mistakes come all at once. Exit\ncodes: 2 for a wrong config or usage, 1 for a failure while running.",
    "Examples of configs inherit from this `small.yaml`, the shortest complete config:",
    block(small, "yaml"),
    ["| code | meaning | exit |", "|---|---|---|", ...lines].join("\n"),
  ].join("\n\n");
}

function chapter(code: ErrorCode, doc: ErrorDoc | undefined, isFile: boolean): string {
  if (doc === undefined) throw new Error(`docs/errors/*.yaml say nothing of ${code}`);
  const language = isFile || /^\w+: /.test(doc.wrong) ? "yaml" : "text";
  const example = (text: string, set: readonly string[] = []) =>
    block(
      [text.trimEnd(), ...set.map((pair) => `# segfuse config example.yaml --set ${pair}`)].join("\n"),
      language,
    );
  return [
    `## ${code}`,
    `${errorCodes[code].title[0]!.toUpperCase()}${errorCodes[code].title.slice(1)}. ${doc.means.trim()}`,
    "Wrong:",
    example(doc.wrong, doc.set),
    "Right:",
    example(doc.right, doc.right_set),
  ].join("\n\n");
}

function block(text: string, language: string): string {
  return `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(new URL("../errors.md", import.meta.url), errorPage());
}
