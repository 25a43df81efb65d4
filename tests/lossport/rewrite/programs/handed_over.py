"""What torch or a library hands to user code: hooks, `apply`, wrapped models, submodules by name, copies and loads."""

from __future__ import annotations

NET = """\
import torch
from old_losses.triplet import TripletLoss
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.criterion = TripletLoss(T=2.0)
    def forward(self, a, b):
        return self.criterion(a, b)["loss"]
"""

PROGRAMS: dict[str, dict[str, str | bytes]] = {
    "hook_lambda": {
        "main.py": """\
from old_losses.triplet import TripletLoss
criterion = TripletLoss(T=2.0)
seen = []
criterion.register_forward_hook(lambda module, args, output: seen.append((module.T, output["accuracy"])))
criterion(1.0, 2.0)
print(seen)
"""
    },
    "hook_function": {
        "main.py": """\
from old_losses.triplet import TripletLoss
def log_recall(module, args, output):
    print("recall", output["recalls"]["r@1"], module.T)
def main():
    criterion = TripletLoss(T=2.0)
    criterion.register_forward_hook(log_recall)
    criterion(1.0, 2.0)
main()
"""
    },
    "hook_before": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class Warmup:
    def __init__(self):
        self.step = 0
    def __call__(self, module, args):
        self.step += 1
        module.T = 1.0 / self.step
criterion = TripletLoss()
criterion.register_forward_pre_hook(Warmup())
print(criterion(1, 2)["loss"], criterion(1, 2)["loss"])
"""
    },
    "hook_method": {
        "main.py": """\
from old_losses.triplet import TripletLoss
class Meter:
    def __init__(self, criterion):
        self.values = []
        criterion.register_forward_hook(self.on_forward)
    def on_forward(self, module, args, output):
        self.values.append(output["accuracy"])
criterion = TripletLoss(T=2.0)
meter = Meter(criterion)
criterion(1, 2)
print(meter.values)
"""
    },
    "hook_of_the_net": {
        "main.py": NET
        + """\
def report(module, args, output):
    print(module.criterion.T, output)
net = Net()
net.register_forward_hook(report)
net(1.0, 2.0)
"""
    },
    "hooks_for_all_modules": {
        "main.py": NET
        + """\
def attach(net):
    for name, module in net.named_modules():
        module.register_forward_hook(lambda m, i, o, name=name: print(name, o["accuracy"] if isinstance(o, dict) else o))
net = Net()
attach(net)
net(1.0, 2.0)
"""
    },
    "apply_to_the_loss": {
        "main.py": """\
from old_losses.triplet import TripletLoss
def anneal(module):
    module.T *= 0.5
criterion = TripletLoss(T=2.0)
criterion.apply(anneal)
print(criterion(1, 2)["loss"])
"""
    },
    "apply_to_the_net": {
        "main.py": NET
        + """\
def sharpen(module):
    if hasattr(module, "T"):
        module.T = 0.5
net = Net()
net.apply(sharpen)
print(net(1.0, 2.0))
"""
    },
    "apply_with_isinstance": {
        "main.py": NET
        + """\
def sharpen(module):
    if isinstance(module, TripletLoss):
        module.T = 0.5
        module.set_epoch(3, total=4)
net = Net()
net.apply(sharpen)
print(net(1.0, 2.0))
"""
    },
    "wrapped_net": {
        "main.py": NET
        + """\
net = torch.nn.DataParallel(Net()).cuda()
net.module.criterion.T = 0.25
print(net(1.0, 2.0), net.module.criterion(1, 1)["accuracy"])
"""
    },
    "wrapped_in_a_function": {
        "main.py": NET
        + """\
from torch.nn.parallel import DistributedDataParallel as DDP
def unwrap(model):
    return model.module if hasattr(model, "module") else model
def main():
    model = DDP(Net(), device_ids=[0])
    for epoch in range(2):
        unwrap(model).criterion.set_epoch(epoch, total=2)
        print(model(1.0, 2.0))
main()
"""
    },
    "accelerate": {
        "accelerate.py": """\
class Accelerator:
    def prepare(self, *things): return things
    def unwrap_model(self, model): return model
""",
        "main.py": NET
        + """\
from accelerate import Accelerator
accelerator = Accelerator()
optimizer = object()
model, optimizer = accelerator.prepare(Net(), optimizer)
accelerator.unwrap_model(model).criterion.T = 0.5
print(model(1.0, 2.0))
""",
    },
    "fabric_of_a_library": {
        "main.py": NET
        + """\
import types
import functools
def setup(fabric):
    model = fabric(Net())
    model.criterion.T = 0.5
    return model(1.0, 2.0)
print(setup(functools.partial(getattr, types.SimpleNamespace) and (lambda m: m)))
"""
    },
    "loss_wrapped": {
        "main.py": """\
import torch
from old_losses.triplet import TripletLoss
criterion = torch.nn.DataParallel(TripletLoss(T=2.0))
out = criterion(1.0, 2.0)
print(out["accuracy"], criterion.module.T)
"""
    },
    "submodules_by_name": {
        "main.py": NET
        + """\
net = Net()
print(net.get_submodule("criterion").T)
print(net._modules["criterion"].T)
print(dict(net.named_children())["criterion"](1, 2)["accuracy"])
"""
    },
    "all_modules_with_a_test": {
        "main.py": NET
        + """\
net = Net()
for module in net.modules():
    if isinstance(module, TripletLoss):
        module.T = 4.0
        module.set_epoch(1, total=2)
        print(module.T)
print(net(1.0, 2.0))
"""
    },
    "all_modules_by_attribute": {
        "main.py": NET
        + """\
net = Net()
for name, module in net.named_modules():
    if name.endswith("criterion"):
        module.T = 4.0
print(net(1.0, 2.0))
"""
    },
    "children_listed": {
        "main.py": NET
        + """\
net = Net()
losses = [child for child in net.children()]
print([loss(1, 2)["accuracy"] for loss in losses])
"""
    },
    "copied_net": {
        "main.py": NET
        + """\
import copy
net = Net()
teacher = copy.deepcopy(net)
teacher.criterion.T = 0.1
print(net(1, 2), teacher(1, 2), teacher.criterion(1, 2)["accuracy"])
"""
    },
    "pickled_net": {
        "main.py": NET
        + """\
import pickle
net = pickle.loads(pickle.dumps(Net()))
net.criterion.T = 0.1
print(net(1, 2))
"""
    },
    "saved_and_loaded": {
        "main.py": NET
        + """\
import io
buffer = io.BytesIO()
torch.save(Net(), buffer)
buffer.seek(0)
net = torch.load(buffer)
print(net.criterion.T, net(1, 2))
"""
    },
    "callback_in_another_file": {
        "net.py": NET,
        "callbacks.py": """\
class Anneal:
    def __init__(self, start):
        self.start = start
    def on_epoch_end(self, trainer, module):
        module.criterion.T = self.start
""",
        "trainer.py": """\
class Trainer:
    def __init__(self, callbacks=()):
        self.callbacks = callbacks
    def fit(self, model):
        for callback in self.callbacks:
            getattr(callback, "on_epoch_end")(self, model)
        return model
""",
        "main.py": """\
from callbacks import Anneal
from net import Net
from trainer import Trainer
print(Trainer([Anneal(0.5)]).fit(Net())(1, 2))
""",
    },
    "callback_that_reads_results": {
        "net.py": NET,
        "evaluate.py": """\
def evaluate(model, batches):
    total = 0.0
    for a, b in batches:
        out = model.criterion(a, b)
        total += out["accuracy"]
    return total
""",
        "main.py": """\
import importlib
from net import Net
print(importlib.import_module("evaluate").evaluate(Net(), [(1, 2), (2, 3)]))
""",
    },
    "another_attribute_of_that_name": {
        "net.py": NET,
        "plot.py": """\
class Axes:
    def __init__(self):
        self.T = 3
        self.accuracy = {"accuracy": 1}
def show(axes, settings):
    axes.T = settings["accuracy"]
    return axes.T, settings["recalls"]
""",
        "main.py": """\
from net import Net
from plot import Axes, show
print(show(Axes(), {"accuracy": 4, "recalls": 5}), Net()(1, 2))
""",
    },
    "metrics_with_the_same_keys": {
        "main.py": NET
        + """\
import json
history = json.loads('{"accuracy": 0.5, "note": "x", "recalls": [1]}')
net = Net()
metrics = {"accuracy": 0.1, "loss": net(1, 2)}
best = max(metrics["accuracy"], history["accuracy"])
print(best, history["recalls"], history.get("note"))
"""
    },
    "arrays_with_the_same_attribute": {
        "main.py": NET
        + """\
class Array:
    @property
    def T(self):
        return "transposed"
def load(path):
    return Array()
net = Net()
print(net(1, 2), load("x.npy").T, getattr(load("y"), "T"))
"""
    },
}

REFUSED: dict[str, list[str]] = {
    "hooks_for_all_modules": ["main.py:11"],
    "apply_to_the_loss": ["main.py:3"],
    "apply_to_the_net": ["main.py:10", "main.py:11"],
    "accelerate": ["main.py:13"],
    "fabric_of_a_library": ["main.py:13"],
    "submodules_by_name": ["main.py:10", "main.py:11", "main.py:12"],
    "all_modules_by_attribute": ["main.py:12"],
    "children_listed": ["main.py:11"],
    "pickled_net": ["main.py:11"],
    "saved_and_loaded": ["main.py:14"],
    "callback_in_another_file": ["callbacks.py:5"],
}
"""What needs a person, and where; every other program is rewritten."""
