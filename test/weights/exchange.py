"""The other side of exchange.test.ts: a PSPNet in PyTorch, with segfuse's names or mmsegmentation's.

    exchange.py make FOLDER      read init*.safetensors, change the weights, write files and logits; and make a
                                 checkpoint as mmsegmentation writes it, with its logits
    exchange.py compare FOLDER   is back.safetensors what mmseg.pth was, bit for bit?

Layers and names of the second kind follow mmsegmentation's resnet.py (ResNetV1c), psp_head.py and fcn_head.py.
"""

import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import nn

torch.set_num_threads(1)
BASE, CHANNELS, BINS, CLASSES = 4, 8, (1, 2), 3


def module(**children):
    parent = nn.Module()
    for name, child in children.items():
        parent.add_module(name, child)
    return parent


def cbr(kernel, channels_in, out):
    return module(
        conv=nn.Conv2d(channels_in, out, kernel, padding=kernel // 2, bias=False), bn=nn.BatchNorm2d(out)
    )


def run_cbr(layer, x):
    return F.relu(layer.bn(layer.conv(x)))


class BasicBlock(nn.Module):
    def __init__(self, channels_in, out, stride, dilation):
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, out, 3, stride, dilation, dilation, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.downsample = None
        if stride != 1 or channels_in != out:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels_in, out, 1, stride, bias=False), nn.BatchNorm2d(out)
            )

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


def backbone():
    half = BASE // 2
    stem, channels = [], 3
    for out, stride in ((half, 2), (half, 1), (BASE, 1)):
        stem += [nn.Conv2d(channels, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU()]
        channels = out
    layers = {}
    # stride, dilation of the first block, of the second: output stride 8
    for i, (stride, first, second) in enumerate(((1, 1, 1), (2, 1, 1), (1, 1, 2), (1, 2, 4))):
        out = BASE * 2**i
        layers[f"layer{i + 1}"] = nn.Sequential(
            BasicBlock(channels, out, stride, first), BasicBlock(out, out, 1, second)
        )
        channels = out
    return module(stem=nn.Sequential(*stem), **layers)


class Net(nn.Module):
    def __init__(self, kind):
        super().__init__()
        top, level3 = BASE * 8, BASE * 4
        self.kind = kind
        self.backbone = backbone()
        stages = [cbr(1, top, CHANNELS) for _ in BINS]
        bottleneck = cbr(3, top + len(BINS) * CHANNELS, CHANNELS)
        classifier = nn.Conv2d(CHANNELS, CLASSES, 1)
        convs, auxiliary = nn.Sequential(cbr(3, level3, CHANNELS)), nn.Conv2d(CHANNELS, CLASSES, 1)
        if kind == "mmseg":
            psp = nn.ModuleList(nn.Sequential(nn.AdaptiveAvgPool2d(b), s) for b, s in zip(BINS, stages))
            self.decode_head = module(conv_seg=classifier, psp_modules=psp, bottleneck=bottleneck)
            self.auxiliary_head = module(conv_seg=auxiliary, convs=convs)
        else:
            context = module(stages=nn.ModuleList(stages), bottleneck=bottleneck)
            self.head = module(context=context, classifier=classifier)
            self.auxiliary_head = module(convs=convs, classifier=auxiliary)
        self.parts = [stages, bottleneck, classifier]

    def forward(self, image):
        def resize(x, size):
            return F.interpolate(x, size, mode="bilinear", align_corners=False)

        x = F.max_pool2d(self.backbone.stem(image), 3, 2, 1)
        for i in range(1, 5):
            x = getattr(self.backbone, f"layer{i}")(x)
        stages, bottleneck, classifier = self.parts
        pooled = [run_cbr(s, F.adaptive_avg_pool2d(x, b)) for b, s in zip(BINS, stages)]
        context = run_cbr(bottleneck, torch.cat([x, *(resize(p, x.shape[2:]) for p in pooled)], 1))
        return resize(classifier(context), image.shape[2:])


def randomise(net, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in net.state_dict().items():
            if not tensor.is_floating_point():
                tensor.fill_(seed)
                continue
            noise = torch.randn(tensor.shape, generator=generator)
            if name.endswith("running_var"):
                tensor.copy_(tensor * 0.9 + noise.abs() + 0.1)
            else:
                tensor.add_(noise * (0.2 if tensor.dim() == 1 else 1 / tensor[0].numel() ** 0.5))


def image(folder):
    path = folder / "image.png"
    if not path.exists():
        pixels = np.random.default_rng(0).integers(0, 256, (37, 52, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
    pixels = torch.from_numpy(np.asarray(Image.open(path)).astype(np.float32))
    normalised = (pixels - torch.tensor([123.675, 116.28, 103.53])) / torch.tensor([58.395, 57.12, 57.375])
    return normalised.permute(2, 0, 1)[None]


def write_logits(net, folder, name):
    with torch.no_grad():
        logits = net.eval()(image(folder)).permute(0, 2, 3, 1).contiguous()
    save_file({"logits": logits}, folder / name)


def main(action, folder):
    if action == "make":
        save_file({"image": image(folder).permute(0, 2, 3, 1).contiguous()}, folder / "input.safetensors")
        net = Net("segfuse")
        missing, unexpected = net.load_state_dict(load_file(folder / "init.safetensors"), strict=False)
        assert not unexpected and all(name.endswith("num_batches_tracked") for name in missing), (missing, unexpected)
        half = load_file(folder / "init_f16.safetensors")
        for name, tensor in load_file(folder / "init.safetensors").items():
            assert half[name].dtype == torch.float16 and torch.equal(half[name], tensor.half()), name
        write_logits(net, folder, "init_logits.safetensors")
        randomise(net, 1)
        state = nn.DataParallel(net).state_dict()
        torch.save({"model": state, "epoch": 1}, folder / "changed.pth")
        torch.save(net.state_dict(), folder / "changed_legacy.pt", _use_new_zipfile_serialization=False)
        write_logits(net, folder, "changed_logits.safetensors")
        net = Net("mmseg")
        randomise(net, 2)
        meta = {"mmseg_version": "0.30.0", "CLASSES": ("a", "b", "c"), "PALETTE": [[1, 2, 3]] * 3}
        torch.save({"meta": meta, "state_dict": net.state_dict()}, folder / "mmseg.pth")
        write_logits(net, folder, "mmseg_logits.safetensors")
    else:
        before = torch.load(folder / "mmseg.pth", weights_only=True)["state_dict"]
        after = load_file(folder / "back.safetensors")
        Net("mmseg").load_state_dict(after, strict=True)
        assert before.keys() == after.keys()
        for name, tensor in before.items():
            assert tensor.dtype == after[name].dtype and torch.equal(tensor, after[name]), name
        print(len(after), "tensors are the same")


main(sys.argv[1], Path(sys.argv[2]))
