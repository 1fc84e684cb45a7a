import { columns } from "./printable.ts";

/** How many columns a stream's lines may have: a terminal's; any number where it is none. */
export function lineWidth(stream: { readonly isTTY?: boolean; readonly columns?: number }): number {
  // A pseudo-terminal that nobody gave a size says 0.
  return stream.isTTY === true ? stream.columns || 80 : Infinity;
}

/**
 * Parts side by side in lines of at most `width` columns; a part is never broken, a longer one has a line of its own.
 *
 * @param separator between parts of one line
 */
export function wrapParts(parts: readonly string[], separator: string, width: number): string {
  let text = "";
  let used = 0;
  for (const [i, part] of parts.entries()) {
    const joined = used + columns(separator) + columns(part);
    if (i === 0 || joined > width) {
      text += i === 0 ? part : `\n${part}`;
      used = columns(part);
    } else {
      text += separator + part;
      used = joined;
    }
  }
  return text;
}

/** Prose in lines of at most `width` columns, broken between words. */
export function wrapText(text: string, width: number): string {
  return text
    .split("\n")
    .map((line) => wrapParts(line.split(" "), " ", width))
    .join("\n");
}

/** Text of at most `width` columns: the end of a longer one is left out, which `…` tells. */
export function cutText(text: string, width: number): string {
  if (columns(text) <= width) return text;
  let kept = "";
  for (const character of text) {
    if (columns(kept + character) > width - 1) break;
    kept += character;
  }
  return `${kept}…`;
}
