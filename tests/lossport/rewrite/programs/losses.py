"""Losses that really compute, old and new, over a stand-in for torch: rewritten programs must print what they printed."""

# a long line is what some of them are about

from __future__ import annotations

TORCH = {
    "torch/__init__.py": """
from . import nn
class Tensor:
    def __init__(self, v): self.v = float(v)
    def item(self): return self.v
    def detach(self): return self
    def backward(self): print("backward", self.v)
    def cpu(self): return self
    def mean(self): return self
    def __float__(self): return self.v
    def __repr__(self): return f"tensor({self.v:.4f})"
    def __format__(self, spec): return format(self.v, spec) if spec else repr(self)
    def _o(self, o): return o.v if isinstance(o, Tensor) else o
    def __add__(self, o): return Tensor(self.v + self._o(o))
    __radd__ = __add__
    def __sub__(self, o): return Tensor(self.v - self._o(o))
    def __mul__(self, o): return Tensor(self.v * self._o(o))
    __rmul__ = __mul__
    def __truediv__(self, o): return Tensor(self.v / self._o(o))
    def __neg__(self): return Tensor(-self.v)
    def __lt__(self, o): return self.v < self._o(o)
    def __gt__(self, o): return self.v > self._o(o)
def tensor(v): return Tensor(v)
def stack(ts): return Tensor(sum(t.v for t in ts))
def save(thing, file):
    import pickle
    pickle.dump(thing, file)
def load(file, **k):
    import pickle
    return pickle.load(file)
def compile(thing=None, **k): return thing
class no_grad:
    def __enter__(self): return self
    def __exit__(self, *a): return False
    def __call__(self, f): return f
""",
    "torch/nn/__init__.py": """
class Module:
    training = True
    def __init__(self): pass
    def __call__(self, *a, **k):
        for hook in self._kept("before"): hook(self, a)
        out = self.forward(*a, **k)
        for hook in self._kept("after"):
            changed = hook(self, a, out)
            out = out if changed is None else changed
        return out
    def _kept(self, when): return self.__dict__.setdefault("hooks", {}).setdefault(when, [])
    def register_forward_hook(self, hook): self._kept("after").append(hook)
    def register_forward_pre_hook(self, hook): self._kept("before").append(hook)
    def to(self, *a): return self
    def cuda(self): return self
    def eval(self): return self
    def train(self, mode=True): return self
    def parameters(self): return []
    def state_dict(self): return {}
    @property
    def _modules(self): return {k: v for k, v in vars(self).items() if isinstance(v, Module)}
    def named_children(self): return list(self._modules.items())
    def children(self): return list(self._modules.values())
    def modules(self):
        yield self
        for child in self.children(): yield from child.modules()
    def named_modules(self, prefix=""):
        yield prefix, self
        for name, child in self.named_children(): yield from child.named_modules(f"{prefix}.{name}".strip("."))
    def get_submodule(self, path):
        return dict(self.named_modules())[path]
    def apply(self, function):
        for child in self.children(): child.apply(function)
        function(self)
        return self
class ModuleDict(Module):
    def __init__(self, d=None): self.d = dict(d or {})
    @property
    def _modules(self): return self.d
    def __getitem__(self, k): return self.d[k]
    def __setitem__(self, k, v): self.d[k] = v
    def items(self): return self.d.items()
    def values(self): return self.d.values()
    def keys(self): return self.d.keys()
    def __contains__(self, k): return k in self.d
class ModuleList(Module):
    def __init__(self, l=()): self.l = list(l)
    @property
    def _modules(self): return {str(i): m for i, m in enumerate(self.l)}
    def __iter__(self): return iter(self.l)
    def __len__(self): return len(self.l)
    def __getitem__(self, i): return self.l[i]
    def append(self, m): self.l.append(m)
class Sequential(Module):
    def __init__(self, *l): self.l = list(l)
    @property
    def _modules(self): return {str(i): m for i, m in enumerate(self.l)}
    def __getitem__(self, i): return self.l[i]
    def forward(self, x):
        for m in self.l: x = m(x)
        return x
class DataParallel(Module):
    def __init__(self, module, device_ids=None):
        self.module = module
    def forward(self, *a, **k): return self.module(*a, **k)
from . import parallel
""",
    "torch/nn/parallel.py": """
from torch.nn import DataParallel
class DistributedDataParallel(DataParallel): pass
""",
}
"""As much of torch as the programs need: a tensor prints differently from a number, so that a lost `.item()` shows."""

