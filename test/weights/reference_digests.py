"""What the reference implementations read: for each file given, its name and a digest, or the error's class.

The digest is that of `digestOf` in mutations.ts.
"""

import hashlib
import sys
import warnings

import numpy
import torch
from safetensors.torch import load_file

warnings.simplefilter("ignore")
# checkpoint.*.pth has a NumPy number
torch.serialization.add_safe_globals([numpy._core.multiarray.scalar, numpy.dtype, numpy.dtypes.Float64DType])
dtypes = {
    torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16",
    torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8",
    torch.uint64: "U64", torch.uint32: "U32", torch.uint16: "U16", torch.uint8: "U8", torch.bool: "BOOL",
}


def state_dict(value):
    for key in ("state_dict", "model"):
        if isinstance(value, dict) and isinstance(value.get(key), dict):
            return state_dict(value[key])
    tensors = {k: v for k, v in value.items() if isinstance(k, str) and isinstance(v, torch.Tensor)}
    while tensors and all(k.startswith("module.") and k != "module." for k in tensors):
        tensors = {k[len("module.") :]: v for k, v in tensors.items()}
    return tensors


def digest(path):
    if ".safetensors" in path:
        tensors = load_file(path)
    else:
        tensors = state_dict(torch.load(path, weights_only=True, map_location="cpu"))
    sha = hashlib.sha256()
    for name in sorted(tensors, key=lambda n: n.encode()):
        tensor = tensors[name].detach().contiguous()
        shape = ",".join(map(str, tensor.shape))
        sha.update(f"{name}\0{dtypes[tensor.dtype]}\0{shape}\0".encode())
        sha.update(tensor.flatten().view(torch.uint8).numpy().tobytes())
    return sha.hexdigest()


for path in sys.argv[1:] or sys.stdin.read().split("\n"):
    if not path:
        continue
    try:
        print(path, digest(path))
    except Exception as error:
        print(path, type(error).__name__, " ".join(str(error).split())[-300:])
