import { showValue, type Complaint } from "./complaint.ts";
import { mapScalars, pathText, type MapNode, type Path, type Scalar, type ScalarNode } from "./tree.ts";
import { parseYamlValue } from "./yaml.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** A variable that a config uses and that is not set. */
export interface UnsetVariable {
  readonly name: string;
  readonly complaint: Complaint;
}

// Lengths are bounded: an open brace repeated through a long text would else be searched to its end each time.
const reference = /\$\{env:([A-Za-z_][A-Za-z0-9_]{0,255})(?::-([^}]{0,4096}))?\}/g;
// What only a reference can have been meant by: the shell's `${NAME}`, `$NAME/data`, or one of ours that is not complete.
const malformed = /\$\{(env:|[A-Za-z_]\w{0,255}(:-[^}]{0,4096})?\})|^\$[A-Za-z_]\w*(\/|$)/;

/**
 * Replaces `${env:NAME}` and `${env:NAME:-default}` in every string. A value that is nothing else is read
 * again as a YAML scalar, so that a number or `true` may come from outside. An empty variable counts as unset.
 *
 * @param folder what a relative path that comes from a variable starts from
 * @returns the tree, in which unset references stay as they were written, and those references
 */
export function interpolate(
  tree: MapNode,
  env: Environment,
  folder: string,
): { tree: MapNode; unset: UnsetVariable[]; complaints: Complaint[] } {
  const unset: UnsetVariable[] = [];
  const complaints: Complaint[] = [];
  const replaced = mapScalars(tree, (scalar, path) => {
    if (typeof scalar.value !== "string" || !scalar.value.includes("$")) return scalar;
    return replaceIn(scalar, scalar.value, path, { env, folder, unset, complaints });
  });
  return { tree: replaced as MapNode, unset, complaints };
}

interface Job {
  env: Environment;
  folder: string;
  unset: UnsetVariable[];
  complaints: Complaint[];
}

function replaceIn(scalar: ScalarNode, text: string, path: Path, job: Job): ScalarNode {
  const left = text.replaceAll(reference, "");
  if (malformed.test(left)) {
    job.complaints.push({
      code: "SEGFUSE_CONFIG_ENV_FORM",
      message: "a reference to an environment variable is not well formed",
      origin: scalar.origin,
      path,
      expected: "${env:NAME} or ${env:NAME:-default}",
      found: showValue(text),
    });
    return scalar;
  }
  if (left === text) return scalar;
  let complete = true;
  const variables: string[] = [];
  const result = text.replaceAll(reference, (whole, name: string, fallback?: string) => {
    const value = job.env[name];
    if (value !== undefined && value !== "") {
      variables.push(name);
      return value;
    }
    if (fallback !== undefined) return fallback;
    complete = false;
    job.unset.push({ name, complaint: unsetComplaint(name, scalar, path) });
    return whole;
  });
  if (!complete) return scalar;
  const value = left === "" && [...text.matchAll(reference)].length === 1 ? asScalar(result) : result;
  // A path that begins with a variable is the user's own: relative to where the command was started.
  const directory = text.startsWith("${env:") ? job.folder : scalar.origin.directory;
  const origin = { ...scalar.origin, directory, ...(variables.length === 0 ? {} : { variables }) };
  return { ...scalar, value, origin };
}

function asScalar(text: string): Scalar {
  try {
    const value = parseYamlValue(text);
    return typeof value === "object" && value !== null ? text : (value as Scalar);
  } catch {
    return text; // no YAML: a plain string, like C:\data: or [draft
  }
}

function unsetComplaint(name: string, scalar: ScalarNode, path: Path): Complaint {
  return {
    code: "SEGFUSE_CONFIG_ENV",
    message: `the environment variable ${name} is not set`,
    origin: scalar.origin,
    path,
    found: showValue(scalar.value),
    advice: `export ${name}=VALUE, or --set ${pathText(path)}=VALUE`,
  };
}