OLD = {
    "old_losses/__init__.py": """""",
    "old_losses/triplet.py": """
import torch
import torch.nn as nn

LIMIT = 3

class TripletLoss(nn.Module):
    \"\"\"Legacy.\"\"\"
    def __init__(self, margin=0.2, use_hard=False, weight=0.5, reduction="mean", T=1.0):
        super().__init__()
        self.margin = margin
        self.T = T
        self.reduction = reduction
        self.cache = {}
        self.number = 0

    def forward(self, a, b, ids=None, **kwargs):
        v = float(a) * self.margin + float(b) * self.T + (1 if self.reduction == "mean" else 2) + self.number
        if ids is not None:
            v += len(ids)
        return {"loss": torch.tensor(v), "accuracy": v / 2, "recalls": {"r@1": v / 4, "r@5": v / 8}, "note": "x"}

    def set_epoch(self, number, total=1):
        self.number = number / total

    def _hits(self, a, b):
        return 1


def describe(path="x"):
    return {}
""",
    "old_losses/plain.py": """
import torch
import torch.nn as nn


class PlainLoss(nn.Module):
    def __init__(self, scale=1.0):
        super().__init__()
        self.scale = scale

    def forward(self, x):
        return torch.tensor(float(x) * self.scale)
""",
    "old_losses/pair.py": """
import torch
import torch.nn as nn


class PairLoss(nn.Module):
    def __init__(self, weight=1.0):
        super().__init__()
        self.weight = weight

    def forward(self, a, b):
        return torch.tensor(float(a) * self.weight), {"diagonal": 0.5, "rest": 0.25}
""",
    "old_losses/functional.py": """
import torch

def soft_margin(x, y, reduction="mean", eps=1e-6):
    return torch.tensor(float(x) + float(y) + eps)


def hinge(x, y):
    return torch.tensor(float(x) - float(y))
""",
}
"""The legacy package."""

NEW = {
    "new_losses/__init__.py": """
from .functional import hinge, soft_margin_loss
from .losses import Pair, Plain, Triplet

__all__ = ["Pair", "Plain", "Triplet", "hinge", "soft_margin_loss"]
""",
    "new_losses/losses.py": """
import torch
import torch.nn as nn


class Triplet(nn.Module):
    def __init__(self, margin=0.3, reduction="mean", temperature=1.0):
        super().__init__()
        self.margin = margin
        self.temperature = temperature
        self.reduction = reduction
        self.number = 0

    def forward(self, a, b, ids=None):
        v = float(a) * self.margin + float(b) * self.temperature + (1 if self.reduction == "mean" else 2) + self.number
        if ids is not None:
            v += len(ids)
        return {"loss": torch.tensor(v), "accuracy": torch.tensor(v / 2), "r@1": torch.tensor(v / 4), "r@5": torch.tensor(v / 8)}

    def start_epoch(self, number, *, of=1):
        self.number = number / of


class Plain(nn.Module):
    def __init__(self, scale=1.0):
        super().__init__()
        self.scale = scale

    def forward(self, x):
        return torch.tensor(float(x) * self.scale)


class Pair(nn.Module):
    def __init__(self, weight=1.0):
        super().__init__()
        self.weight = weight

    def forward(self, a, b):
        return {"loss": torch.tensor(float(a) * self.weight), "diagonal": torch.tensor(0.5), "rest": torch.tensor(0.25)}
""",
    "new_losses/functional.py": """
import torch

def soft_margin_loss(x, y, *, eps=1e-6):
    return {"loss": torch.tensor(float(x) + float(y) + eps)}


def hinge(x, y):
    return torch.tensor(float(x) - float(y))
""",
}
"""The package that stays."""
