// Names of weights say how a network was wrapped when it was saved: `module.` (DataParallel, AveragedModel),
// `_orig_mod.` (torch.compile), `model.` or `net.` (the attribute of a Lightning module or of a trainer).

/** Segments that only PyTorch's wrappers put into names, wherever they stand. */
const transparent = new Set([
  "module",
  "_orig_mod",
  "_forward_module",
  "_fsdp_wrapped_module",
  "_checkpoint_wrapped_module",
]);

/** Segments under which other code keeps a network: at the beginning, in any number and order. */
const holders = new Set(["model", "net", "network", "backbone"]);
const maxHolders = 8;

/** How the names that are looked for stand in a file. */
export interface NameMatch {
  /** What holds the network in the file's names, with its dot: `model.`; empty: nothing. */
  readonly prefix: string;
  /** Names without what wraps them → the file's. Of names outside of `prefix` there are none. */
  readonly names: ReadonlyMap<string, string>;
  /** How many of the names are wanted. */
  readonly fits: number;
  /** Other prefixes under which as many are wanted: it is not clear which is meant. */
  readonly rivals: readonly string[];
}

/**
 * Finds how a file's names are wrapped, by the names that fit: of all beginnings made of wrappers' segments the one
 * after which most names are wanted; none, where that is as good.
 */
export function matchNames(fileNames: Iterable<string>, isWanted: (name: string) => boolean): NameMatch {
  const plain = withoutTransparent(fileNames, isWanted);
  const fits = new Map<string, number>([["", 0]]);
  for (const name of plain.keys()) {
    for (const prefix of prefixes(name)) {
      const isFit = isWanted(name.slice(prefix.length));
      fits.set(prefix, (fits.get(prefix) ?? 0) + Number(isFit));
    }
  }
  const most = Math.max(...fits.values());
  const best = fits.get("") === most ? [""] : [...fits.keys()].filter((prefix) => fits.get(prefix) === most);
  const prefix = best[0]!;
  const names = new Map<string, string>();
  for (const [name, fileName] of plain) {
    if (name.startsWith(prefix)) names.set(name.slice(prefix.length), fileName);
  }
  return { prefix, names, fits: most, rivals: best.slice(1) };
}

/** What a user should know of a match. */
export function prefixNotes(prefix: string): string[] {
  return prefix === "" ? [] : [`its names are read without "${prefix}" before them`];
}

/** `model.net.conv.weight` → ``, `model.`, `model.net.` */
function prefixes(name: string): string[] {
  const found = [""];
  const segments = name.split(".");
  const last = Math.min(segments.length - 1, maxHolders);
  for (let end = 1; end <= last && holders.has(segments[end - 1]!); end++) {
    found.push(`${segments.slice(0, end).join(".")}.`);
  }
  return found;
}

/** Names without PyTorch's wrappers → the file's; names stay whole where two would become one, or they are wanted as they are. */
function withoutTransparent(
  fileNames: Iterable<string>,
  isWanted: (name: string) => boolean,
): Map<string, string> {
  const groups = new Map<string, string[]>();
  for (const name of fileNames) {
    const short = isWanted(name)
      ? name
      : name
          .split(".")
          .filter((part) => !transparent.has(part))
          .join(".");
    groups.set(short, [...(groups.get(short) ?? []), name]);
  }
  const plain = new Map<string, string>();
  for (const [short, names] of groups) {
    if (names.length === 1) plain.set(short, names[0]!);
    else for (const name of names) plain.set(name, name);
  }
  return plain;
}
