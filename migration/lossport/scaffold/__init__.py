"""The skeleton of a new loss: module, battery entry, tests (red until it is written), export and a line of documentation.

Start at `skeleton`, which plans changes and writes nothing; the texts are in `templates`. A new loss has no legacy, so there is
no port. Stands beside the house: uses it, and no room but `cli` imports it.
"""

from __future__ import annotations

import ast
import keyword
import re
import textwrap
from pathlib import Path

from lossport.project.config import LOSS_NAME, Project
from lossport.project.errors import InputError
from lossport.project.journal import read_or_none
from lossport.project.transaction import Change
from lossport.scaffold import templates

NEEDED = ("__init__.py", "base.py", "registry.py", "utils.py")
"""What the library has to have already: a new loss stands on it."""

SUFFIX = "_loss"
"""Left out of module names, as every module of the library holds losses."""

INDENT = "    "

TABLE = "| here |"
"""How the table of formulas begins that every loss has a row in."""


def skeleton(project: Project, name: str) -> tuple[Change, ...]:
    """The changes that add a loss called `name` to the library: three new files, its export, and its row in the documentation.

    Raises:
        InputError: the name is no name for a loss, or is taken, or the library has no place for one; says what was expected.
    """
    _check_name(project, name)
    library = project.relative(project.new).replace("/", ".")
    cls = class_name(name)
    page = project.root / "docs" / f"{project.new.name}.md"
    words = {"name": name, "cls": cls, "title": title(name), "library": library, "page": project.relative(page)}
    words["unwritten"] = templates.UNWRITTEN
    tests = _tests(project)
    new = {
        project.new / f"{name}.py": templates.MODULE,
        tests / "entries" / f"{name}.py": templates.ENTRY,
        tests / f"test_{name}.py": templates.TESTS,
    }
    for path in new:
        if path.exists():
            raise InputError(f"{project.relative(path)} is there already; choose another name, or remove it")
    changes = [Change(path, None, text.substitute(words).encode()) for path, text in new.items()]
    return (*changes, _export(project, library, name, cls), _document(page, words))


def class_name(name: str) -> str:
    """The class of a loss.

    >>> class_name("pair_margin")
    'PairMarginLoss'
    """
    return "".join(part.capitalize() for part in name.split("_")) + "Loss"


def title(name: str) -> str:
    """The loss in words, for the first line of a file.

    >>> title("pair_margin")
    'Pair margin'
    """
    return name.replace("_", " ").capitalize()


def _check_name(project: Project, name: str) -> None:
    if not LOSS_NAME.match(name) or keyword.iskeyword(name):
        raise InputError(f"{name!r} is no name for a loss: expected a lower-case module name such as 'siglip' or 'pair_margin'")
    if name.endswith(SUFFIX):
        raise InputError(f"{name!r}: every module here holds losses; call it {name.removesuffix(SUFFIX)!r}")
    for path in (project.new / needed for needed in NEEDED):
        if not path.is_file():
            raise InputError(f"{project.relative(path)} is not there: a new loss stands on it; see tool.lossport.new")
    for path in sorted(project.new.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if re.search(rf"""@register\(\s*["']{name}["']""", text):
            raise InputError(f"{name!r} is registered in {project.relative(path)} already; choose another name")
        if re.search(rf"^class {class_name(name)}\b", text, re.MULTILINE):
            raise InputError(f"{project.relative(path)} has a class {class_name(name)} already; choose another name")


def _tests(project: Project) -> Path:
    """Where the library's battery lies."""
    for folder in project.tests:
        if (folder / project.new.name / "battery.py").is_file():
            return folder / project.new.name
    looked = ", ".join(f"{project.relative(folder)}/{project.new.name}/battery.py" for folder in project.tests)
    raise InputError(f"no battery of tests: looked for {looked}; the tests of a new loss are an entry of it")


def _export(project: Project, library: str, name: str, cls: str) -> Change:
    """The library's `__init__.py` with the new class imported and in `__all__`, each in its place."""
    path = project.new / "__init__.py"
    before = path.read_bytes()
    text = before.decode()
    tree = ast.parse(text)
    listed = next((node.value for node in tree.body if isinstance(node, ast.Assign) and _is_all(node)), None)
    if not isinstance(listed, ast.List) or not listed.elts:
        raise InputError(f"{project.relative(path)}: expected __all__ = [...] with a name in it, to export {cls} beside")
    if "#" in (ast.get_source_segment(text, listed) or ""):
        raise InputError(f"{project.relative(path)}: __all__ has comments among its names, which would lose their places")
    lines = text.splitlines(keepends=True)
    first, last = listed.lineno - 1, listed.end_lineno or listed.lineno
    lines[first:last] = _with_name("".join(lines[first:last]), listed, cls).splitlines(keepends=True)
    lines.insert(_import_place(tree, f"{library}.{name}"), f"from {library}.{name} import {cls}\n")
    return Change(path, before, "".join(lines).encode())


def _is_all(node: ast.Assign) -> bool:
    return any(isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets)


def _with_name(text: str, listed: ast.List, cls: str) -> str:
    """The lines of a list of names with one more in its place, laid out as they are: one a line, or as many as fit."""
    quoted = [f'"{known}"' for known in _inserted([str(ast.literal_eval(node)) for node in listed.elts], cls)]
    head, _, rest = text.partition("[")
    _, _, tail = rest.rpartition("]")
    if "\n" not in text.strip():
        return f"{head}[{', '.join(quoted)}]{tail}"
    body = [f"{INDENT}{name}," for name in quoted]
    if len({node.lineno for node in listed.elts}) < len(listed.elts):
        width = max(len(line) for line in text.splitlines())
        body = textwrap.wrap(", ".join(quoted) + ",", width, initial_indent=INDENT, subsequent_indent=INDENT)
    return "\n".join([f"{head}[", *body, f"]{tail}"])


def _inserted(names: list[str], cls: str) -> list[str]:
    """Classes in order, before functions."""
    after = (number for number, known in enumerate(names) if not known[:1].isupper() or known > cls)
    place = next(after, len(names))
    return [*names[:place], cls, *names[place:]]


def _import_place(tree: ast.Module, module: str) -> int:
    """The line before which an import goes, among imports in order."""
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module]
    after = [node.lineno for node in imports if str(node.module) > module]
    if after:
        return after[0] - 1
    return imports[-1].end_lineno or imports[-1].lineno if imports else 0


def _document(page: Path, words: dict[str, str]) -> Change:
    """A row at the end of the table of formulas, with all yet to be written."""
    before = read_or_none(page)
    lines = (templates.PAGE if before is None else before.decode()).splitlines(keepends=True)
    row = templates.ROW.substitute(words)
    start = next((number for number, line in enumerate(lines) if line.startswith(TABLE)), None)
    if start is None:
        lines += ["\n", *templates.PAGE.splitlines(keepends=True)[2:]]
        start = len(lines) - 2
    end = next((number for number in range(start, len(lines)) if not lines[number].startswith("|")), len(lines))
    return Change(page, before, "".join([*lines[:end], row, *lines[end:]]).encode())
