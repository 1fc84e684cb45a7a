import { existsSync } from "node:fs";

/**
 * The folder of segfuse's own package.json as a URL that ends in `/`: the checkout when run from source,
 * the installed package when run from `dist/`.
 */
export function packageRoot(): URL {
  for (const up of ["../../", "../../../"]) {
    const folder = new URL(up, import.meta.url);
    if (existsSync(new URL("package.json", folder))) return folder;
  }
  throw new Error(`no package.json above ${import.meta.url}`);
}
