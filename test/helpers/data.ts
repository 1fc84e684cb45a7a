import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const checkout = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

/**
 * The folder of a test data set or of the pretrained weights that are not part of the repository
 * (their licences forbid it): `SEGFUSE_CAMVID` and the like, else `../shared/data/NAME` beside the checkout.
 * Null where there is none; a test then skips: `describe.skipIf(sharedData("camvid") === null)`.
 */
export function sharedData(name: "camvid" | "cityscapes" | "ade20k" | "weights"): string | null {
  const variable = `SEGFUSE_${name.toUpperCase()}`;
  const named = process.env[variable];
  const folder =
    named === undefined || named === "" ? resolve(checkout, "../shared/data", name) : resolve(named);
  if (existsSync(folder)) return folder;
  process.stderr.write(`skipped: no ${name} at ${folder} (set ${variable})\n`);
  return null;
}
