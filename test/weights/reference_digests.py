"""What the reference implementations read: for each file given, its name and a digest, or the error's class.

The digest is that of `digestOf` in mutations.ts.
"""

import collections
import hashlib
import pickle
import sys
import types
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


usual = ("state_dict", "model_state_dict", "model_state", "model", "net", "network", "module")


class Stub:
    """In the place of every object that weights do not need: it takes all and does nothing."""

    def __init__(self, *args, **kwargs):
        pass

    def __call__(self, *args, **kwargs):
        return Stub()

    def __setstate__(self, state):
        pass

    def __setitem__(self, key, value):
        pass

    append = extend = add = __setattr__ = lambda *args: None


class StubUnpickler(pickle.Unpickler):
    """Python's unpickler, for which nothing exists but what tensors are made of."""

    def find_class(self, module, name):
        known = {collections.OrderedDict, collections.Counter, set, frozenset, bytearray, torch.Size, torch.device}
        if module == "torch._utils" and name.startswith(("_rebuild_tensor", "_rebuild_parameter")):
            return getattr(torch._utils, name, Stub)
        if module in ("collections", "builtins", "__builtin__", "torch"):
            found = getattr(sys.modules[module.replace("__builtin__", "builtins")], name, Stub)
            if isinstance(found, torch.dtype) or name.endswith("Storage") or any(found is k for k in known):
                return found
        return Stub


stubs = types.SimpleNamespace(Unpickler=StubUnpickler, load=lambda file, **options: StubUnpickler(file, **options).load())
stubs.__name__ = "stubs"


def load(path):
    try:
        return torch.load(path, weights_only=True, map_location="cpu")
    except pickle.UnpicklingError as error:
        if "GLOBAL" not in str(error):
            raise
        return torch.load(path, weights_only=False, pickle_module=stubs, map_location="cpu")


def state_dict(value):
    for key in usual:
        if isinstance(value, dict) and isinstance(value.get(key), dict) and has_tensors(value[key]):
            return state_dict(value[key])
    if not has_tensors(value):
        inner = [v for k, v in value.items() if has_tensors(v) and "optim" not in k and "sched" not in k]
        (value,) = inner
    tensors = {k: v for k, v in value.items() if isinstance(k, str) and isinstance(v, torch.Tensor)}
    while tensors and all(k.startswith("module.") and k != "module." for k in tensors):
        tensors = {k[len("module.") :]: v for k, v in tensors.items()}
    return tensors


def has_tensors(value, depth=0):
    if not isinstance(value, dict):
        return False
    return any(isinstance(v, torch.Tensor) or (depth < 2 and has_tensors(v, depth + 1)) for v in value.values())


def digest(path):
    if ".safetensors" in path:
        tensors = load_file(path)
    else:
        tensors = state_dict(load(path))
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
