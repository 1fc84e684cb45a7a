import type { NameMap } from "./contracts.ts";

/** `#` stands for a number, `*` for any characters; the nth of them on one side is the nth on the other. */
export interface NameRules {
  readonly pairs: readonly { readonly theirs: string; readonly ours: string }[];
  /** Patterns of their names that have no place here. */
  readonly onlyTheirs?: readonly string[];
  /** Patterns of our names that have no place there. */
  readonly onlyOurs?: readonly string[];
}

/** A map from rules that hold in both directions; names without a place are looked for first. */
export function mapOfRules({ pairs, onlyTheirs = [], onlyOurs = [] }: NameRules): NameMap {
  const forth = pairs.map(({ theirs, ours }) => rewriter(theirs, ours));
  const back = pairs.map(({ theirs, ours }) => rewriter(ours, theirs));
  const noPlaceHere = onlyTheirs.map(expression);
  const noPlaceThere = onlyOurs.map(expression);
  return {
    toOurs: (name) => (noPlaceHere.some((known) => known.test(name)) ? null : first(forth, name)),
    toTheirs: (name) => (noPlaceThere.some((known) => known.test(name)) ? null : first(back, name)),
  };
}

type Rewriter = (name: string) => string | undefined;

function first(rewriters: readonly Rewriter[], name: string): string | undefined {
  for (const rewrite of rewriters) {
    const result = rewrite(name);
    if (result !== undefined) return result;
  }
  return undefined;
}

function rewriter(from: string, to: string): Rewriter {
  const source = expression(from);
  return (name) => {
    const parts = source.exec(name);
    let next = 1;
    return parts === null ? undefined : to.replace(/[#*]/g, () => parts[next++]!);
  };
}

function expression(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+?^${}()|[\]\\]/g, "\\$&")
    .replaceAll("#", "(\\d+)")
    .replaceAll("*", "(.+)");
  return new RegExp(`^${source}$`);
}
