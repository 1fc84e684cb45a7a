import type { Complaint } from "./complaint.ts";
import { displayPath } from "./origin.ts";
import { child, type MapNode } from "./tree.ts";

type DocumentKind = "config" | "study" | "overlay";

/** What to do with a file of each kind. */
const uses: Record<DocumentKind, (file: string) => string> = {
  config: (file) => `segfuse train ${file}`,
  study: (file) => `segfuse ablate ${file}`,
  overlay: (file) => `--overlay ${file}, beside a config or a study`,
};

/** The one complaint about a file of another kind than was asked for; null where it may be of that kind. */
export function wrongDocument(tree: MapNode, wanted: DocumentKind, file: string): Complaint | null {
  const kind = kindOf(tree);
  if (kind === null || kind === wanted) return null;
  const noun = (name: DocumentKind) => `${name === "overlay" ? "an" : "a"} ${name}`;
  return {
    code: "SEGFUSE_CONFIG_DOCUMENT",
    message: `the file is ${noun(kind)}`,
    origin: tree.origin,
    path: [],
    expected: noun(wanted),
    advice:
      kind === "config" && wanted === "overlay" ? "its keys under config:" : uses[kind](displayPath(file)),
  };
}

/** Keys that only configs have. */
const sections = [
  "model",
  "data",
  "optimizer",
  "schedule",
  "evaluation",
  "checkpoint",
  "hooks",
  "plugins",
  "engine",
];

/** The kind that a file's keys are of; null where they leave a doubt. */
function kindOf(tree: MapNode): DocumentKind | null {
  const has = (key: string) => child(tree, key) !== undefined;
  const isConfig = sections.some(has);
  const rows = child(tree, "rows");
  const isStudy = rows?.kind === "list" && rows.items.length > 0;
  const isOverlay = has("config") || has("extra_rows");
  if (Number(isConfig) + Number(isStudy) + Number(isOverlay) !== 1) return null;
  return isConfig ? "config" : isStudy ? "study" : "overlay";
}
