/** Another tool's names of weights against segfuse's. */
export interface NameMap {
  /**
   * Their name → ours.
   *
   * @returns null for a weight that is known and has no place here, undefined for a name that the map does not know
   */
  toOurs(name: string): string | null | undefined;
  /** Our name → theirs; null and undefined as in {@link toOurs}. */
  toTheirs(name: string): string | null | undefined;
}
