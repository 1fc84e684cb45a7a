import type { ErrorRecords } from "./record.ts";

/** Weight files and checkpoints. */
export const weightsErrors = {
  SEGFUSE_WEIGHTS_FILE: {
    exit: 1,
    title: "a weight file cannot be read, or is none",
    means: "A weight file is missing, damaged, or of a kind that segfuse does not read.",
    example: "text",
    wrong: "segfuse test CONFIG notes.txt",
    right: "segfuse test CONFIG work_dirs/table1_gff",
  },
  SEGFUSE_WEIGHTS_KEY: {
    exit: 2,
    title: "it is not clear which of a file's state dicts is meant",
    means:
      "A file holds several state dicts, or several parts of one, that fit the network as well as each other, " +
      "or none under the key that was given. The keys are listed.",
    example: "text",
    wrong: "segfuse convert gan.pth out.safetensors # the file has a generator and a discriminator",
    right: "segfuse convert gan.pth out.safetensors --key generator",
  },
  SEGFUSE_WEIGHTS_FIT: {
    exit: 1,
    title: "a weight file of which nothing, or too little, fits the network",
    means:
      "Nothing in a weight file has a name of the network, or less than min_loaded asks for. A run that starts " +
      "from it would silently start from scratch. The first names of both sides are told.",
    example: "text",
    wrong: "init_from: mmseg_pspnet.pth # names of another tool",
    right: [
      "# segfuse convert mmseg_pspnet.pth pspnet.safetensors --map mmseg",
      "init_from: pspnet.safetensors",
      "min_loaded: 0.9 # of the network's tensors",
    ],
  },
  SEGFUSE_WEIGHTS_SHAPE: {
    exit: 1,
    title: "weights of a file have another shape than the network's",
    means:
      "The file and the network have a name in common and shapes that differ; reading it in part would be a " +
      "silent fresh start.",
    example: "text",
    wrong: "init_from: cityscapes.safetensors # 19 classes for a network of 11",
    right: [
      "init_from: cityscapes.safetensors",
      'allow_fresh: ["head.classifier.*", "auxiliary_head.classifier.*"]',
    ],
  },
  SEGFUSE_WEIGHTS_CLASSES: {
    exit: 1,
    title: "a checkpoint was trained for other classes than the data set's",
    means:
      "A checkpoint was trained for other classes than the data set has, so that its numbers would mean " +
      "nothing.",
    example: "text",
    wrong: "segfuse test camvid.yaml work_dirs/trained_on_cityscapes",
    right: "segfuse test cityscapes.yaml work_dirs/trained_on_cityscapes",
  },
  SEGFUSE_CHECKPOINT: {
    exit: 1,
    title: "no usable checkpoint where one was named",
    means: "There is no checkpoint where one was named.",
    example: "text",
    wrong: "segfuse test CONFIG work_dirs/nothing_there",
    right: "segfuse test CONFIG work_dirs/table1_gff",
  },
  SEGFUSE_CHECKPOINT_DAMAGED: {
    exit: 1,
    title: "a checkpoint is not what was written",
    means:
      "A checkpoint's files are not those that were written. An earlier checkpoint of the run can be named.",
    example: "text",
    wrong: "segfuse train CONFIG --resume-from work_dirs/gff/checkpoints/iter_4000",
    right: "segfuse train CONFIG --resume-from work_dirs/gff/checkpoints/iter_3000",
  },
  SEGFUSE_CHECKPOINT_WRITE: {
    exit: 1,
    title: "a checkpoint could not be written",
    means:
      "A checkpoint could not be written, most often for want of space. The checkpoints before it are " +
      "untouched.",
    example: "text",
    wrong: "segfuse train CONFIG --work-dir /full/disk",
    right: "segfuse train CONFIG --work-dir /disk/with/room",
  },
  SEGFUSE_RESUME_MISMATCH: {
    exit: 2,
    title: "a checkpoint of another run than the config's",
    means:
      "The checkpoint that a run goes on from belongs to another config or seed; the message names what " +
      "differs.",
    example: "text",
    wrong: "segfuse train gff.yaml --resume --set optimizer.lr=0.1",
    right: "segfuse train gff.yaml --resume",
  },
  SEGFUSE_WEIGHTS_DTYPE: {
    exit: 1,
    title: "weights of another element type than can be used",
    means: "Weights have an element type that cannot be used as asked, or numbers that it cannot hold.",
    example: "text",
    wrong: "a network stored in a type that segfuse does not compute with",
    right: "a network stored as F32, F16 or BF16",
  },
  SEGFUSE_WEIGHTS_GLOBAL: {
    exit: 1,
    title: "weights of a PyTorch file need code that is not run",
    means:
      "A PyTorch file has an object in the place of weights that only its own code could make. segfuse reads " +
      "tensors and runs nothing; objects beside the weights are left as names.",
    example: "text",
    wrong: 'torch.save(model, "model.pth")',
    right: 'torch.save(model.state_dict(), "model.pth")',
  },
  SEGFUSE_NAME_MAP: {
    exit: 2,
    title: "a name map that fits no name of a weight file",
    means: "The name map fits no name of the weight file; it is a map for files of another project.",
    example: "text",
    wrong: "segfuse convert torchvision.pth out.safetensors --map mmsegmentation",
    right: "segfuse convert torchvision.pth out.safetensors --map torchvision",
  },
  SEGFUSE_CONVERT_OUT: {
    exit: 2,
    title: "weights are written in another format than asked for",
    means: "Weights are written as safetensors, whatever they were read from.",
    example: "text",
    wrong: "segfuse convert in.pth out.pth",
    right: "segfuse convert in.pth out.safetensors",
  },
} as const satisfies ErrorRecords;
