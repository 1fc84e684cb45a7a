/** All that there is to say of an error code. `npm run docs` writes docs/errors.md from these. */
export type ErrorRecord = ErrorTexts & (LoadedExample | ShownExample);

/** The records of a part of segfuse, by their codes. */
export type ErrorRecords = Readonly<Record<`SEGFUSE_${string}`, ErrorRecord>>;

/** One line, or the lines of a text. */
export type Lines = string | readonly string[];

interface ErrorTexts {
  /** What the command line ends with: 2 for a wrong config or usage, 1 for a failure while running. */
  readonly exit: 1 | 2;
  /** What went wrong, in half a sentence. */
  readonly title: string;
  /** What it comes from, and what to do about it. */
  readonly means: string;
  /** What ends with the code. */
  readonly wrong: Lines;
  /** The same mended. */
  readonly right: Lines;
}

/**
 * Examples that are whole files: test/errors/docs.test.ts loads them beside docs/errors/small.yaml, the shortest
 * complete config.
 */
interface LoadedExample {
  readonly example: "config" | "study";
  /** `--set` of the command that loads `wrong`. */
  readonly set?: readonly string[];
  /** And of the one that loads `right`. */
  readonly rightSet?: readonly string[];
  /** Further files, by their names. */
  readonly files?: Readonly<Record<string, Lines>>;
  /** `wrong` is written in Latin-1. */
  readonly latin1?: true;
}

/** Examples of what a user does: a part of a config, a command, or a sentence. */
interface ShownExample {
  readonly example: "text";
}

/** The text of lines. */
export function textOf(lines: Lines): string {
  return typeof lines === "string" ? lines : lines.join("\n");
}
