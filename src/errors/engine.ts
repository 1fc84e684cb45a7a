import type { ErrorRecords } from "./record.ts";

/** Engines and their set-up. */
export const engineErrors = {
  SEGFUSE_BATCH_NORM_ONE_VALUE: {
    exit: 1,
    title: "batch normalisation of a single value per channel",
    means:
      "In training, batch normalisation needs more than one value for each channel. Pooling to 1×1 leaves one " +
      "an image.",
    example: "text",
    wrong: "data: {batch_size: 1} # with the 1×1 bin of ppm",
    right: "data: {batch_size: 2}",
  },
  SEGFUSE_TENSORBOARD_ENGINE: {
    exit: 1,
    title: "TensorBoard files on an engine that cannot write them",
    means: "TensorBoard's files are written by the native engine alone.",
    example: "text",
    wrong: "engine: {type: cpu} # with hooks: [{type: tensorboard}]",
    right: "engine: {type: tensorflow}",
  },
  SEGFUSE_TRACE_OPERATION: {
    exit: 1,
    title: "a network uses an operation that the trace does not know",
    means:
      "`segfuse cost` and `segfuse graph` run a network on shapes alone, and do not know an operation that a " +
      "plug-in uses.",
    example: "text",
    wrong: "tf.linalg.qr(x) in a neck",
    right: "operations on maps that src/engine/trace/shapes knows",
  },
  SEGFUSE_TRACE_VALUES: {
    exit: 1,
    title: "a network reads tensors' values, which a trace does not have",
    means: "A network reads the values of its tensors, which are not there where it runs on shapes alone.",
    example: "text",
    wrong: "x.dataSync() in a neck's forward",
    right: "operations on x alone",
  },
  SEGFUSE_ENGINE_MISSING: {
    exit: 1,
    title: "the native engine was not set up",
    means: "The native engine was asked for and was not set up on this machine.",
    example: "text",
    wrong: "segfuse train CONFIG --set engine.type=tensorflow",
    right: "segfuse setup",
  },
  SEGFUSE_ENGINE_BROKEN: {
    exit: 1,
    title: "the native engine is there and does not load",
    means: "The native engine is there and does not load; `segfuse doctor` tells why.",
    example: "text",
    wrong: "an engine made for another version of Node.js or of TensorFlow",
    right: "segfuse setup",
  },
  SEGFUSE_ENGINE_OPERATION: {
    exit: 1,
    title: "the engine refuses an operation",
    means:
      "TensorFlow has refused an operation. The message names the operation, the shapes that it was given, the " +
      "part of the network (or the plug-in's line) and TensorFlow's reason: RESOURCE_EXHAUSTED is too little " +
      "memory, INVALID_ARGUMENT mostly shapes that do not go together, UNIMPLEMENTED an operation that this " +
      "build of TensorFlow does not have.",
    example: "text",
    wrong: "forward({ levels }) { return [tf.matMul(levels[0], levels[1])]; }",
    right:
      "forward({ levels }) { return [tf.add(levels[0], resizeLike(levels[1], levels[0], this.context))]; }",
  },
  SEGFUSE_SETUP_CACHE: {
    exit: 1,
    title: "the cache folder cannot be written",
    means: "The cache folder cannot be made or written.",
    example: "text",
    wrong: "SEGFUSE_CACHE=/proc/cache segfuse setup",
    right: "SEGFUSE_CACHE=$HOME/.cache/segfuse segfuse setup",
  },
  SEGFUSE_SETUP_COMPILE: {
    exit: 1,
    title: "the compiler could not make the engine's addon",
    means: "The compiler refused the engine's addon; its own words are in the message.",
    example: "text",
    wrong: "a C++ compiler without C++17",
    right: "a newer compiler first in PATH, then segfuse setup",
  },
  SEGFUSE_SETUP_COMPILER: {
    exit: 1,
    title: "no C++ compiler",
    means: "There is no C++ compiler on this machine.",
    example: "text",
    wrong: "segfuse setup",
    right: "apt-get install g++ && segfuse setup",
  },
  SEGFUSE_SETUP_DISK: {
    exit: 1,
    title: "too little disk space for the engine",
    means: "The disk is too full for TensorFlow.",
    example: "text",
    wrong: "segfuse setup",
    right: "SEGFUSE_CACHE=/disk/with/room segfuse setup",
  },
  SEGFUSE_SETUP_DOWNLOAD: {
    exit: 1,
    title: "pip did not download TensorFlow",
    means: "pip did not download TensorFlow; its own words are in the message.",
    example: "text",
    wrong: "segfuse setup",
    right: "SEGFUSE_TENSORFLOW=/path/to/wheel segfuse setup",
  },
  SEGFUSE_SETUP_HASH: {
    exit: 1,
    title: "the downloaded TensorFlow is not the pinned one",
    means: "What was downloaded is not the TensorFlow that segfuse pins.",
    example: "text",
    wrong: "segfuse setup",
    right: "segfuse setup",
  },
  SEGFUSE_SETUP_NETWORK: {
    exit: 1,
    title: "TensorFlow's download has no connection",
    means: "The download has no connection.",
    example: "text",
    wrong: "segfuse setup",
    right: "SEGFUSE_TENSORFLOW=/path/to/wheel segfuse setup",
  },
  SEGFUSE_SETUP_PIP: {
    exit: 1,
    title: "no Python with pip",
    means: "There is no Python with pip, which downloads TensorFlow.",
    example: "text",
    wrong: "segfuse setup",
    right: "apt-get install python3-pip && segfuse setup",
  },
  SEGFUSE_SETUP_PLATFORM: {
    exit: 1,
    title: "no TensorFlow to download for this machine",
    means: "There is no TensorFlow to download for this machine.",
    example: "text",
    wrong: "segfuse setup",
    right: "SEGFUSE_TENSORFLOW=/path/to/own/build segfuse setup, or engine: {type: wasm}",
  },
  SEGFUSE_SETUP_TENSORFLOW: {
    exit: 1,
    title: "SEGFUSE_TENSORFLOW names no TensorFlow",
    means: "SEGFUSE_TENSORFLOW names neither a wheel nor a folder with TensorFlow's libraries.",
    example: "text",
    wrong: "SEGFUSE_TENSORFLOW=/nowhere segfuse setup",
    right: "SEGFUSE_TENSORFLOW=/path/to/tensorflow_cpu.whl segfuse setup",
  },
  SEGFUSE_SETUP_UNPACK: {
    exit: 1,
    title: "the downloaded TensorFlow could not be unpacked",
    means: "The wheel could not be unpacked; it is damaged or no wheel.",
    example: "text",
    wrong: "SEGFUSE_TENSORFLOW=cut_short.whl segfuse setup",
    right: "SEGFUSE_TENSORFLOW=whole.whl segfuse setup",
  },
  SEGFUSE_OP_GRADIENT: {
    exit: 1,
    title: "the network has an operation without a gradient",
    means:
      "TensorFlow.js cannot differentiate an operation on the way from a weight to the loss, so that nothing " +
      "before it could be trained.",
    example: "text",
    wrong: "a neck that sorts its maps by tf.topk",
    right: "a neck of operations with gradients, or tf.customGrad around the one that has none",
  },
} as const satisfies ErrorRecords;
