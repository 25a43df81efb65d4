"""Scripts that are no Python - shell, make, batch, container files - and may run, import or delete something legacy.

They are read, never written: each place is one for a person. One without a suffix whose first line asks for Python is Python.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from lossport.source.dotted import meaning_of, paths_in
from lossport.source.modules import Modules
from lossport.source.targets import Targets

SUFFIXES = frozenset(
    {".sh", ".bash", ".zsh", ".fish", ".ksh", ".bat", ".cmd", ".ps1", ".mk", ".make", ".sbatch", ".slurm", ".pbs", ".lsf"}
    | {".dockerfile", ".containerfile", ".def", ".just", ".service", ".gin", ".jsonnet", ".libsonnet"}
    | {".pyx", ".pxd", ".pxi", ".j2", ".jinja", ".jinja2", ".tmpl", ".tpl", ".template", ".mako", ".pyt"}
)
"""Of scripts, of configuration in languages of its own, of Cython, and of templates that Python is made from."""

SETTINGS = frozenset({".coveragerc", ".pylintrc", ".flake8", ".isort.cfg"})
"""Files of settings whose names have no ending of their own."""

BY_NAME_ALONE = frozenset({".gin"})
"""There a class is called by its own name: `train.criterion = @OldLoss()`."""

NAMES = frozenset(
    {"makefile", "gnumakefile", "dockerfile", "containerfile", "justfile", "jenkinsfile", "procfile", "snakefile", "sconstruct"}
)
"""Of scripts without a suffix, or with one that says nothing: `Dockerfile.gpu`. Others are, if their first line says so."""

LONGEST_SHEBANG = 256
"""Of a first line; systems cut it there."""

_PYTHON = re.compile(rb"#![^\n]*\bpy(?:thon|py)[\d.]*\b")
_COMMENT = re.compile(r"(?m)^[ \t]*(?:#|::|rem\b).*$", re.IGNORECASE)
_IMPORT = re.compile(r"\bfrom\s+(?P<module>[A-Za-z_][\w.]*)\s+c?import\s+\(?\s*(?P<names>\w+(?:\s*,\s*\w+)*)")
_FILE = re.compile(r"[\w.$(){}/\\-]*\w\.py\b")
_RUN = re.compile(r"\bpython[\d.]*(?:[ \t]+-\w+)*[ \t]+([^\s\"';|&]+\.py)\b")


def has_no_suffix(path: str) -> bool:
    """Whether the name of the file has no ending that tells its kind: `bin/train`, `CODEOWNERS`, `Dockerfile.gpu`."""
    name, _, rest = re.split(r"[/\\]", path)[-1].lstrip(".").partition(".")
    return not rest or name.lower() in NAMES


def is_python(raw: bytes) -> bool:
    """Whether the first line of a file asks for Python."""
    return _PYTHON.match(raw[:LONGEST_SHEBANG]) is not None


def is_script(path: Path, raw: bytes) -> bool:
    """Whether a file that is no Python runs something."""
    known = path.suffix in SUFFIXES or path.name in SETTINGS or path.name.partition(".")[0].lower() in NAMES
    return known or raw.startswith(b"#!")


def legacy_places(text: str, path: Path, modules: Modules, targets: Targets) -> list[tuple[int, str]]:
    """Where a script names something legacy: an import, a dotted path, or the file of a module; with what it names."""
    bare = _COMMENT.sub(lambda match: " " * len(match[0]), text)
    found: dict[int, str] = {}
    for places in (_dotted, _imported, _files, _named):
        for start, target in places(bare, path, modules, targets):
            found.setdefault(start, target)
    return sorted(found.items())


def _dotted(text: str, path: Path, modules: Modules, targets: Targets) -> Iterator[tuple[int, str]]:
    for match in paths_in(text):
        meaning = meaning_of(match[0], modules, targets.symbols, targets.modules, path.parent)
        if meaning is not None:
            yield match.start(), meaning.target


def _imported(text: str, path: Path, modules: Modules, targets: Targets) -> Iterator[tuple[int, str]]:
    for match in _IMPORT.finditer(text):
        for name in re.findall(r"\w+", match["names"]):
            target = modules.member(match["module"], name, path.parent)
            if target is not None and target in targets.symbols | targets.modules:
                yield match.start("module"), target


def _files(text: str, path: Path, modules: Modules, targets: Targets) -> Iterator[tuple[int, str]]:
    for match in _FILE.finditer(text):
        module = _module_of(match[0], path, modules, targets)
        if module is not None:
            yield match.start(), module


def _named(text: str, path: Path, modules: Modules, targets: Targets) -> Iterator[tuple[int, str]]:
    owners = {symbol.rpartition(".")[2]: symbol for symbol in sorted(targets.symbols)} if path.suffix in BY_NAME_ALONE else {}
    yield from ((match.start(), owners[match[0]]) for match in re.finditer(r"\w+", text) if match[0] in owners)


def files(text: str, path: Path, modules: Modules, targets: Targets) -> Iterator[tuple[int, str]]:
    """Where a text names the file of a legacy module."""
    return _files(text, path, modules, targets)


def commands(text: str, path: Path, modules: Modules, targets: Targets) -> Iterator[tuple[int, str]]:
    """Where a configuration file - a workflow, say - runs the file of a legacy module. Dotted paths are found in any case."""
    for match in _RUN.finditer(text):
        module = _module_of(match[1], path, modules, targets)
        if module is not None:
            yield match.start(), module


def _module_of(shown: str, path: Path, modules: Modules, targets: Targets) -> str | None:
    """The retired module that a path in a text is the file of, whatever stands before it: a variable, say."""
    parts = [part for part in re.split(r"[/\\]", shown.removesuffix(".py")) if part not in (".", "")]
    for start in range(len(parts)):
        dotted = ".".join(parts[start:])
        if "." in dotted and modules.canonical(dotted, path.parent) in targets.modules:
            return modules.canonical(dotted, path.parent)
    return None
