/** What stopped the parser, as far as the text shows it. */
export interface SyntaxHint {
  /** A better place than the one where the parser gave up. */
  at?: number;
  message?: string;
  advice?: string;
}

/**
 * Explains a syntax error by the slips that are common in configs: a quote or bracket that is not closed, a key without
 * a space behind its colon, a text that YAML takes for something else.
 *
 * @param position where js-yaml gave up
 */
export function explainSyntax(text: string, position: number): SyntaxHint {
  return (
    openedBefore(text, position) ??
    tightColon(text, position) ??
    unquoted(text, position) ??
    (/^ *\t/.test(lineAt(text, position).line) ? { advice: "spaces" } : {})
  );
}

const openers = new Map([
  ["]", "["],
  ["}", "{"],
]);

/** A quote or bracket that is still open where the next key begins, or the text ends. */
function openedBefore(text: string, position: number): SyntaxHint | null {
  if (/[|>][+\-\d]*[ \t]*(#.*)?\r?\n/.test(text)) return null; // a block of text may hold any sign
  const open: { sign: string; at: number }[] = [];
  for (let i = 0; i < Math.min(position, text.length); i++) {
    const sign = text[i]!;
    const quote = open.at(-1)?.sign;
    if (quote === '"' || quote === "'") {
      if (sign === "\\" && quote === '"') i++;
      else if (sign === "'" && quote === "'" && text[i + 1] === "'") i++;
      else if (sign === quote) open.pop();
    } else if (sign === "#" && /(^|\s)$/.test(text.slice(Math.max(0, i - 1), i))) {
      const end = text.indexOf("\n", i);
      if (end < 0) break;
      i = end;
    } else if (`"'[{`.includes(sign) && (startsValue(text, i) || ("[{".includes(sign) && open.length > 0))) {
      open.push({ sign, at: i });
    } else if (openers.get(sign) === quote && quote !== undefined) open.pop();
  }
  const last = open.at(-1);
  // What the parser stumbles over in the line of the opening sign is another mistake.
  const isLater = last !== undefined && /\n/.test(text.slice(last.at, position));
  return isLater ? { at: last.at, message: `the ${last.sign} is not closed` } : null;
}

/** Whether a value may begin at a place: behind a key, a dash, a bracket or a comma. */
function startsValue(text: string, position: number): boolean {
  const line = text.slice(Math.max(text.lastIndexOf("\n", position - 1) + 1, position - 200), position);
  return /(^|[:\-?]\s+|[[{,]\s*)$/.test(line) || /^\s*$/.test(line);
}

/** `seed:3` is one word in YAML; the parser stumbles in its line or over the next one. */
function tightColon(text: string, position: number): SyntaxHint | null {
  const { start, line } = lineAt(text, position);
  const isInside = text.slice(start, position).trim() !== "";
  const read = text.slice(0, isInside ? start + line.length : position).trimEnd();
  const at = read.lastIndexOf("\n") + 1;
  const [, indent, key, value] = /^(\s*(?:- )?)([\w.-]+):([^\s:].*)$/.exec(read.slice(at)) ?? [];
  if (key === undefined) return null;
  const message = "a colon without a space behind it";
  return { at: at + indent!.length, message, advice: `${key}: ${value}` };
}

/** A text that must stand in quotes: with a colon in it, or with a sign of YAML's own in front. */
function unquoted(text: string, position: number): SyntaxHint | null {
  const { start, line } = lineAt(text, position);
  const value = /^\s*(?:- )?[\w.-]+:\s+([^"'[{#|>\s].*)$/.exec(line)?.[1];
  if (value === undefined || value.includes('"')) return null;
  const isOwnSign = /^[%@`&*!]/.test(value);
  if (!isOwnSign && !/:(\s|$)/.test(value)) return null;
  const message = isOwnSign
    ? `a text that begins with ${value[0]} needs quotes`
    : "a text with a colon in it needs quotes";
  return { at: start + line.length - value.length, message, advice: `"${value}"` };
}

/** The line that a place is in, without the white space at its end. */
function lineAt(text: string, position: number): { start: number; line: string } {
  const start = text.lastIndexOf("\n", position - 1) + 1;
  const end = text.indexOf("\n", position);
  return { start, line: text.slice(start, end < 0 ? undefined : end).trimEnd() };
}
