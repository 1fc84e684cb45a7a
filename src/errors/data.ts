import type { ErrorRecords } from "./record.ts";

/** Data sets, images and masks. */
export const dataErrors = {
  SEGFUSE_DATA_OPTION: {
    exit: 2,
    title: "options of a data set or transform do not fit together",
    means: "Options of the data do not fit what the data set or the transforms are.",
    example: "text",
    wrong: "data: {train: {transforms: [{type: random_scale}]}} # images of many sizes make no batch",
    right: "data: {train: {transforms: [{type: random_scale}, {type: random_crop}]}}",
  },
  SEGFUSE_DATA_ROOT: {
    exit: 2,
    title: "a data set's folder, list or class description is missing or wrong",
    means: "The data set's folder, its list of files or its description of the classes is missing or wrong.",
    example: "text",
    wrong: "data: {dataset: {type: camvid, root: /nowhere}}",
    right:
      "data: {dataset: {type: camvid, root: /data/camvid}} # the folder with images, masks and meta.json",
  },
  SEGFUSE_DATA_SPLIT: {
    exit: 2,
    title: "a split of a data set is unknown or empty",
    means:
      "The data set has no such split, the split has no images, or its list is missing, unreadable, or names a " +
      "sample twice.",
    example: "text",
    wrong: "data: {train: {split: training}} # of synthetic_streets",
    right: "data: {train: {split: train}}",
  },
  SEGFUSE_DATA_UNLABELLED: {
    exit: 2,
    title: "a split of a data set has images and no masks",
    means:
      "A split has images and no masks, as the test splits of benchmarks. It can be predicted, and neither " +
      "trained on nor scored.",
    example: "text",
    wrong: "segfuse test CONFIG CHECKPOINT # data: {test: {split: test}}, without a folder masks/test",
    right: "segfuse predict CONFIG CHECKPOINT my_data/images/test/* --out predictions",
  },
  SEGFUSE_DATA_FILE: {
    exit: 1,
    title: "an image or mask of a data set is missing or cannot be opened",
    means:
      "An image has no mask, a mask has no image, a list names a file that is not there, two files have one " +
      "name (but for their ending or their Unicode normal form), a name is not UTF-8, a link leads nowhere or " +
      "in a circle, or the system does not let a file be opened.",
    example: "text",
    wrong: "images/train/7.png without masks/train/7.png",
    right: "images/train/7.png and masks/train/7.png",
  },
  SEGFUSE_DATA_IMAGE: {
    exit: 1,
    title: "an image cannot be decoded",
    means:
      "An image cannot be decoded. The message tells why: cut short or damaged (never a half grey image), a web " +
      "page or a pointer of Git LFS under an image's name, a format or a coding that is not read, values " +
      "without a range (floating point), or more pixels than the memory holds.",
    example: "text",
    wrong: "an interrupted copy of a JPEG",
    right: "the file copied again, or taken out of the split",
  },
  SEGFUSE_DATA_ORIENTATION: {
    exit: 1,
    title: "an image is stored turned, and that is refused",
    means:
      "An image is stored turned or mirrored and its EXIF orientation says so, where the data set or predict " +
      "has exif at refuse.",
    example: "text",
    wrong:
      "data: {dataset: {type: folder, root: ./data, classes: [road, sky], exif: refuse}} # with a phone's upright photographs",
    right: "data: {dataset: {type: folder, root: ./data, classes: [road, sky], exif: apply}}",
  },
  SEGFUSE_DATA_MASK: {
    exit: 1,
    title: "a mask cannot be read as class numbers",
    means: "A mask is no PNG, TIFF or BMP whose values could be numbers or colours of classes.",
    example: "text",
    wrong: "a mask saved as JPEG, or one with colours where the classes have none",
    right:
      "a PNG of one channel or with a palette, whose values are the classes' numbers (see docs/masks.md)",
  },
  SEGFUSE_DATA_SIZE: {
    exit: 1,
    title: "a mask and its image differ in size",
    means: "A mask has another size than its image.",
    example: "text",
    wrong: "an image of 640×480 with a mask of 320×240",
    right: "an image of 640×480 with a mask of 640×480",
  },
  SEGFUSE_DATA_LABEL: {
    exit: 1,
    title: "a mask holds a value that is no class",
    means:
      "A mask holds a value that is neither a class nor the ignored one. The message tells the value, how " +
      "often, and where first.",
    example: "text",
    wrong:
      "data: {dataset: {type: folder, root: ./data, classes: [back, front]}} # and masks with the value 7",
    right: "data: {dataset: {type: folder, root: ./data, classes: [back, front], label_map: {7: ignore}}}",
  },
  SEGFUSE_DATA_WORKER: {
    exit: 1,
    title: "a data worker ended unexpectedly",
    means: "A thread that decodes images ended, most often for want of memory.",
    example: "text",
    wrong: "data: {workers: 64}",
    right: "data: {workers: 2}",
  },
  SEGFUSE_LABEL_VALUE: {
    exit: 1,
    title: "a label is neither a class nor the ignore index",
    means: "Labels that a program gives to the confusion counts are neither classes nor the ignored one.",
    example: "text",
    wrong: "new Confusion(3, 255).add(predictions, Uint8Array.of(9))",
    right: "new Confusion(3, 255).add(predictions, Uint8Array.of(2))",
  },
} as const satisfies ErrorRecords;
