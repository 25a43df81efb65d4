"""Dotted paths written as text: `"package.module.Name"`, `"package.module:Name"`, and what they lead to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from lossport.source.modules import Modules

_NAME = r"[A-Za-z_]\w*"
_INSIDE = rf":{_NAME}(?:\.{_NAME})*"
PATH = re.compile(rf"(?<![\w./\\-]){_NAME}(?:(?:\.{_NAME})+(?:{_INSIDE})?|{_INSIDE})(?![\w/\\])")
"""A dotted path that stands alone: not a part of a longer one, nor of a file name."""

Kind: TypeAlias = Literal["symbol", "module", "member", "unknown"]


@dataclass(frozen=True)
class Meaning:
    """What a text leads to: a legacy symbol, a legacy module, something inside a symbol, or another name of such a module.

    `provider` is the part of the text that names the module, `name` the rest.
    """

    kind: Kind
    target: str
    provider: str
    name: str
    separator: str = "."


def meaning_of(
    text: str, modules: Modules, symbols: frozenset[str], retired: frozenset[str], near: Path | None
) -> Meaning | None:
    """What the whole text leads to, if it is a dotted path to something legacy."""
    if PATH.fullmatch(text) is None:
        return None
    separator = ":" if ":" in text else "."
    dotted = text.replace(":", ".")
    parts = dotted.split(".")
    if modules.canonical(dotted, near) in retired:
        return Meaning("module", modules.canonical(dotted, near), dotted, "")
    for cut in range(len(parts) - 1, 0, -1):
        provider, name, rest = ".".join(parts[:cut]), parts[cut], parts[cut + 1 :]
        target = modules.member(provider, name, near)
        if target in symbols:
            kind: Kind = "member" if rest else "symbol"
            return Meaning(kind, target, provider, ".".join([name, *rest]), separator)
        if modules.canonical(provider, near) in retired:
            return Meaning("unknown", f"{modules.canonical(provider, near)}.{name}", provider, ".".join([name, *rest]), separator)
    return None


def paths_in(text: str) -> Iterator[re.Match[str]]:
    """Every dotted path of a text that stands alone."""
    return PATH.finditer(text)
