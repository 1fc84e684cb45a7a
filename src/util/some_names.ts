/** How many names are told of a list that may be long. */
const shown = 5;

/** `sky, road, car, tree, pole and 105 more`: a list that fits a line, whatever its length. */
export function someNames(names: readonly string[]): string {
  const more = names.length - shown;
  // Of one name more than fits, the name is no longer than "and 1 more".
  if (more <= 1) return names.join(", ");
  return `${names.slice(0, shown).join(", ")} and ${more} more`;
}
