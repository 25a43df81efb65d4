"""The `[tool.lossport]` table of a project: the only reader of configuration, and of the port files that it names.

Knows paths and numbers, not what they are used for. Imports neither torch nor the project's own packages.
"""

from __future__ import annotations

import datetime as dt
import difflib
import hashlib
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any, Literal

from lossport.project.errors import ProgramEnded
from lossport.project.overlaps import overlap
from lossport.project.port import Gone, Port, PortError

LOSS_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
"""A loss is named like its port file: a lower-case module name."""


class ConfigError(ValueError):
    """Wrong configuration or a wrong port file. The message says what, where, what was expected, and what to do."""


CLAIM_METRICS = ("complete", "duplication-reduced", "duplication", "lines", "legacy-lines")
"""What a claim may name to be measured; the report knows how."""


@dataclass(frozen=True)
class Claim:
    """A figure that somebody stated on a day: `[[tool.lossport.claims]]`."""

    date: dt.date
    text: str
    source: str
    metric: str = ""
    value: float | None = None


@dataclass(frozen=True)
class Gates:
    """Success criteria as numbers: `[tool.lossport.gates]`. Per cent values are 0 to 100."""

    lines: int = 2000
    duplication: float = 5.0
    coverage: float = 80.0
    utils_coverage: float = 95.0
    inheritance: int = 2
    complexity: int = 10
    architecture: float = 7.5
    hours_to_add_a_loss: float = 2.0


