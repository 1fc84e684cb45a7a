/** The first items of a list, and how many there are: `a, b, … (12 in all)`. */
export function shortList(items: readonly string[], most = 6, separator = ", "): string {
  const shown = items.slice(0, most).join(separator);
  return items.length > most ? `${shown}${separator}… (${items.length} in all)` : shown;
}
