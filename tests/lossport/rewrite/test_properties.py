"""Promises for any code: the result parses, bytes outside the edits stay, a second run changes nothing, nothing crashes.

Over code that Hypothesis puts together, and over files of pinned packages.
"""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lossport.project.config import Project, find_project
from lossport.rewrite import RewritePlan, plan_rewrite
from lossport.source.source import SourceError, decode

from .conftest import NEW, OLD, PORTS, PYPROJECT, comments, dedent

pytestmark = pytest.mark.slow

CORPUS = ("coverage", "hypothesis", "libcst", "pytest")
"""Packages of the test extra whose files are rewritten. Named, so that what else is installed changes nothing."""

CONSTRAINTS = Path(__file__).resolve().parents[3] / "constraints.txt"

SAMPLE = 60
"""Their files that are rewritten one by one: about half a minute. `benchmarks/rewrite.py` rewrites a tree of 12,000."""

IMPORTS = (
    ("from old_losses.triplet import TripletLoss", "TripletLoss"),
    ("from old_losses.triplet import TripletLoss as Loss  # why", "Loss"),
    ("from old_losses.triplet import (\n    TripletLoss,  # kept\n)", "TripletLoss"),
    ("import old_losses.triplet", "old_losses.triplet.TripletLoss"),
    ("import old_losses.triplet as m; import os", "m.TripletLoss"),
    ("try:\n    from old_losses.triplet import TripletLoss\nexcept ImportError:\n    TripletLoss = None", "TripletLoss"),
    ("from old_losses.triplet \\\n    import TripletLoss", "TripletLoss"),
)
VALUES = ("0.5", "x", "f(1)", "-1", "(1,\n        2)", "'é\\n'", "lambda: (yield_ := 1)", "[i for i in y]", "a if b else c")
ARGUMENTS = st.lists(st.sampled_from(("margin", "use_hard", "weight", "reduction", "T")), unique=True, max_size=5)
READS = ("['loss']", '["accuracy"]', "['recalls']['r@1']", ".get('accuracy')", "", ".items()")
PLACES = (
    "{statement}\n",
    "def f(a, b):\n    {statement}\n    return a\n",
    "class A:\n\tdef g(self, a, b):\n\t\t{statement}\n\t\treturn self\n",
    "if a:\n    {statement}  # here\nelse:\n    pass\n",
    "for i in range(3): {statement}\n",
    "with a as b:\n    x = 1; {statement}\n",
    "async def h(a, b):\n    await a; {statement}\n",
)


@st.composite
def programs(draw: st.DrawFn) -> str:
    """A module that imports the legacy loss, calls it in some places, and says other things besides."""
    statement, name = draw(st.sampled_from(IMPORTS))
    pieces = [
        draw(st.sampled_from(("", '"""Doc é."""\n', "# é\n", "import os\n\n"))),
        statement + "\n",
        "a = b = c = x = y = f = None\n",
    ]
    for _ in range(draw(st.integers(0, 4))):
        given = draw(ARGUMENTS)
        values = [draw(st.sampled_from(VALUES)) for _ in given]
        split = draw(st.integers(0, len(given)))
        arguments = [*values[:split], *(f"{key}={value}" for key, value in zip(given[split:], values[split:], strict=True))]
        gap = draw(st.sampled_from((", ", ",\n        ", ",  # why\n        ", " ,")))
        tail = draw(st.sampled_from(("", ",", ",\n    "))) if arguments else ""
        call = f"{name}({gap.join(arguments)}{tail})"
        read = draw(st.sampled_from(READS))
        line = draw(st.sampled_from(("k = {call}", "k = {call}; print(k(a, b){read})", "print({call}(a, b){read})", "{call}")))
        line = line.format(call=call, read=read)
        pieces.append(draw(st.sampled_from(PLACES)).replace("{statement}", line))
        pieces.append(draw(st.sampled_from(("", "\n\n", "\x0c\n", "# TripletLoss in a comment\n", "s = 'TripletLoss'\n"))))
    return "".join(pieces)


