"""Faults that parity cannot see, as people record them with their reasons, for all losses in one file: those that change nothing
(`equivalent`), and those in what the legacy loss does not do, by declaration (`beyond`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, TypeAlias

from lossport.power.faults import Fault
from lossport.project.config import ConfigError, Project

NAME = "equivalent.toml"

Key: TypeAlias = tuple[str, str, str]
"""The file, and the changed line before and after: stable under changes elsewhere in the file."""


Kind: TypeAlias = Literal["equivalent", "beyond"]
KINDS: tuple[Kind, ...] = ("equivalent", "beyond")


def key_of(fault: Fault) -> Key:
    """What tells a fault from others."""
    return fault.path, fault.before, fault.after


def equivalents_file(project: Project) -> Path:
    """Where people record which faults parity cannot see, and why: beside the cases."""
    return project.cases / NAME


def known_equivalents(project: Project) -> dict[Key, tuple[Kind, str]]:
    """The kinds and reasons.

    Raises:
        ConfigError: the file is not as expected.
    """
    path = equivalents_file(project)
    if not path.is_file():
        return {}
    found: dict[Key, tuple[Kind, str]] = {}
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        for kind in KINDS:
            for item in data.pop(kind, []):
                changed = [item["after"]] if isinstance(item["after"], str) else item["after"]
                for after in changed:
                    found[item["file"], item["before"], after] = kind, str(item["reason"])
        if data:
            raise KeyError(next(iter(data)))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        expected = (
            "expected [[equivalent]] and [[beyond]] tables with file, before, after (a line, or a list of lines) and reason"
        )
        raise ConfigError(f"{project.relative(path)}: {error}; {expected}") from error
    return found


def in_a_line(key: Key) -> str:
    """A record in one line."""
    path, before, after = key
    return f"{path}: {before} -> {after}"


def stale(known: Iterable[Key], planted: Iterable[Fault], texts: Mapping[str, str]) -> tuple[Key, ...]:
    """Records that no fault is like any more, as far as the files and the lines go in which faults were planted."""
    keys = {key_of(fault) for fault in planted}
    reached = {key[:2] for key in keys}
    joined = {path: " ".join(line.strip() for line in text.splitlines()) for path, text in texts.items()}
    return tuple(
        key for key in known if key not in keys and key[0] in joined and (key[:2] in reached or key[1] not in joined[key[0]])
    )
