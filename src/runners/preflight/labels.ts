import type { SplitCheck } from "../../datasets/check.ts";
import type { DatasetInfo } from "../../datasets/contracts.ts";
import { largeIgnoredShare } from "../../evaluation/ignored_share.ts";
import { someNames } from "../../util/some_names.ts";

/**
 * What the labels of a split's masks make one doubt, each with the way out: masks and classes without a pixel, and much
 * that is ignored. Where not all masks were looked at, the text says how many were.
 *
 * @param ignoredAdvice what to do where pixels that are ignored may be a class: the one that no mask has, or null
 */
export function labelWarnings(
  found: SplitCheck,
  info: DatasetInfo,
  ignoredAdvice: (absent: number | null) => string,
): string[] {
  const { section, split, unlabelled, pixels, ignored, length, checked } = found;
  const { classes } = info;
  const warnings: string[] = [];
  if (checked === 0) return warnings;
  if (unlabelled.count > 0) {
    const masks = unlabelled.count === 1 ? "a mask has" : `${unlabelled.count} masks have`;
    warnings.push(`${masks} no labelled pixel in split "${split}" (${unlabelled.first})`);
  }
  const isWhole = checked === length;
  const some = `of ${length} masks of split "${split}" ${checked === 1 ? "one was" : `${checked} were`} looked at: `;
  const labelled = pixels.reduce((sum, n) => sum + n, 0);
  const ignoredShare = ignored / (ignored + labelled);
  const absent = [...classes.keys()].filter((k) => pixels[k] === 0);
  const present = classes.length - absent.length;
  const isMuchIgnored = ignoredShare >= largeIgnoredShare;
  const isDoubtful = isMuchIgnored || (ignored > 0 && present <= 1);
  if (absent.length > 0) {
    const one = absent.length === 1;
    const names = someNames(absent.map((k) => classes[k]!));
    const effect =
      section === "train"
        ? `${one ? "it is" : "they are"} not learnt`
        : `means are over ${present} of ${classes.length} classes, with ${one ? "it" : "each"} as 0 where it is predicted`;
    const wayOut = isDoubtful
      ? ignoredAdvice(absent[0]!)
      : isWhole
        ? `masks with ${one ? "it" : "them"} are missing, or data.dataset lists ${one ? "a class" : "classes"} too many`
        : "train --check looks at all masks";
    const none = isWhole ? `no mask of split "${split}" has` : `${some}none has`;
    const where = isWhole ? "" : "if the others are like them, ";
    warnings.push(`${none} a pixel of ${names}: ${where}${effect}; ${wayOut}`);
  }
  if (isMuchIgnored) {
    const share = `${(100 * ignoredShare).toFixed(1)} %`;
    const part = isWhole ? `${share} of the pixels of split "${split}"` : `${some}${share} of their pixels`;
    // The warning before has said what to do.
    const wayOut = absent.length > 0 ? "" : `; ${ignoredAdvice(null)}`;
    warnings.push(`${part} are ignored and count nowhere${wayOut}`);
  }
  return warnings;
}