@cache
def workplace(root: Path) -> Project:
    for name, text in {"pyproject.toml": PYPROJECT, **OLD, **NEW, **PORTS}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
    return find_project(root)


def plan(project: Project) -> RewritePlan:
    return plan_rewrite(project, [project.loss("triplet")])


def pieces_outside(text: str) -> list[str]:
    """What the rewrite has no business with: the text between the statements that import the loss, or use what they import.

    Beside an import that goes, its line goes, too; beside one that comes, there are others that may be put in order.
    """
    names = {"TripletLoss", "Loss", "m", "old_losses", "k"}
    lines = text.encode().split(b"\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    spans: list[tuple[int, int]] = []
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.stmt) or hasattr(node, "body"):
            continue
        is_import = isinstance(node, ast.Import | ast.ImportFrom)
        if is_import or any(isinstance(part, ast.Name) and part.id in names for part in ast.walk(node)):
            last = (node.end_lineno or 0) - 1
            start, end = starts[node.lineno - 1] + node.col_offset, starts[last] + (node.end_col_offset or 0)
            rest = lines[last][node.end_col_offset or 0 :]
            spans.append((start, end + (len(rest) - len(rest.lstrip()) if is_import else 0)))
    raw, pieces, at = text.encode(), [], 0
    for start, end in sorted(spans):
        pieces.append(raw[at:start].decode())
        at = end
    return [*pieces, raw[at:].decode()]


def assert_unchanged_outside(before: str, after: str) -> None:
    """Every byte outside the edited statements is there, in order, from the first to the last."""
    pieces = pieces_outside(before)
    stripped = [piece.strip("\n; ") for piece in pieces[1:-1]]  # a statement that goes takes its separator along
    between = ".*?".join(re.escape(piece) for piece in stripped)
    pattern = re.escape(pieces[0].rstrip("\n; ")) + ".*?" + between + ".*?" + re.escape(pieces[-1].lstrip("\n; ")) + r"\Z"
    assert len(pieces) == 1 or re.match(pattern, after, re.DOTALL), (pieces, after)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(text=programs(), newline=st.sampled_from(("\n", "\r\n")), bom=st.booleans())
def test_generated_code_is_rewritten_or_refused_and_never_broken(
    tmp_path_factory: pytest.TempPathFactory, text: str, newline: str, bom: bool
) -> None:
    try:
        ast.parse(text)
    except SyntaxError:
        return
    root = tmp_path_factory.getbasetemp().resolve() / "generated"
    project = workplace(root)
    train = root / "train.py"
    before = (b"\xef\xbb\xbf" if bom else b"") + text.replace("\n", newline).encode()
    train.write_bytes(before)
    found = plan(project)
    if found.refusals:
        assert all(refusal.reason and refusal.todo for refusal in found.refusals)
        return
    after = found.files[0].after
    rewritten = decode(after).text
    ast.parse(rewritten)
    assert after.startswith(b"\xef\xbb\xbf") == bom
    assert after.count(b"\r\n") in (0, after.count(b"\n"))
    assert comments(text) == comments(rewritten.replace(newline, "\n"))
    assert_unchanged_outside(text, rewritten.replace(newline, "\n"))
    assert (
        "TripletLoss" not in [node.id for node in ast.walk(ast.parse(rewritten)) if isinstance(node, ast.Name)]
        or " as " in rewritten
    )
    train.write_bytes(after)
    again = plan(project)
    assert (again.diff(), again.refusals) == ("", ())


def files_of(package: str) -> list[Path]:
    """The Python files of a package of the test extra, in the version that `constraints.txt` pins: the same on every machine."""
    pins = dict(line.split("==") for line in CONSTRAINTS.read_text().split() if "==" in line)
    found = metadata.version(package)
    assert found == pins[package], f"{package} {found} is installed, {pins[package]} is pinned: make clean; make .venv/.ready"
    listed = [Path(str(file.locate())) for file in metadata.files(package) or () if file.suffix == ".py"]
    return sorted(path for path in listed if 200 < path.stat().st_size < 60_000)


