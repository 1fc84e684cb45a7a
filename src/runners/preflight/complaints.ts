import { SegfuseError, type ErrorCode } from "../../errors.ts";

/** How many complaints with one code are shown; a data set may be wrong in every file. */
const shown = 5;

/** Everything that keeps a run from working, at once. Its code is the first complaint's; exit status 1. */
export class PreflightError extends SegfuseError {
  constructor(readonly complaints: readonly [SegfuseError, ...SegfuseError[]]) {
    const [first] = complaints;
    const more = complaints.length === 1 ? "" : ` (and ${complaints.length - 1} more)`;
    super(first.code, `${first.message}${more}`, first.details);
  }

  override report(): string {
    const { complaints } = this;
    if (complaints.length === 1) return complaints[0].report();
    const counts = new Map<ErrorCode, number>();
    const texts: string[] = [];
    for (const complaint of complaints) {
      const count = (counts.get(complaint.code) ?? 0) + 1;
      counts.set(complaint.code, count);
      if (count <= shown) texts.push(complaint.report());
    }
    for (const [code, count] of counts) {
      if (count > shown) texts.push(`${code}: and ${count - shown} more`);
    }
    return [`${complaints.length} complaints`, ...texts].join("\n\n");
  }
}

/** @throws PreflightError where there is a complaint */
export function throwAll(complaints: readonly SegfuseError[]): void {
  const [first, ...more] = complaints;
  if (first !== undefined) throw new PreflightError([first, ...more]);
}

/** What `check` gives; null where it throws a SegfuseError, which is added to the complaints. */
export async function collect<T>(complaints: SegfuseError[], check: () => T | Promise<T>): Promise<T | null> {
  try {
    return await check();
  } catch (error) {
    if (!(error instanceof SegfuseError)) throw error;
    complaints.push(error);
    return null;
  }
}
