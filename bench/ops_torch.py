"""PyTorch eager's times for the layers of bench/ops.ts, as JSON: {name: {wall, cpu}} in milliseconds."""

import json
import statistics
import sys
import time

import torch
import torch.nn.functional as F

repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 9
LAYERS = [
    ("3x3 256", (4, 32, 256, 256), 3, 1, 1),
    ("3x3 256 dilation 2", (4, 32, 256, 256), 3, 1, 2),
    ("3x3 128 stride 2", (4, 64, 128, 128), 3, 2, 1),
    ("1x1 1024-256", (4, 32, 1024, 256), 1, 1, 1),
    ("depthwise 576", (8, 20, 576, 0), 3, 1, 1),
    ("depthwise 576 dilation 2", (8, 20, 576, 0), 3, 1, 2),
]
candidates = {}


def add_layer(name, shape, k, stride, dilation):
    batch, size, inputs, outputs = shape
    groups = 1 if outputs else inputs
    outputs = outputs or inputs
    padding = dilation * (k - 1) // 2
    x = torch.randn(batch, inputs, size, size)
    kernel = torch.randn(outputs, inputs // groups, k, k)

    def forward():
        return F.conv2d(x, kernel, None, stride, padding, dilation, groups)

    dy = torch.randn_like(forward())

    def backward(wants_x, wants_kernel):
        return torch.ops.aten.convolution_backward(
            dy, x, kernel, None, [stride] * 2, [padding] * 2, [dilation] * 2, False, [0, 0], groups,
            [wants_x, wants_kernel, False],
        )

    candidates[f"{name} forward"] = forward
    candidates[f"{name} dx"] = lambda: backward(True, False)
    candidates[f"{name} dW"] = lambda: backward(False, True)


for layer in LAYERS:
    add_layer(*layer)

image = torch.randn(4, 256, 64, 64)
weight, bias = torch.ones(256), torch.zeros(256)
mean, variance = torch.zeros(256), torch.ones(256)


def normalise(x, w, b):
    return F.relu(F.batch_norm(x, mean, variance, w, b, training=True))


def normalise_backward():
    inputs = [t.detach().requires_grad_() for t in (image, weight, bias)]
    return torch.autograd.grad(normalise(*inputs), inputs, image)


candidates["batch norm + ReLU forward"] = lambda: normalise(image, weight, bias)
candidates["batch norm + ReLU forward and backward"] = normalise_backward
small = torch.randn(2, 19, 64, 64)
candidates["resize 64 to 512, 19 classes"] = lambda: F.interpolate(small, size=(512, 512), mode="bilinear")
parameter = torch.nn.Parameter(torch.randn(512, 512, 3, 3))
parameter.grad = torch.randn(512, 512, 3, 3)
optimiser = torch.optim.SGD([parameter], lr=1e-3, momentum=0.9, weight_decay=1e-4)
candidates["SGD step, 2.4 M"] = optimiser.step

samples = {name: {"wall": [], "cpu": []} for name in candidates}
for i in range(-2, repetitions):
    for name, run in candidates.items():
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        if i >= 0:
            samples[name]["wall"].append(1000 * (time.perf_counter() - wall))
            samples[name]["cpu"].append(1000 * (time.process_time() - cpu))
medians = {name: {key: statistics.median(v) for key, v in times.items()} for name, times in samples.items()}
print(json.dumps(medians))
