/** What js-yaml's reason comes from, as far as the text shows it. */
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
export function explainSyntax(reason: string, text: string, position: number): SyntaxHint {
  return (
    openedBefore(text, position) ??
    tightColon(reason, text, position) ??
    unquoted(reason, text, position) ??
    (reason.includes("tab characters") ? { advice: "spaces" } : {})
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

/** `seed:3` is one word in YAML. */
function tightColon(reason: string, text: string, position: number): SyntaxHint | null {
  if (!/implicit|colon is missed/.test(reason)) return null;
  const lines = text.slice(0, position).split("\n");
  for (let i = lines.length - 1, end = position; i >= 0; end -= lines[i]!.length + 1, i--) {
    const [, before, key, value] = /^(\s*(?:- )?)([\w.-]+):([^\s:].*)$/.exec(lines[i]!.trimEnd()) ?? [];
    if (key !== undefined) {
      const at = end - lines[i]!.length + before!.length;
      return { at, message: "a colon without a space behind it", advice: `${key}: ${value}` };
    }
    if (lines[i]!.trim() !== "") return null;
  }
  return null;
}

/** A text that must stand in quotes: with a colon in it, or with a sign of YAML's own in front. */
function unquoted(reason: string, text: string, position: number): SyntaxHint | null {
  if (!/bad indentation of a mapping entry|character/.test(reason)) return null;
  const start = text.lastIndexOf("\n", position - 1) + 1;
  const end = text.indexOf("\n", position);
  const line = text.slice(start, end < 0 ? undefined : end).trimEnd();
  const value = /^\s*(?:- )?[\w.-]+:\s+([^"'[{#|>\s].*)$/.exec(line)?.[1];
  if (value === undefined || value.includes('"')) return null;
  const isOwnSign = /^[%@`&*!]/.test(value);
  if (!isOwnSign && !/:(\s|$)/.test(value)) return null;
  const message = isOwnSign
    ? `a text that begins with ${value[0]} needs quotes`
    : "a text with a colon in it needs quotes";
  return { at: start + line.length - value.length, message, advice: `"${value}"` };
}
