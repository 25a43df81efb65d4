"""Generated projects under git: many files, many losses, some of them retired, to see by what the cost of a command grows.

The files are real Python, those installed beside this interpreter, below a head that imports other files of the project. One
file in ten is a test. Every loss has a legacy module, a new one, a port, cases and call sites.
"""

from __future__ import annotations

import random
import subprocess
import sysconfig
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

SEED = 7
LARGEST = 30_000
"""Bytes of a file: generated tables of a megabyte are not what a research repository holds."""

SITES = 4
"""Call sites of each loss."""

FOLDER = 50
"""Modules in a package."""

CONFIGURATION = """[tool.lossport]
legacy = "retiring"
new = "staying"
ports = "ports"
cases = "cases"
goldens = "goldens"
ledger = "ledger.jsonl"
test-command = ["python", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
"""

LEGACY = '''"""Pairs, the way they were written first."""

import torch
import torch.nn.functional as F


class Old{name}Loss(torch.nn.Module):
    """Cross entropy of pairs."""

    def __init__(self, T=0.1, verbose=False):
        super().__init__()
        self.T = T
        self.verbose = verbose

    def forward(self, left, right):
        if self.verbose:
            print("computing")
        left = F.normalize(left, dim=1)
        right = F.normalize(right, dim=1)
        logits = torch.matmul(left, right.t()) / self.T
        labels = torch.arange(logits.shape[0])
        forward = F.cross_entropy(logits, labels)
        backward = F.cross_entropy(logits.t(), labels)
        return (forward + backward) / 2
'''

NEW = '''"""Pairs."""

import torch
from torch.nn import functional


class Fresh{name}(torch.nn.Module):
    """Cross entropy of pairs."""

    def __init__(self, temperature=0.1):
        super().__init__()
        self.temperature = temperature

    def forward(self, left, right):
        left = functional.normalize(left, dim=1)
        right = functional.normalize(right, dim=1)
        logits = torch.matmul(left, right.t()) / self.temperature
        labels = torch.arange(logits.shape[0])
        forward = functional.cross_entropy(logits, labels)
        backward = functional.cross_entropy(logits.t(), labels)
        return (forward + backward) / 2
'''

PORT = """from lossport.port import Port, drop, rename

PORTS = (
    Port(
        legacy="retiring.{module}_loss.Old{name}Loss",
        new="staying.{module}.Fresh{name}",
        parameters=(rename("T", "temperature"), drop("verbose", reason="it only prints")),
        attributes=(rename("T", "temperature"),),
    ),
)
"""

CASES = """from lossport.inputs import Inputs
from retiring.{module}_loss import Old{name}Loss


def pairs(inputs: Inputs):
    yield Old{name}Loss(T=0.2)(*inputs.paired(batch=4, dim=3))
"""

SITE = "\n\nfrom {package}.{module} import {symbol}\n\ncriterion_{number} = {symbol}({temperature}=0.3)\n"


@dataclass(frozen=True)
class Kind:
    """How large a project is: its Python files, its losses, and how many of them are retired."""

    files: int
    losses: int
    retired: int = 0


def installed() -> list[str]:
    """The texts of Python files beside this interpreter, each inside a function, as what they import is not there."""
    root = Path(sysconfig.get_path("purelib"))
    found: list[str] = []
    for path in sorted(root.rglob("*.py")):
        raw = path.read_bytes()
        if len(raw) <= LARGEST and b"import *" not in raw and b"from __future__" not in raw and b"\0" not in raw:
            try:
                text = "def everything():\n" + textwrap.indent(raw.decode() or "pass\n", "    ") + "\n    return None\n"
                compile(text, str(path), "exec", dont_inherit=True)
            except (UnicodeDecodeError, SyntaxError, ValueError):
                continue
            found.append(text)
    return found


def build(root: Path, kind: Kind, texts: Sequence[str]) -> None:
    """Write the project and commit it."""
    for name, content in {**dict(_losses(kind)), **dict(_files(kind, texts))}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    git = ["git", "-C", str(root), "-c", "user.name=A", "-c", "user.email=a@b", "-c", "core.autocrlf=false"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "tree"]):
        subprocess.run([*git, *command], check=True)


def _named(number: int) -> dict[str, str]:
    return {"name": f"Pair{number}", "module": f"pair_{number}"}


def _losses(kind: Kind) -> Iterator[tuple[str, str]]:
    yield "pyproject.toml", CONFIGURATION
    yield ".gitignore", ".lossport/\n__pycache__/\n"
    yield "staying/__init__.py", ""
    yield "retiring/__init__.py", ""
    events = []
    for number in range(kind.losses):
        named = _named(number)
        yield f"ports/{named['module']}.py", PORT.format(**named)
        yield f"cases/{named['module']}.py", CASES.format(**named)
        yield f"staying/{named['module']}.py", NEW.format(**named)
        if number < kind.retired:
            file = f"retiring/{named['module']}_loss.py"
            events.append(
                f'{{"at": "2026-01-01T00:00:00Z", "event": "retired", "loss": "{named["module"]}", "files": ["{file}"]}}\n'
            )
        else:
            yield f"retiring/{named['module']}_loss.py", LEGACY.format(**named)
    yield "ledger.jsonl", "".join(events)


def _files(kind: Kind, texts: Sequence[str]) -> Iterator[tuple[str, str]]:
    rng = random.Random(SEED)
    sites: dict[int, list[int]] = {}
    for loss in range(kind.losses):
        for _ in range(SITES):
            sites.setdefault(rng.randrange(kind.files), []).append(loss)
    for number in range(kind.files):
        above = number // 2
        head = f"import src.p{above // FOLDER:03}.m{above:05}\n" if above != number else ""
        planted = "".join(_site(loss, loss < kind.retired) for loss in sites.get(number, ()))
        if number % 10 == 9:
            body = f"import src.p{(number - 1) // FOLDER:03}.m{number - 1:05}\n\n\ndef test_it():\n    assert True\n"
            yield f"tests/test_{number:05}.py", head + body + planted
        else:
            yield f"src/p{number // FOLDER:03}/m{number:05}.py", head + texts[number % len(texts)] + planted
    for folder in range(kind.files // FOLDER + 1):
        yield f"src/p{folder:03}/__init__.py", ""
    yield "src/__init__.py", ""


def _site(number: int, retired: bool) -> str:
    named = _named(number)
    if retired:
        return SITE.format(
            package="staying",
            module=named["module"],
            symbol=f"Fresh{named['name']}",
            number=number,
            temperature="temperature",
        )
    return SITE.format(
        package="retiring", module=f"{named['module']}_loss", symbol=f"Old{named['name']}Loss", number=number, temperature="T"
    )
