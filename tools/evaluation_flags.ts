import { Option, type Command } from "commander";

/** Options of the commands that turn images into class maps. */
export interface EvaluationFlags {
  tta?: boolean;
  slide?: boolean;
  whole?: boolean;
}

/** The paper's multi-scale testing (4.1), with flips. */
const multiScale = { scales: [0.75, 1, 1.25, 1.5, 1.75], flip: true };

export function addEvaluationFlags(command: Command): Command {
  return command
    .option("--tta", "average over scales 0.75, 1, 1.25, 1.5, 1.75 and mirrored images, as the paper")
    .addOption(
      new Option(
        "--slide",
        "sliding windows (evaluation.window, stride), whatever the config says",
      ).conflicts("whole"),
    )
    .option("--whole", "whole images, whatever the config says");
}

/** The flags are short for `--set`, so that the report's config says how images were evaluated. */
export function evaluationOverrides({ tta, slide, whole }: EvaluationFlags): string[] {
  return [
    ...(tta === true
      ? [`evaluation.scales=${JSON.stringify(multiScale.scales)}`, `evaluation.flip=${multiScale.flip}`]
      : []),
    ...(slide === true ? ["evaluation.mode=slide"] : []),
    ...(whole === true ? ["evaluation.mode=whole"] : []),
  ];
}
