"""Unpacks what segfuse needs of a TensorFlow wheel: two libraries, the headers of the C interface, the licences.

usage: unpack_wheel.py WHEEL FOLDER
Prints "DONE TOTAL" (bytes) on a line of its own as it goes. Written for any Python from 3.6 on, standard library
alone: whoever has pip has it.
"""

import os
import sys
import zipfile

LIBRARIES = ("tensorflow/libtensorflow_cc.so.2", "tensorflow/libtensorflow_framework.so.2")
HEADERS = ("tensorflow/c/", "tensorflow/core/platform/", "tsl/platform/", "xla/tsl/c/")
INCLUDE = "tensorflow/include/"
LICENCES = ("tensorflow/THIRD_PARTY_NOTICES.txt", INCLUDE + "LICENSE")


def target(name):
    """The path in the folder of a member of the wheel; None where it is not needed."""
    if name in LIBRARIES + LICENCES:
        return os.path.basename(name)
    if name.startswith(INCLUDE) and name.endswith(".h") and name[len(INCLUDE) :].startswith(HEADERS):
        return os.path.join("include", name[len(INCLUDE) :])
    return None


def main(wheel, folder):
    with zipfile.ZipFile(wheel) as archive:
        members = [(info, target(info.filename)) for info in archive.infolist() if target(info.filename)]
        missing = set(LIBRARIES) - {info.filename for info, _ in members}
        if missing:
            sys.exit("the wheel has no " + " and no ".join(sorted(missing)))
        total = sum(info.file_size for info, _ in members)
        done = reported = 0
        for info, path in members:
            path = os.path.join(folder, path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            # Reading to the end checks the CRC as well.
            with archive.open(info) as source, open(path, "wb") as output:
                for chunk in iter(lambda: source.read(1 << 20), b""):
                    output.write(chunk)
                    done += len(chunk)
                    if done - reported >= 1 << 23:
                        reported = done
                        print(done, total, flush=True)
        print(done, total, flush=True)


if __name__ == "__main__":
    try:
        main(sys.argv[1], sys.argv[2])
    except (OSError, zipfile.BadZipFile) as error:
        sys.exit(str(error))
