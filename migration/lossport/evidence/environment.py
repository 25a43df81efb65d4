"""What recorded numbers may depend on besides the code: written into goldens and proofs, compared when they are read."""

from __future__ import annotations

import os
import platform

import torch

LIBRARIES = {"mkl": ("MKL_",), "onednn": ("ONEDNN_", "DNNL_")}
"""The libraries under torch that choose instructions by themselves, and how the variables start that tell them what to choose."""

HARMLESS = ("_NUM_THREADS", "_VERBOSE")
"""Ends of such variables that change no number: a case runs in one thread."""

SUBNORMAL = 2.0**-140
"""A float32 that only subnormal numbers can hold."""


def environment(device: str = "cpu") -> dict[str, str]:
    """What the numbers may depend on. Within `steady`, as that is how cases run."""
    found = {
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "machine": platform.machine(),
        "vectors": torch.backends.cpu.get_cpu_capability(),
        "mkl": _library("mkl"),
        "onednn": _library("onednn"),
        "denormals": "flushed" if float(torch.tensor(SUBNORMAL) * 1.0) == 0.0 else "kept",
        "threads": str(torch.get_num_threads()),
        "device": device,
    }
    if torch.device(device).type == "cuda":
        found["gpu"] = torch.cuda.get_device_name(device)
        found["cuda"] = str(torch.version.cuda)
    return found


def _library(name: str) -> str:
    """`as it chooses`, or the settings that choose for it."""
    backend = torch.backends.mkl if name == "mkl" else torch.backends.mkldnn
    if not backend.is_available():
        return "none"
    variables = sorted(item for item in os.environ if item.startswith(LIBRARIES[name]) and not item.endswith(HARMLESS))
    chosen = " ".join(f"{variable}={os.environ[variable]}" for variable in variables)
    return chosen or "as it chooses"
