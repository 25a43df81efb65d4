"""Scripts that are no Python - shell, make, batch, container files - and may run, import or delete something legacy.

They are read, never written: each place is one for a person. One without a suffix whose first line asks for Python is Python.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from lossport.tree.dotted import meaning_of, paths_in
from lossport.tree.modules import Modules
from lossport.tree.targets import Targets

SUFFIXES = frozenset(
    {".sh", ".bash", ".zsh", ".fish", ".ksh", ".bat", ".cmd", ".ps1", ".mk", ".make", ".sbatch", ".slurm", ".pbs", ".lsf"}
    | {".dockerfile", ".containerfile", ".def", ".just"}
)
"""Of scripts."""

NAMES = frozenset(
    {"makefile", "gnumakefile", "dockerfile", "containerfile", "justfile", "jenkinsfile", "procfile", "snakefile", "sconstruct"}
)
"""Of scripts without a suffix, or with one that says nothing: `Dockerfile.gpu`. Others are, if their first line says so."""

LONGEST_SHEBANG = 256
"""Of a first line; systems cut it there."""

_PYTHON = re.compile(rb"#![^\n]*\bpy(?:thon|py)[\d.]*\b")
_COMMENT = re.compile(r"(?m)^[ \t]*(?:#|::|rem\b).*$", re.IGNORECASE)
_IMPORT = re.compile(r"\bfrom\s+(?P<module>[A-Za-z_][\w.]*)\s+import\s+\(?\s*(?P<names>\w+(?:\s*,\s*\w+)*)")
_FILE = re.compile(r"[\w.$(){}/\\-]*\w\.py\b")
_RUN = re.compile(r"\bpython[\d.]*(?:[ \t]+-\w+)*[ \t]+([^\s\"';|&]+\.py)\b")


def has_no_suffix(path: str) -> bool:
    """Whether the name of the file has no ending that tells its kind: `bin/train`, `CODEOWNERS`, `Dockerfile.gpu`."""
    name, _, rest = re.split(r"[/\\]", path)[-1].lstrip(".").partition(".")
    return not rest or name.lower() in NAMES


def is_python(path: Path) -> bool:
    """Whether the first line of a file asks for Python."""
    return _PYTHON.match(_first_line(path)) is not None


def is_script(path: Path) -> bool:
    """Whether a file that is no Python runs something."""
    known = path.suffix in SUFFIXES or path.name.partition(".")[0].lower() in NAMES
    return known or _first_line(path).startswith(b"#!")


def _first_line(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.readline(LONGEST_SHEBANG)
    except OSError:
        return b""  # told where it is searched


def legacy_places(text: str, path: Path, modules: Modules, targets: Targets) -> Iterator[tuple[int, str]]:
    """Where a script names something legacy: an import, a dotted path, or the file of a module; with what it names."""
    bare = _COMMENT.sub(lambda match: " " * len(match[0]), text)
    found: dict[int, str] = {}
    for match in paths_in(bare):
        meaning = meaning_of(match[0], modules, targets.symbols, targets.modules, path.parent)
        if meaning is not None:
            found[match.start()] = meaning.target
    for match in _IMPORT.finditer(bare):
        for name in re.findall(r"\w+", match["names"]):
            target = modules.member(match["module"], name, path.parent)
            if target in targets.symbols or target in targets.modules:
                found.setdefault(match.start("module"), str(target))
    for match in _FILE.finditer(bare):
        module = _module_of(match[0], path, modules, targets)
        if module is not None:
            found.setdefault(match.start(), module)
    yield from sorted(found.items())


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
