import { open, readlink, stat, type FileHandle } from "node:fs/promises";
import { SegfuseError } from "../errors.ts";
import { signatureBytes, signatureOf, textInPlaceOf } from "./image_signature.ts";

const wholeFile = "a whole JPEG, PNG, WebP, TIFF, GIF or AVIF file";
/** Only for files that are really cut or broken: fetched again, any other would be the same. */
const fetchAgain = "fetch the file again or take it out of the split";

/**
 * Why an image cannot be read, found out from the file itself: the library knows few reasons, and its texts are lost or
 * mixed where several threads fail at once.
 *
 * @param cause what was thrown by the library
 */
export async function imageFailure(file: string, cause: unknown): Promise<SegfuseError> {
  let handle: FileHandle;
  try {
    if ((await stat(file)).isDirectory()) return isFolder(file);
    handle = await open(file);
  } catch (failure) {
    return unopened(file, failure as NodeJS.ErrnoException);
  }
  try {
    const { size } = await handle.stat();
    const head = await readAt(handle, 0, signatureBytes);
    const tail = await readAt(handle, Math.max(0, size - 64), 64);
    return explain({ file, size, head, tail, reason: reasonOf(cause, file) }, cause);
  } catch (failure) {
    return unopened(file, failure as NodeJS.ErrnoException);
  } finally {
    await handle.close();
  }
}

/** A format that is no picture of pixels, or has no decoder here. */
export function notRead(file: string, name: string, cause?: unknown): SegfuseError {
  return new SegfuseError("SEGFUSE_DATA_IMAGE", `an image is in a format that is not read: ${name}`, {
    where: file,
    expected: "JPEG, PNG, WebP, TIFF, GIF or AVIF, whatever the file's ending",
    advice: "convert it to PNG, under the same name before the ending",
    cause,
  });
}

interface Evidence {
  readonly file: string;
  readonly size: number;
  readonly head: Uint8Array;
  readonly tail: Uint8Array;
  /** The library's. */
  readonly reason: string;
}

function explain(evidence: Evidence, cause: unknown): SegfuseError {
  const { file, size, head, reason } = evidence;
  const error = (message: string, found: string, advice: string) =>
    new SegfuseError("SEGFUSE_DATA_IMAGE", message, {
      where: file,
      expected: wholeFile,
      found,
      advice,
      cause,
    });
  if (size === 0) return error("an image is empty", "a file of 0 bytes", fetchAgain);
  const format = signatureOf(head);
  if (format === null) return unknownBytes(evidence, error);
  if (!format.isRead) return notRead(file, format.name, cause);
  if (/out of memory|unable to allocate|could not allocate/i.test(reason))
    return error(
      "there is no memory to decode an image",
      reason,
      "end other programs, or cut the image into tiles",
    );
  if (/too many open files/i.test(reason))
    return error(
      "an image cannot be opened",
      "too many open files",
      "raise the limit (ulimit -n) or lower data.workers",
    );
  if (isCut(format.name, evidence))
    return error(
      "an image is cut short",
      `a ${format.name} file of ${size} bytes that ends too early`,
      fetchAgain,
    );
  if (/unsupported|not (supported|configured|implemented)|out of range|bad labq|bad value/i.test(reason))
    return new SegfuseError(
      "SEGFUSE_DATA_IMAGE",
      `a ${format.name} image is coded in a way that is not read`,
      {
        where: file,
        expected: "8 or 16 bits a channel in a common compression",
        found: reason,
        advice: "the file may be in order: store it so, or as PNG",
        cause,
      },
    );
  return error("an image is damaged", reason === "" ? `a damaged ${format.name} file` : reason, fetchAgain);
}

function unknownBytes(
  { head, size }: Evidence,
  error: (message: string, found: string, advice: string) => SegfuseError,
): SegfuseError {
  if (head.every((byte) => byte === 0))
    return error("an image is empty", `${size} bytes, the first ${head.length} of them 0`, fetchAgain);
  const start = (text: Uint8Array) => JSON.stringify(Buffer.from(text).toString("utf8").trim().slice(0, 60));
  const notAnImage = "a file under an image's name is no image";
  switch (textInPlaceOf(head)) {
    case "lfs":
      return error(
        notAnImage,
        "a pointer of Git LFS, without the file that it points to",
        "run git lfs pull in the data's repository",
      );
    case "page":
      return error(
        notAnImage,
        `a web page or an answer of a server: ${start(head)}`,
        "download the image itself: a login, an error or a preview came in its place",
      );
    case "text":
      return error(notAnImage, `a text: ${start(head)}`, "put the image there, or take it out of the split");
    case null: {
      const bytes = Array.from(head.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join(" ");
      return error(
        notAnImage,
        `a file that begins with the bytes ${bytes}`,
        "convert it to PNG, or take it out of the split",
      );
    }
  }
}

/** By the file's own end or announced length where its format has one, else by what the decoder says. */
function isCut(format: string, { size, head, tail, reason }: Evidence): boolean {
  const end = Buffer.from(tail);
  switch (format) {
    case "PNG":
      return !end.includes("IEND");
    case "WebP":
      return head.length < 12 || Buffer.from(head).readUInt32LE(4) + 8 > size;
    case "JPEG":
      return /premature end/i.test(reason) || !end.includes(Buffer.of(0xff, 0xd9));
    default:
      return /unexpected end|read error|bad seek|got \d+ bytes|end of file|not enough|truncat/i.test(reason);
  }
}

function isFolder(file: string): SegfuseError {
  return new SegfuseError("SEGFUSE_DATA_FILE", "a folder has an image's name", {
    where: file,
    expected: "an image file",
    found: "a folder",
  });
}

/** What the operating system says. */
async function unopened(file: string, failure: NodeJS.ErrnoException): Promise<SegfuseError> {
  const { code = "an unknown error" } = failure;
  if (code === "ENOENT" || code === "ENOTDIR") {
    const target = await readlink(file).catch(() => null);
    return new SegfuseError("SEGFUSE_DATA_FILE", "an image is missing", {
      where: file,
      ...(target === null ? {} : { found: `a link to ${target}, which does not exist` }),
      cause: failure,
    });
  }
  const [found, advice] = systemFailures[code] ?? [
    `${code}: ${failure.message}`,
    "see what the system's log says of the disk",
  ];
  return new SegfuseError("SEGFUSE_DATA_FILE", "an image cannot be opened", {
    where: file,
    found,
    advice,
    cause: failure,
  });
}

const systemFailures: Readonly<Record<string, readonly [found: string, advice: string]>> = {
  EACCES: [
    "no permission to read it (EACCES)",
    "give this user the right to read the file and to enter its folders",
  ],
  EPERM: [
    "the system does not permit it (EPERM)",
    "give this user the right to read the file and to enter its folders",
  ],
  ELOOP: ["a link that leads to itself (ELOOP)", "put the file in the link's place"],
  EMFILE: ["too many open files (EMFILE)", "raise the limit (ulimit -n) or lower data.workers"],
  EIO: ["the disk or the network mount failed (EIO)", "see what the system's log says of the disk"],
  ESTALE: ["the network mount lost the file (ESTALE)", "mount the file system again"],
};

/** The library's first line without its own phrases and the file's name. */
function reasonOf(cause: unknown, file: string): string {
  const text = (cause instanceof Error ? cause.message : String(cause)).trim();
  const lines = text
    .replaceAll(`${file}: `, "")
    .replace(/^Input file has corrupt header:\s*/, "")
    .split("\n");
  return lines[0]!.trim();
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}
