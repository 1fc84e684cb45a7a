/** What an error says, without its name and stack. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
