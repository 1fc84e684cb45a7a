"""PyTorch eager's side of bench/step.ts: the same network, one step a line of standard input.

    python3 bench/step_torch.py '{"network": "gff_dfp", "batch": 2, "size": [256, 256], "channels_last": false}'

Answers each line ("train" or "eval") with the milliseconds it took.
"""

import json
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

CLASSES = 19
options = json.loads(sys.argv[1])
torch.manual_seed(0)


class CBR(nn.Sequential):
    def __init__(self, k, i, o, stride=1, dilation=1, relu=True):
        layers = [nn.Conv2d(i, o, k, stride, dilation * (k - 1) // 2, dilation, bias=False), nn.BatchNorm2d(o)]
        super().__init__(*layers, *([nn.ReLU(inplace=True)] if relu else []))


def up(x, y):
    return F.interpolate(x, size=y.shape[2:], mode="bilinear", align_corners=False)


class Bottleneck(nn.Module):
    def __init__(self, i, width, stride, dilation):
        super().__init__()
        self.body = nn.Sequential(
            CBR(1, i, width), CBR(3, width, width, stride, dilation), CBR(1, width, 4 * width, relu=False)
        )
        short = stride != 1 or i != 4 * width
        self.short = CBR(1, i, 4 * width, stride, relu=False) if short else nn.Identity()

    def forward(self, x):
        return F.relu(self.body(x) + self.short(x), inplace=True)


class ResNet50(nn.Module):
    """Stem v1c, output stride 8."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(CBR(3, 3, 32, 2), CBR(3, 32, 32), CBR(3, 32, 64), nn.MaxPool2d(3, 2, 1))
        self.stages = nn.ModuleList()
        channels = 64
        plan = [(64, 3, 1, 1, 1), (128, 4, 2, 1, 1), (256, 6, 1, 1, 2), (512, 3, 1, 2, 4)]
        for width, blocks, stride, first, dilation in plan:
            stage = [Bottleneck(channels, width, stride, first)]
            channels = 4 * width
            stage += [Bottleneck(channels, width, 1, dilation) for _ in range(blocks - 1)]
            self.stages.append(nn.Sequential(*stage))

    def forward(self, x):
        x, levels = self.stem(x), []
        for stage in self.stages:
            x = stage(x)
            levels.append(x)
        return levels


class Context(nn.Module):
    def __init__(self):
        super().__init__()
        self.bins = [1, 2, 3, 6]
        self.stages = nn.ModuleList(CBR(1, 2048, 512) for _ in self.bins)
        self.bottleneck = CBR(3, 2048 + 4 * 512, 512)

    def forward(self, x):
        pooled = [up(stage(F.adaptive_avg_pool2d(x, b)), x) for stage, b in zip(self.stages, self.bins)]
        return self.bottleneck(torch.cat([x, *pooled], 1))


class Gff(nn.Module):
    def __init__(self):
        super().__init__()
        self.reduce = nn.ModuleList(CBR(1, c, 256) for c in (256, 512, 1024, 2048))
        self.gates = nn.ModuleList(nn.Conv2d(256, 1, 1) for _ in range(4))
        self.refine = nn.ModuleList(nn.Sequential(CBR(3, 256, 256), CBR(3, 256, 256)) for _ in range(4))

    def forward(self, levels):
        r = [reduce(x) for reduce, x in zip(self.reduce, levels)]
        g = [torch.sigmoid(gate(x)) for gate, x in zip(self.gates, r)]
        sent = [a * b for a, b in zip(g, r)]
        fused = []
        for l, refine in enumerate(self.refine):
            received = sum(up(sent[i], r[l]) for i in range(4) if i != l)
            fused.append(refine((1 + g[l]) * r[l] + (1 - g[l]) * received))
        return fused


class Dfp(nn.Module):
    def __init__(self):
        super().__init__()
        self.dense = nn.ModuleList(
            nn.Sequential(CBR(1, 512 + (3 - l) * 128 + 256, 128), CBR(3, 128, 128)) for l in range(4)
        )

    def forward(self, fused, context):
        maps = [context]
        for l in (3, 2, 1, 0):
            maps.append(self.dense[l](torch.cat([*(up(m, fused[l]) for m in maps), fused[l]], 1)))
        maps.reverse()
        return torch.cat([up(m, maps[0]) for m in maps], 1)


class Network(nn.Module):
    def __init__(self, name):
        super().__init__()
        self.backbone, self.context = ResNet50(), Context()
        self.neck, self.head = (Gff(), Dfp()) if name == "gff_dfp" else (None, None)
        self.classifier = nn.Conv2d(512 if self.neck is None else 4 * 128 + 512, CLASSES, 1)
        self.auxiliary = nn.Sequential(CBR(3, 1024, 256), nn.Dropout2d(0.1), nn.Conv2d(256, CLASSES, 1))
        self.dropout = nn.Dropout2d(0.1)

    def forward(self, x):
        levels = self.backbone(x)
        context = self.context(levels[3])
        features = context if self.neck is None else self.head(self.neck(levels), context)
        logits = up(self.classifier(self.dropout(features)), x)
        return (logits, up(self.auxiliary(levels[2]), x)) if self.training else logits


network = Network(options["network"])
format = torch.channels_last if options["channels_last"] else torch.contiguous_format
network = network.to(memory_format=format)
image = torch.randn(options["batch"], 3, *options["size"]).to(memory_format=format)
label = torch.randint(0, CLASSES, (options["batch"], *options["size"]))
optimizer = torch.optim.SGD(network.parameters(), lr=1e-3, momentum=0.9, weight_decay=1e-4)


def train():
    network.train()
    optimizer.zero_grad()
    logits, auxiliary = network(image)
    loss = F.cross_entropy(logits, label, ignore_index=255)
    (loss + 0.4 * F.cross_entropy(auxiliary, label, ignore_index=255)).backward()
    optimizer.step()
    return loss.item()


def evaluate():
    network.eval()
    with torch.inference_mode():
        network(image).argmax(1)


parameters = sum(p.numel() for p in network.parameters())
print(json.dumps({"version": torch.__version__, "parameters": parameters}), flush=True)
for line in sys.stdin:
    start = time.perf_counter()
    train() if line.strip() == "train" else evaluate()
    print(1000 * (time.perf_counter() - start), flush=True)
