import type { Check } from "./contract.ts";
import { describeCall, type Owner } from "./owner.ts";

/** What a part of a network has promised of its `forward`. */
interface Promised {
  readonly owner: Owner;
  readonly check: Check;
  /** What the part was made with. */
  readonly made: readonly unknown[];
}

const promised = Symbol("segfuse.promised");

/** Notes what a part has promised, out of sight. */
export function notePromise(part: object, promise: Promised): void {
  Object.defineProperty(part, promised, { value: promise, configurable: true });
}

/** More kinds of passes than these (images of as many sizes) are not remembered. */
const mostPasses = 256;

/**
 * Looks at what a network's parts give, at the first pass of each kind: each engine, mode and image size. In all other
 * passes the parts are called as they are.
 */
export class Inspection {
  /** The parts that were right, by pass. */
  private readonly passes = new Map<string, Set<object>>();
  private right = new Set<object>();

  /** @param pass all that a part's shapes may depend on */
  begin(pass: string): void {
    let right = this.passes.get(pass);
    if (right === undefined) {
      if (this.passes.size === mostPasses) this.passes.clear();
      this.passes.set(pass, (right = new Set()));
    }
    this.right = right;
  }

  /**
   * A part for this pass: itself, or something in its place that checks what its `forward` gives.
   *
   * @throws SegfuseError (in `forward`) `SEGFUSE_PLUGIN_CONTRACT`; `SEGFUSE_INTERNAL` of segfuse's own
   */
  of<T extends object>(part: T): T {
    if (this.right.has(part)) return part;
    const promise = (part as { readonly [promised]?: Promised })[promised];
    return promise === undefined ? part : this.checked(part, promise);
  }

  private checked<T extends object>(part: T, { owner, check, made }: Promised): T {
    const { right } = this;
    const value = (...args: unknown[]) => {
      const result = (part as { forward: (...args: unknown[]) => unknown }).forward(...args);
      const fault = check(result, { self: part, args, made });
      if (fault !== null) throw owner.broken(describeCall("forward", args), fault);
      right.add(part);
      return result;
    };
    return Object.create(part, { forward: { value } }) as T;
  }
}
