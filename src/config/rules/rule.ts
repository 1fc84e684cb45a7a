import type { ErrorCode } from "../../errors.ts";
import type { Registry } from "../../kinds.ts";
import type { Complaint } from "../complaint.ts";
import type { Config } from "../sections.ts";
import type { Path } from "../tree.ts";

/** What a rule says of a config: the place that is at fault, and in words what is right and what is there. */
export type Finding = Pick<Complaint, "message" | "expected" | "found" | "advice"> & { readonly path: Path };

/**
 * A check that needs more than one key, which no schema can make. Rules run on configs whose every part is
 * valid by itself; one file a rule, the list is index.ts. What concerns the options of one component alone stands
 * with that component (`rules` of its record).
 */
export interface Rule {
  readonly code: ErrorCode;
  check(config: Config, registry: Registry): Iterable<Finding>;
}
