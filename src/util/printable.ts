/** Characters that a terminal would obey or hide: controls, and those that turn the direction of text. */
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/gu;

/** Text for a terminal in which nothing steers the terminal; line ends and tabs stay. */
export function printable(text: string): string {
  return text.replaceAll(unprintable, (c) => (c === "\n" || c === "\t" ? c : escaped(c)));
}

/** As {@link printable}, on one line and no longer than `length`. */
export function oneLine(text: string, length = Infinity): string {
  const cut = text.length <= length ? text : `${text.slice(0, length - 1)}…`;
  return cut.replaceAll(unprintable, escaped);
}

function escaped(character: string): string {
  const short = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }[character];
  const code = character.codePointAt(0)!.toString(16);
  return short ?? (code.length <= 2 ? `\\x${code.padStart(2, "0")}` : `\\u${code.padStart(4, "0")}`);
}

/** How many columns of a terminal a text takes: wide characters two, combining ones none. */
export function columns(text: string): number {
  let width = 0;
  for (const character of text) {
    if (/\p{Mn}|\p{Me}|\p{Cf}/u.test(character)) continue;
    width += wide.test(character) ? 2 : 1;
  }
  return width;
}

const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;
