import { Type, type Static } from "typebox";
import { SegfuseError } from "../errors.ts";
import { type Dataset, type DatasetInfo, defineDataset, type RawSample } from "./contracts.ts";
import { streetClasses } from "./streets/classes.ts";
import { StreetStore } from "./streets/store.ts";

const size = (fallback: number, description: string) =>
  Type.Integer({ minimum: 1, maximum: 10_000_000, default: fallback, description });

const schema = Type.Object({
  train_size: size(400, "pictures of the train split"),
  val_size: size(60, "pictures of the val split"),
  test_size: size(60, "pictures of the test split"),
  height: Type.Integer({ minimum: 16, maximum: 4096, default: 128, description: "pixels" }),
  width: Type.Integer({ minimum: 16, maximum: 4096, default: 256, description: "pixels" }),
  seed: Type.Integer({
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    default: 0,
    description: "another seed draws other streets",
  }),
  cache: Type.Boolean({
    default: true,
    description: "keep drawn pictures in segfuse's cache folder (4 bytes a pixel)",
  }),
});

const info: DatasetInfo = {
  classes: streetClasses.map((c) => c.name),
  palette: streetClasses.map((c) => c.color),
  ignoreIndex: 255,
};

/**
 * Drawn street scenes: large regions, and thin and small things at many distances, with perspective, texture,
 * light and occlusion. For trying things out where there is no real data; what it shows of a method is no more
 * than a hint.
 */
export default defineDataset({
  type: "synthetic_streets",
  description:
    "procedural street scenes of 11 classes, drawn when they are needed; splits train, val and test",
  schema,
  info: () => info,
  // What `open` throws becomes a rejection.
  create: (options, { split }) => new Promise((resolve) => resolve(open(options, split))),
});

function open(options: Static<typeof schema>, split: string): SyntheticStreets {
  const { height, width, seed, cache } = options;
  const sizes = new Map([
    ["train", options.train_size],
    ["val", options.val_size],
    ["test", options.test_size],
  ]);
  const length = sizes.get(split);
  if (length === undefined)
    throw new SegfuseError("SEGFUSE_DATA_SPLIT", `synthetic_streets has no split "${split}"`, {
      expected: `one of ${[...sizes.keys()].join(", ")}`,
      found: split,
    });
  return new SyntheticStreets(split, length, new StreetStore({ height, width, seed, split }, cache));
}

class SyntheticStreets implements Dataset {
  readonly info = info;

  constructor(
    private readonly split: string,
    readonly length: number,
    private readonly store: StreetStore,
  ) {}

  id(index: number): string {
    return `${this.split}_${String(index).padStart(6, "0")}`;
  }

  files(): null {
    return null;
  }

  async load(index: number): Promise<RawSample> {
    if (index < 0 || index >= this.length) throw new RangeError(`sample ${index} of ${this.length}`);
    return { id: this.id(index), ...(await this.store.get(index)) };
  }
}
