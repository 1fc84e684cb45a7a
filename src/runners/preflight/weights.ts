import type { Config } from "../../config/sections.ts";
import type { DatasetInfo } from "../../datasets/contracts.ts";
import { globMatcher } from "../../util/glob.ts";
import { classesOf } from "../../weights/metadata.ts";
import { readMetadata } from "../../weights/open.ts";
import { findCheckpoint } from "../../checkpoints/folder.ts";

/**
 * A warning where a run starts from a checkpoint whose classes are as many as the data set's and not the same:
 * its classifier would start from another order. null where there is nothing to say.
 *
 * @throws SegfuseError SEGFUSE_CHECKPOINT, SEGFUSE_WEIGHTS_FILE where there is no such checkpoint
 */
export async function checkInitialClasses(
  path: string | null,
  info: DatasetInfo,
  config: Config,
  allowFresh: readonly string[],
): Promise<string | null> {
  if (path === null) return null;
  const { weights } = await findCheckpoint(path, "last");
  const classes = classesOf(await readMetadata(weights), weights);
  const mayBeFresh = [...config.allow_fresh, ...allowFresh].some((pattern) =>
    globMatcher(pattern)("head.classifier.weight"),
  );
  if (classes === null || classes.length !== info.classes.length || mayBeFresh) return null;
  const differs = classes.findIndex((name, k) => name !== info.classes[k]);
  if (differs < 0) return null;
  return (
    `${weights} was trained for other classes: its class ${differs} is ${classes[differs]}, ` +
    `the data set's ${info.classes[differs]}; the classifier starts from its weights all the same`
  );
}
