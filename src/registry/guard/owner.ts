import { inPart } from "../../engine/operation_error.ts";
import { SegfuseError } from "../../errors.ts";
import { RunStopped } from "../../util/interruption.ts";
import { oneLine } from "../../util/printable.ts";
import { placeIn } from "../../util/place_in.ts";
import { show } from "../../util/show.ts";

/** What a component should have done, and what it did. */
export interface Fault {
  readonly expected: string;
  readonly found: string;
}

/** Whose component it is, for messages. */
export class Owner {
  constructor(
    readonly kind: string,
    readonly type: string,
    /** The plug-in's file; null: segfuse's own. */
    readonly source: string | null,
  ) {}

  /**
   * What an error out of a plug-in's own code is told as. Errors of segfuse's own kind pass: they say what is wrong;
   * and so does a run that was told to stop. An operation that TensorFlow refused learns whose it was.
   */
  failure(call: string, cause: unknown): unknown {
    const place = this.source === null ? undefined : placeIn(this.source, cause);
    if (cause instanceof SegfuseError || cause instanceof RunStopped)
      return inPart(cause, `${place}, in ${call} of ${this.name}`);
    const text = cause instanceof Error ? `${cause.name}: ${cause.message}` : show(cause);
    return new SegfuseError("SEGFUSE_PLUGIN_FAILED", `${this.name} failed`, {
      where: place,
      found: `${oneLine(text.trim().replaceAll(/\s*\n\s*/g, " "), 400)}, in ${call}`,
      advice: "--debug shows how it came there",
      cause,
    });
  }

  /** What a result is told as that is not what the component's kind promises. */
  broken(call: string, { expected, found }: Fault): SegfuseError {
    if (this.source === null)
      return new SegfuseError("SEGFUSE_INTERNAL", `${this.name} breaks the contract of its kind`, {
        expected,
        found: `${found}, from ${call}`,
        advice: "please report it with the config",
      });
    return new SegfuseError("SEGFUSE_PLUGIN_CONTRACT", `${this.name} breaks the contract of its kind`, {
      where: this.source,
      expected,
      found: `${found}, from ${call}`,
    });
  }

  private get words(): string {
    return this.kind.replaceAll("_", " ");
  }

  private get name(): string {
    return `the ${this.words} '${this.type}'${this.source === null ? "" : " of a plug-in"}`;
  }
}

/** A call in words: a number says which one, and so does a sample's name. */
export function describeCall(name: string, [first]: readonly unknown[]): string {
  if (typeof first === "number") return `${name}(${first})`;
  const { id, source } = (first ?? {}) as { id?: unknown; source?: { id?: unknown } };
  const sample = id ?? source?.id;
  return typeof sample === "string" ? `${name}() of sample ${sample}` : `${name}()`;
}
