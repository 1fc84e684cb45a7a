import { closest, distance } from "fastest-levenshtein";

/** No slip of the fingers is longer, and long names are slow to compare. */
const longest = 200;

/**
 * The valid name that a user may have meant, where one is near enough to be worth saying: by its letters, else by its
 * words, so that other projects' names lead to ours (`decode_head` to head, `max_iters` to iterations).
 */
export function nearestName(name: string, valid: readonly string[]): { nearest?: string } {
  if (valid.length === 0 || name.length > longest) return {};
  const nearest = closest(name, valid);
  const edits = distance(name, nearest);
  if (edits <= 2 && isNear(name, nearest, edits)) return { nearest };
  const byWords = nearestByWords(name, valid);
  if (byWords !== null) return { nearest: byWords };
  return isNear(name, nearest, edits) ? { nearest } : {};
}

/** The file that may have been meant; a common ending says nothing. */
export function nearestFile(name: string, files: readonly string[]): { nearest?: string } {
  const stem = (file: string) => file.replace(/\.ya?ml$/, "");
  const others = files.filter((file) => /\.ya?ml$/.test(file) && file !== name);
  const { nearest } = nearestName(stem(name), others.map(stem));
  const found = others.find((file) => stem(file) === nearest);
  return found === undefined ? {} : { nearest: found };
}

function isNear(name: string, nearest: string, edits: number): boolean {
  return edits <= Math.ceil(nearest.length / 2) && edits < Math.max(name.length, nearest.length);
}

/** The name with the largest share of words in common; null where no word is, or two names have the same share. */
function nearestByWords(name: string, valid: readonly string[]): string | null {
  const words = wordsOf(name);
  const shares = valid.map((candidate) => {
    const others = wordsOf(candidate);
    const common = others.filter((other) => words.some((word) => isSameWord(word, other))).length;
    const initials = words.length > 1 && words.map((word) => word[0]).join("") === candidate;
    // `head` for decode_head, not auxiliary_head: of two names, the one without other words
    return initials ? 2 : common / Math.max(words.length, others.length) + common / others.length;
  });
  const best = Math.max(...shares);
  const found = valid.filter((_, i) => shares[i] === best);
  return best > 0 && found.length === 1 ? found[0]! : null;
}

/** `auxiliary_head`, `EMAHook`: [auxiliary, head], [ema, hook]. */
function wordsOf(name: string): string[] {
  return name
    .replaceAll(/([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])/g, "$1$3_$2$4")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word.length > 1);
}

/** The same word, or one cut short: `iters` and iterations, `prob` and probability. */
function isSameWord(a: string, b: string): boolean {
  const least = Math.min(a.length, b.length);
  if (a === b) return true;
  const stem = a.slice(0, 4);
  return least >= 4 && b.startsWith(stem);
}
