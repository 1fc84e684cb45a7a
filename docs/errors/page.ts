/** `npm run docs`: writes docs/errors.md from the records of src/errors. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { textOf, type ErrorRecord } from "../../src/errors/record.ts";
import { errorCodes, type ErrorCode } from "../../src/errors.ts";

const records: Readonly<Record<ErrorCode, ErrorRecord>> = errorCodes;

/** The text of docs/errors.md. */
export function errorPage(): string {
  const codes = (Object.keys(records) as ErrorCode[]).sort();
  const small = readFileSync(new URL("small.yaml", import.meta.url), "utf8");
  const chapters = codes.map((code) => chapter(code, records[code]));
  return `${[intro(codes, small), ...chapters].join("\n\n")}\n`;
}

function intro(codes: readonly ErrorCode[], small: string): string {
  const lines = codes.map(
    (code) => `| [${code}](#${code.toLowerCase()}) | ${records[code].title} | ${records[code].exit} |`,
  );
  return [
    "<!-- Written by `npm run docs` from the records of src/errors: change those. -->",
    "# Error codes",
    "A message begins with one of these codes, then says where the mistake stands (file, line, column, the line itself and\nthe files that inherited it), what was expected and found, and what to try. A config's mistakes come all at once. Exit\ncodes: 2 for a wrong config or usage, 1 for a failure while running.",
    "Examples of configs inherit from this `small.yaml`, the shortest complete config:",
    block(small, "yaml"),
    ["| code | meaning | exit |", "|---|---|---|", ...lines].join("\n"),
  ].join("\n\n");
}

function chapter(code: ErrorCode, record: ErrorRecord): string {
  const [title, wrong, right] = [record.title, textOf(record.wrong), textOf(record.right)];
  const isFile = record.example !== "text";
  const language = isFile || /^\w+: /.test(wrong) ? "yaml" : "text";
  const example = (text: string, set: readonly string[] = []) =>
    block([text, ...set.map((pair) => `# segfuse config example.yaml --set ${pair}`)].join("\n"), language);
  return [
    `## ${code}`,
    `${title[0]!.toUpperCase()}${title.slice(1)}. ${record.means}`,
    "Wrong:",
    example(wrong, isFile ? record.set : []),
    "Right:",
    example(right, isFile ? record.rightSet : []),
  ].join("\n\n");
}

function block(text: string, language: string): string {
  return `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(new URL("../errors.md", import.meta.url), errorPage());
}
