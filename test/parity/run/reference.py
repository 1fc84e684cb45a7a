"""The reference of `npm run parity` and of the test of `segfuse init` and `segfuse predict --logits`.

    python3 reference.py measure JOB.json WEIGHTS OUT
        what is measured of the job (`quantities.py`) from the weights of a segfuse checkpoint
    python3 reference.py change JOB.json WEIGHTS CHANGED OUT IMAGE…
        changes every weight and statistic of a checkpoint, writes it as CHANGED, and the network's logits of
        the images in float64 as OUT: `logits` [batch, height, width, classes]
"""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "fixtures"))

import numpy as np  # noqa: E402
import torch  # noqa: E402
from networks import Segmentor  # noqa: E402
from PIL import Image  # noqa: E402
from quantities import quantities  # noqa: E402
from recipe import recipe, write  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402


def filler(path):
    weights = load_file(path)

    def fill(net):
        # Names and shapes must agree to the last one; only PyTorch counts batches.
        missing, unexpected = net.load_state_dict(weights, strict=False)
        missing = [name for name in missing if not name.endswith("num_batches_tracked")]
        assert not missing and not unexpected, (missing, unexpected)

    return fill


def change(net):
    with torch.no_grad():
        for name, value in net.state_dict().items():
            if value.is_floating_point():
                value *= recipe(f"change/{name}", tuple(value.shape), 0.7, 1.3)
                if name.endswith(("running_mean", "bias")):
                    value += recipe(f"shift/{name}", tuple(value.shape), -0.1, 0.1)


def main(command, job_path, weights, *rest):
    job = json.loads(pathlib.Path(job_path).read_text())
    if command == "measure":
        (out,) = rest
        tensors, metadata = quantities(job, filler(weights), job["cap"], job["runs"])
        write(pathlib.Path(out), tensors, **metadata)
        return
    changed, out, *images = rest
    net = Segmentor(job["model"], job["classes"])
    filler(weights)(net)
    change(net)
    # As a user of PyTorch would: no metadata of ours, `num_batches_tracked` included.
    save_file(net.state_dict(), changed)
    pixels = np.stack([np.asarray(Image.open(image).convert("RGB")) for image in images]).astype(np.float64)
    mean, std = (np.array(job["preprocess"][key]) for key in ("mean", "std"))
    x = torch.from_numpy((pixels - mean) / std).permute(0, 3, 1, 2).contiguous()
    with torch.no_grad():
        logits = net.double().eval()(x)
    write(pathlib.Path(out), {"logits": logits.permute(0, 2, 3, 1)})


if __name__ == "__main__":
    main(*sys.argv[1:])
