import { SegfuseError } from "../errors.ts";
import type { Dataset, DatasetInfo } from "./contracts.ts";
import { openDataset, spread } from "./loader.ts";
import type { DataConfig, DataSection } from "./source.ts";

/** How many samples of each split are decoded before a run starts. */
const samplesChecked = 6;

export interface DataCheck {
  readonly info: DatasetInfo;
  /** Samples by section. */
  readonly lengths: Readonly<Partial<Record<DataSection, number>>>;
}

/**
 * What a run checks of its data before the first iteration: every file of the splits exists, the splits agree on
 * their classes, and a few samples of each can be decoded and hold no label outside the classes.
 *
 * @throws SegfuseError of the first complaint
 */
export async function checkData(
  config: DataConfig,
  sections: readonly [DataSection, ...DataSection[]] = ["train", "val"],
): Promise<DataCheck> {
  const lengths: Partial<Record<DataSection, number>> = {};
  let info: DatasetInfo | null = null;
  for (const section of sections) {
    const dataset = await openDataset(config, section);
    info ??= dataset.info;
    requireSameClasses(info, dataset.info, section);
    lengths[section] = dataset.length;
    await checkSamples(dataset);
  }
  return { info: info!, lengths };
}

async function checkSamples(dataset: Dataset): Promise<void> {
  const { classes, ignoreIndex } = dataset.info;
  for (const index of spread(dataset.length, Math.min(samplesChecked, dataset.length))) {
    const { id, label } = await dataset.load(index);
    // The data sets of segfuse have checked this as they read; a plug-in's may not have.
    const wrong = label.data.findIndex((k) => k >= classes.length && k !== ignoreIndex);
    if (wrong >= 0)
      throw new SegfuseError("SEGFUSE_DATA_LABEL", "a label holds a value that is no class", {
        where: dataset.files(index)?.label ?? id,
        expected: `classes 0..${classes.length - 1} and ${ignoreIndex} (ignore)`,
        found: `value ${label.data[wrong]}, first at x=${wrong % label.width}, y=${Math.floor(wrong / label.width)}`,
      });
  }
}

function requireSameClasses(first: DatasetInfo, other: DatasetInfo, section: DataSection): void {
  const describe = ({ classes, ignoreIndex }: DatasetInfo) => `${classes.join(", ")}; ignore ${ignoreIndex}`;
  if (describe(first) === describe(other)) return;
  throw new SegfuseError("SEGFUSE_DATA_OPTION", "the splits do not have the same classes", {
    where: `data.${section}`,
    expected: describe(first),
    found: describe(other),
  });
}