def corpus() -> Iterator[Path]:
    """Python files of all kinds that other people wrote, by seed."""
    yield from random.Random(12).sample([path for package in CORPUS for path in files_of(package)], SAMPLE)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose sources are a sample of what is installed."""
    root = tmp_path_factory.mktemp("library").resolve()
    workplace(root)
    for number, path in enumerate(corpus()):
        (root / "src" / f"m{number}").mkdir(parents=True)
        (root / "src" / f"m{number}" / path.name).write_bytes(path.read_bytes())
    return root


def test_without_a_match_no_file_is_touched(library: Path) -> None:
    found = plan(find_project(library))
    assert found.files == ()
    assert found.searched > SAMPLE


def test_an_import_of_any_file_is_rewritten_and_every_other_byte_stays(library: Path) -> None:
    project = find_project(library)
    added = b"\nfrom old_losses.triplet import TripletLoss\n\n_criterion = TripletLoss(T=1)\n"
    expected = b"\nfrom new_losses import Triplet\n\n_criterion = Triplet(temperature=1, margin=0.2)\n"
    before: dict[Path, bytes] = {}
    for path in (library / "src").rglob("*.py"):
        raw = path.read_bytes()
        try:
            source = decode(raw)
            ast.parse(raw)
        except (SourceError, SyntaxError, ValueError):
            continue
        if source.newline == "\n" and "Triplet" not in source.text:
            before[path] = raw + (b"" if raw.endswith(b"\n") else b"\n")
            path.write_bytes(before[path] + added)
    assert len(before) > SAMPLE / 2
    found = plan(project)
    refused = {refusal.path for refusal in found.refusals}
    after = {file.path: file.after for file in found.files}
    for path, raw in before.items():
        if project.relative(path) not in refused:
            assert after[path] == raw + expected, path.name
    assert len(refused) < len(before) / 4
    for file in found.files:
        file.path.write_bytes(file.after)
    assert plan(project).files == ()


def test_a_popular_name_of_an_installed_tree_is_followed_without_a_crash(tmp_path: Path) -> None:
    """The networkx package as if its `Graph` were retired: a name that hundreds of files use in every way."""
    import networkx  # type: ignore[import-untyped]  # it ships no types  # noqa: PLC0415

    root = tmp_path.resolve()
    source = Path(networkx.__file__).parent
    assert files_of("networkx")
    files = sorted((source / "classes").rglob("*.py")) + random.Random(3).sample(
        sorted((source / "algorithms").rglob("*.py")), 60
    )
    before: dict[Path, bytes] = {}
    for path in files:
        at = root / "networkx" / path.relative_to(source)
        at.parent.mkdir(parents=True, exist_ok=True)
        for parent in at.relative_to(root).parents:
            if parent.name and not (root / parent / "__init__.py").exists():
                (root / parent / "__init__.py").write_bytes(b"")
        at.write_bytes(path.read_bytes())
        before[at] = path.read_bytes()
    (root / "legacy").mkdir()
    text = PYPROJECT.replace('"old_losses"', '"legacy"').replace('"new_losses"', '"graphs"')
    (root / "pyproject.toml").write_text(text)
    (root / "ports").mkdir()
    port = "from lossport.port import Port, rename\n\nPORTS = (Port(\n    legacy='networkx.classes.graph.Graph',\n"
    port += "    new='graphs.NewGraph',\n    parameters=(rename('incoming_graph_data', 'data'),),\n),)\n"
    (root / "ports" / "graph.py").write_text(port)
    (root / "graphs").mkdir()
    (root / "graphs" / "__init__.py").write_text("class NewGraph:\n    def __init__(self, data=None, **attr):\n        pass\n")
    project = find_project(root)
    found = plan_rewrite(project, [project.loss("graph")])
    assert len(found.sites) > 20
    for file in found.files:
        ast.parse(file.after)
        file.path.write_bytes(file.after)
    assert plan_rewrite(project, [project.loss("graph")]).files == ()
