import { shortList } from "../util/short_list.ts";
import type { LoadedStudy, StudyRow } from "../config/index.ts";
import { SegfuseError } from "../errors.ts";
import type { Registry } from "../kinds.ts";
import type { Parameter } from "../nn/parameter.ts";
import { globMatcher } from "../util/glob.ts";
import { isAdaptable } from "../weights/input_channels.ts";
import { fileShape } from "../weights/layout.ts";

import { configNetwork } from "./cost.ts";

/** Parameters that a row which starts from another one may make anew: its classifier has an input of its own. */
export const freshClassifier = "head.classifier.*";

/** Parameters, without values, by name; null where the network cannot be built without what the run itself looks for, such as data. */
type Shapes = ReadonlyMap<string, Parameter> | null;

const mostNames = 3;

/**
 * Checks before anything is trained that each row can take the weights of the row that it names: afterwards it would
 * be told by the weights' file, when hours may have gone by.
 *
 * @throws SegfuseError `SEGFUSE_STUDY_WEIGHTS`
 */
export async function checkRowWeights(study: LoadedStudy, registry: Registry): Promise<void> {
  const shapes = new Map<string, Shapes>();
  for (const row of study.rows) shapes.set(row.name, await shapesOf(row, registry));
  for (const row of study.rows) {
    const source = row.initFrom ?? row.weightsFrom;
    const [own, other] = [shapes.get(row.name), source === null ? null : shapes.get(source)];
    if (own == null || other == null) continue;
    const wrong = misfits(row, own, other);
    if (wrong.length === 0) {
      requireShare(study, row, own, other);
      continue;
    }
    const rest = wrong.length > mostNames ? `, and ${wrong.length - mostNames} more` : "";
    throw new SegfuseError(
      "SEGFUSE_STUDY_WEIGHTS",
      `the row '${row.name}' cannot take the weights of '${source}'`,
      {
        where: study.path,
        expected: "a network whose weights have the same shapes",
        found: `${wrong.slice(0, mostNames).join(", ")}${rest}`,
        advice:
          row.initFrom === null
            ? "the same model and classes in both configs"
            : "the same model in both configs, or allow_fresh with patterns of what may start fresh",
      },
    );
  }
}

async function shapesOf({ loaded }: StudyRow, registry: Registry): Promise<Shapes> {
  try {
    const network = await configNetwork(loaded, registry);
    return new Map([...network.namedParameters()]);
  } catch (error) {
    if (error instanceof SegfuseError) return null; // the row's own check tells it
    throw error;
  }
}

/** A row that starts from another one must take something of it, and as much as `min_loaded` asks for. */
function requireShare(
  { path }: LoadedStudy,
  { name, initFrom, loaded }: StudyRow,
  own: ReadonlyMap<string, Parameter>,
  other: ReadonlyMap<string, Parameter>,
): void {
  if (initFrom === null) return;
  const { min_loaded: share } = loaded.config;
  const shared = [...own].filter(([key, parameter]) => fits(parameter, other.get(key), true)).length;
  if (shared > 0 && shared >= share * own.size) return;
  const first = (names: Iterable<string>) => shortList([...names], mostNames);
  throw new SegfuseError(
    "SEGFUSE_STUDY_WEIGHTS",
    `the row '${name}' would take too little of '${initFrom}'`,
    {
      where: path,
      expected: `at least ${Math.max(1, Math.ceil(share * own.size))} of ${own.size} tensors: ${first(own.keys())}`,
      found: `${shared}; the row '${initFrom}' has ${other.size}: ${first(other.keys())}`,
      advice: "another row, the same backbone in both configs, or a smaller min_loaded",
    },
  );
}

/** The rules of reading a checkpoint: where a row trains, what the other does not have starts fresh. */
function misfits(
  { initFrom, loaded }: StudyRow,
  own: ReadonlyMap<string, Parameter>,
  other: ReadonlyMap<string, Parameter>,
): string[] {
  const mayBeFresh = [...loaded.config.allow_fresh, freshClassifier].map(globMatcher);
  return [...own].flatMap(([name, parameter]) => {
    const found = other.get(name);
    const isFree =
      initFrom === null
        ? name.startsWith("auxiliary_head.")
        : found === undefined || mayBeFresh.some((matches) => matches(name));
    if (fits(parameter, found, initFrom !== null) || isFree) return [];
    const there = found === undefined ? "is not there" : `is ${JSON.stringify(found.shape)}`;
    return [`${name} ${there} and should be ${JSON.stringify(parameter.shape)}`];
  });
}

/** @param isStart the row trains: a first convolution that saw RGB is adapted */
function fits(own: Parameter, other: Parameter | undefined, isStart: boolean): boolean {
  if (other === undefined) return false;
  const [found, wanted] = [fileShape(other.layout, other.shape), fileShape(own.layout, own.shape)];
  return (isStart && own.seesImage && isAdaptable(found, wanted)) || String(found) === String(wanted);
}
