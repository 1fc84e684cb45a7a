import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const script = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as wheel:
    info = "tensorflow_cpu-2.21.0.dist-info/"
    wheel.writestr(info + "METADATA", "Metadata-Version: 2.1\\nName: tensorflow-cpu\\nVersion: 2.21.0\\n")
    wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: false\\nTag: cp312-cp312-manylinux_2_27_x86_64\\n")
    wheel.writestr(info + "RECORD", "")
    wheel.writestr("tensorflow/__init__.py", "")
    wheel.writestr("tensorflow/THIRD_PARTY_NOTICES.txt", "notices")
    wheel.writestr("tensorflow/libtensorflow_cc.so.2", b"cc" * 100000)
    wheel.writestr("tensorflow/libtensorflow_framework.so.2", b"framework")
    wheel.writestr("tensorflow/include/tensorflow/c/c_api.h", "// c_api")
    wheel.writestr("tensorflow/include/tensorflow/compiler/big.h", "// not needed")
`;

/** A wheel made in a folder. */
export interface MadeWheel {
  name: string;
  path: string;
  bytes: Buffer;
  sha256: string;
}

/** Makes a wheel of TensorFlow's name, version and layout with next to nothing in it. Needs python3. */
export function makeWheel(folder: string): MadeWheel {
  const name = "tensorflow_cpu-2.21.0-cp312-cp312-manylinux_2_27_x86_64.whl";
  const path = join(folder, name);
  execFileSync("python3", ["-c", script, path]);
  const bytes = readFileSync(path);
  return { name, path, bytes, sha256: createHash("sha256").update(bytes).digest("hex") };
}
