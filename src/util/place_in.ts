/** The innermost line of a file that an error went through: `PATH:LINE:COLUMN`; the path alone where none is known. */
export function placeIn(path: string, error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  for (const line of stack.split("\n")) {
    const at = line.indexOf(path);
    const position = at < 0 ? null : /^:\d+(:\d+)?/.exec(line.slice(at + path.length));
    if (position !== null) return path + position[0];
  }
  return path;
}