@dataclass(frozen=True)
class Option:
    """One way to write a loss, kept to be measured beside others: `[[tool.lossport.options]]`.

    `new` is its class by dotted path. With the interface `new` the loss's own port leads to it, with `legacy` call sites stay as
    they are. `second` are the files of a second loss in the same style, `change` is a patch that adds an option to both.
    """

    name: str
    title: str
    path: Path
    loss: str
    new: str
    interface: Literal["new", "legacy"] = "new"
    second: tuple[Path, ...] = ()
    change: Path | None = None
    tests: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Loss:
    """One loss under migration: its name, and what its port file says."""

    name: str
    port_file: Path
    case_file: Path
    golden_file: Path
    ports: tuple[Port, ...]
    gone: tuple[Gone, ...]
    port_digest: str
    """SHA-256 of the port file."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """Dotted paths of every legacy symbol that this loss retires."""
        return tuple(port.legacy for port in self.ports) + tuple(item.legacy for item in self.gone)

    @property
    def modules(self) -> tuple[str, ...]:
        """The legacy modules that this loss retires, in the order of the port file."""
        return tuple(dict.fromkeys([*(port.module for port in self.ports), *(item.module for item in self.gone)]))


@dataclass(frozen=True)
class Project:
    """A project with a `[tool.lossport]` table. All paths are absolute and lie inside `root`."""

    root: Path
    legacy: Path
    new: Path
    ports: Path
    cases: Path
    goldens: Path
    ledger: Path
    reports: Path
    tests: tuple[Path, ...]
    import_roots: tuple[Path, ...]
    exclude: tuple[str, ...] = ()
    test_command: tuple[str, ...] = ("python", "-m", "pytest", "-q", "-x")
    test_seconds: int = 3600
    test_files: tuple[str, ...] = ()
    require_tests: bool = True
    shim_until: dt.date | None = None
    gates: Gates = field(default_factory=Gates)
    claims: tuple[Claim, ...] = ()
    options: tuple[Option, ...] = ()

    @property
    def state(self) -> Path:
        """Where undo records, the journal, the lock and caches live; never committed."""
        return self.root / ".lossport"

    @property
    def own_paths(self) -> tuple[Path, ...]:
        """What the migration itself writes and reads: never a call site."""
        return (self.ports, self.cases, self.goldens, self.ledger, self.reports, self.state)

    def relative(self, path: Path) -> str:
        """`path` as messages and records show it: relative to the root, with forward slashes."""
        return path.relative_to(self.root).as_posix()

    def module_name(self, path: Path) -> str | None:
        """The dotted name under which Python imports the file, or None outside the import roots."""
        for root in self.import_roots:
            if path.is_relative_to(root) and path.suffix == ".py":
                parts = list(path.relative_to(root).with_suffix("").parts)
                if parts and parts[-1] == "__init__":
                    parts.pop()
                return ".".join(parts) if parts and all(part.isidentifier() for part in parts) else None
        return None

    def module_path(self, module: str) -> Path | None:
        """The file of a module of the project, or None if there is none."""
        for root in self.import_roots:
            stem = root.joinpath(*module.split("."))
            for candidate in (stem.with_suffix(".py"), stem / "__init__.py"):
                if candidate.is_file():
                    return candidate
        return None

    @cached_property
    def loss_names(self) -> tuple[str, ...]:
        """The losses that have a port file, in alphabetical order."""
        if not self.ports.is_dir():
            return ()
        return tuple(sorted(p.stem for p in self.ports.glob("*.py") if LOSS_NAME.match(p.stem)))

    def loss(self, name: str) -> Loss:
        """The loss of that name, its port file loaded and checked.

        Raises:
            ConfigError: there is no such port file, or it is wrong.
        """
        if name not in self.loss_names:
            known = ", ".join(self.loss_names) or "none yet"
            near = difflib.get_close_matches(name, self.loss_names, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            where = f"{self.relative(self.ports)}/{name}.py"
            raise ConfigError(f"no loss is called {name!r}: {hint}expected a port file {where}; known losses: {known}")
        return loss_from(self, name, (self.ports / f"{name}.py").read_bytes())

    def names(self, wanted: Sequence[str] = ()) -> list[str]:
        """The losses that are wanted, each once; all of them if none is named.

        Raises:
            ConfigError: one has no port file, or there is none at all.
        """
        for name in wanted:
            self.loss(name)
        if not wanted and not self.loss_names:
            where = self.relative(self.ports)
            raise ConfigError(f"no losses yet: a loss begins with its port, {where}/<loss>.py (see docs/ports.md)")
        return list(dict.fromkeys(wanted or self.loss_names))

    def losses(self) -> Iterator[Loss]:
        """Every loss that has a port file."""
        return (self.loss(name) for name in self.loss_names)


def loss_from(project: Project, name: str, port: bytes) -> Loss:
    """A loss whose port file has this content.

    Raises:
        ConfigError: the port file is wrong.
    """
    path = project.ports / f"{name}.py"
    ports, gone = _load_ports(path, port, project.relative(path))
    case_file, golden_file = project.cases / path.name, project.goldens / f"{name}.safetensors"
    return Loss(name, path, case_file, golden_file, ports, gone, hashlib.sha256(port).hexdigest())


def _load_ports(path: Path, content: bytes, shown: str) -> tuple[tuple[Port, ...], tuple[Gone, ...]]:
    """Run a port file, which imports `lossport.port` alone, and take its `PORTS`."""
    module = ModuleType(f"_lossport_port_{path.stem}")
    module.__file__ = str(path)
    keep_bytecode_away, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        exec(compile(content, path, "exec", dont_inherit=True), module.__dict__)
    except PortError as error:
        raise ConfigError(f"{shown}: {error}") from error
    except (Exception, SystemExit, ProgramEnded) as error:  # a port file is user code: anything can come out of it
        raise ConfigError(f"{shown}: cannot be loaded: {type(error).__name__}: {error}") from error
    finally:
        sys.dont_write_bytecode = keep_bytecode_away
    declared = getattr(module, "PORTS", None)
    if not isinstance(declared, tuple) or not declared or not all(isinstance(item, Port | Gone) for item in declared):
        raise ConfigError(f"{shown}: expected PORTS, a tuple of Port and Gone values; found {type(declared).__name__}")
    symbols = [item.legacy for item in declared]
    twice = sorted({symbol for symbol in symbols if symbols.count(symbol) > 1})
    if twice:
        raise ConfigError(f"{shown}: two entries for {', '.join(twice)}; a legacy symbol has one port")
    return tuple(p for p in declared if isinstance(p, Port)), tuple(p for p in declared if isinstance(p, Gone))


def find_project(start: Path) -> Project:
    """The project at `start`, or at the nearest folder above it whose `pyproject.toml` has a `[tool.lossport]` table.

    Raises:
        ConfigError: there is none, or its table is wrong.
    """
    start = start.resolve()
    if not start.is_dir():
        raise ConfigError(f"{start}: no such folder; --project takes the folder of the project's pyproject.toml")
    for folder in (start, *start.parents):
        file = folder / "pyproject.toml"
        if file.is_file():
            try:
                table = tomllib.loads(file.read_text(encoding="utf-8")).get("tool", {}).get("lossport")
            except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
                raise ConfigError(f"{file}: not readable as TOML: {error}") from error
            if table is not None:
                return parse_project(folder, table)
    raise ConfigError(
        f"{start}: no pyproject.toml with a [tool.lossport] table here or above; add the table, or point --project at it"
    )


def parse_project(root: Path, table: object) -> Project:
    """Check the table and make its paths absolute.

    Raises:
        ConfigError: naming the key, what was found and what was expected.
    """
    reader = _Reader("tool.lossport", table)
    root = root.resolve()
    project = Project(
        root=root,
        legacy=reader.path(root, "legacy", "legacy"),
        new=reader.path(root, "new", "losses"),
        ports=reader.path(root, "ports", "migration/ports"),
        cases=reader.path(root, "cases", "migration/cases"),
        goldens=reader.path(root, "goldens", "migration/goldens"),
        ledger=reader.path(root, "ledger", "migration/ledger.jsonl"),
        reports=reader.path(root, "reports", "reports"),
        tests=tuple(_inside(root, p, "tool.lossport.tests") for p in reader.strings("tests", ("tests",))),
        import_roots=tuple(_inside(root, p, "tool.lossport.import-roots") for p in reader.strings("import-roots", (".",))),
        exclude=reader.strings("exclude", ()),
        test_command=reader.strings("test-command", Project.test_command, least=1),
        test_seconds=reader.number("test-seconds", Project.test_seconds),
        test_files=reader.strings("test-files", ()),
        require_tests=reader.boolean("require-tests", Project.require_tests),
        shim_until=reader.date("shim-until"),
        gates=_gates(reader.table("gates")),
        claims=tuple(_claim(item, n) for n, item in enumerate(reader.list("claims"))),
        options=tuple(_option(root, item, n) for n, item in enumerate(reader.list("options"))),
    )
    reader.finish()
    keys = ("legacy", "new", "ports", "cases", "goldens", "reports", "ledger")
    wrong = overlap(root, {key: getattr(project, key) for key in keys}, project.tests)
    if wrong:
        raise ConfigError(f"tool.lossport.{wrong}")
    return project


def _gates(table: Mapping[str, Any]) -> Gates:
    reader = _Reader("tool.lossport.gates", table)
    values = {name: reader.number(name.replace("_", "-"), getattr(Gates(), name)) for name in Gates.__dataclass_fields__}
    reader.finish()
    return Gates(**values)


def _claim(item: object, index: int) -> Claim:
    reader = _Reader(f"tool.lossport.claims[{index}]", item)
    date = reader.date("date")
    if date is None:
        raise ConfigError(f"{reader.where}.date: missing; expected a date such as 2026-05-04")
    value = reader.number("value", None)
    metric = reader.string("metric", "")
    if metric and metric.strip().lower().replace("_", "-") not in CLAIM_METRICS:
        raise ConfigError(
            f"{reader.where}.metric: {metric!r} is not a metric; use one of {', '.join(CLAIM_METRICS)}, or leave it out"
        )
    claim = Claim(date, reader.string("text", None), reader.string("source", None), metric, value)
    reader.finish()
    return claim


def _option(root: Path, item: object, index: int) -> Option:
    reader = _Reader(f"tool.lossport.options[{index}]", item)
    name = reader.string("name", None)
    interface = reader.string("interface", "new")
    if interface not in ("new", "legacy"):
        raise ConfigError(f"{reader.where}.interface: expected 'new' or 'legacy', found {interface!r}")
    change = reader.string("change", "")
    option = Option(
        name=name,
        title=reader.string("title", name),
        path=_inside(root, reader.string("path", None), f"{reader.where}.path"),
        loss=reader.string("loss", None),
        new=reader.string("new", None),
        interface="legacy" if interface == "legacy" else "new",
        second=tuple(_inside(root, path, f"{reader.where}.second") for path in reader.strings("second", ())),
        change=_inside(root, change, f"{reader.where}.change") if change else None,
        tests=tuple(_inside(root, path, f"{reader.where}.tests") for path in reader.strings("tests", ())),
    )
    reader.finish()
    return option


def _inside(root: Path, text: str, key: str) -> Path:
    """A project-relative path as an absolute one that stays in the project."""
    if PurePosixPath(text).is_absolute() or ".." in PurePosixPath(text).parts:
        raise ConfigError(f"{key}: {text!r} leaves the project; expected a path relative to {root}, without '..'")
    path = root / text
    if not path.resolve().is_relative_to(root):
        raise ConfigError(f"{key}: {text!r} leads out of the project through a link; expected a path inside {root}")
    return path


class _Reader:
    """Takes typed values out of a TOML table and, at the end, rejects the keys that nobody took."""

    def __init__(self, where: str, table: object) -> None:
        if not isinstance(table, Mapping):
            raise ConfigError(f"{where}: expected a table, found {table!r}")
        self.where = where
        self._rest: dict[str, Any] = dict(table)
        self._known: list[str] = []

    def _take(self, key: str) -> Any:
        self._known.append(key)
        return self._rest.pop(key, None)

    def _wrong(self, key: str, found: object, expected: str) -> ConfigError:
        return ConfigError(f"{self.where}.{key}: expected {expected}, found {found!r}")

    def string(self, key: str, default: str | None) -> str:
        value = self._take(key)
        if value is None and default is not None:
            return default
        if not isinstance(value, str):
            raise self._wrong(key, value, "a string")
        return value

    def path(self, root: Path, key: str, default: str) -> Path:
        return _inside(root, self.string(key, default), f"{self.where}.{key}")

    def strings(self, key: str, default: tuple[str, ...], least: int = 0) -> tuple[str, ...]:
        value = self._take(key)
        if value is None:
            return default
        if not isinstance(value, list) or len(value) < least or not all(isinstance(item, str) for item in value):
            raise self._wrong(key, value, f"a list of {'at least one string' if least else 'strings'}")
        return tuple(value)

    def boolean(self, key: str, default: bool) -> bool:
        value = self._take(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self._wrong(key, value, "true or false")
        return value

    def list(self, key: str) -> list[object]:
        value = self._take(key)
        if value is not None and not isinstance(value, list):
            raise self._wrong(key, value, "a list of tables")
        return value or []

    def table(self, key: str) -> Mapping[str, Any]:
        value = self._take(key)
        if value is not None and not isinstance(value, Mapping):
            raise self._wrong(key, value, "a table")
        return value or {}

    def date(self, key: str) -> dt.date | None:
        value = self._take(key)
        if value is None:
            return None
        if isinstance(value, dt.datetime) or not isinstance(value, dt.date):
            raise self._wrong(key, value, "a date such as 2026-05-04, without quotes")
        return value

    def number(self, key: str, default: Any) -> Any:
        value = self._take(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._wrong(key, value, "a number")
        if isinstance(default, int) and not isinstance(value, int):
            raise self._wrong(key, value, "a whole number")
        return value

    def finish(self) -> None:
        if self._rest:
            unknown = ", ".join(sorted(self._rest))
            raise ConfigError(f"{self.where}: unknown key {unknown}; known keys: {', '.join(sorted(self._known))}")
