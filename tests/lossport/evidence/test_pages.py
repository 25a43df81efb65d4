"""The pages on parity and cases tell the constants, variants and inputs that there are."""

from __future__ import annotations

import importlib
import inspect
import re
from dataclasses import fields
from pathlib import Path

import pytest

from lossport import port
from lossport.inputs import Inputs
from lossport.judge import variants
from lossport.power import equivalents

DOCS = Path(__file__).resolve().parents[3] / "docs"
PARITY = (DOCS / "parity.md").read_text(encoding="utf-8")
CASES = (DOCS / "cases.md").read_text(encoding="utf-8")
PORTS = (DOCS / "ports.md").read_text(encoding="utf-8")
CONSTANTS = re.findall(r"^\| `(\w+)\.([A-Z_]+)` \| ([\w.-]+) \|", PARITY, re.MULTILINE)


@pytest.mark.parametrize(("module", "name", "value"), CONSTANTS)
def test_constants_are_as_told(module: str, name: str, value: str) -> None:
    assert getattr(importlib.import_module(f"lossport.judge.{module}"), name) == float(value)


def test_every_variant_is_told() -> None:
    section = CASES.partition("## Variants")[2].partition("## ")[0]
    told = [
        name for row in re.findall(r"^\| [a-z ]+ \| (`.*) \|$", section, re.MULTILINE) for name in re.findall(r"`([^`]+)`", row)
    ]
    assert told == list(variants.BY_NAME)


def test_every_kind_of_input_is_told() -> None:
    section = CASES.partition("## Inputs")[2].partition("## ")[0]
    told = {name for row in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE) for name in re.findall(r"`(\w+)", row)}
    assert told == {name for name, member in vars(Inputs).items() if callable(member) and not name.startswith("_")}


def test_the_example_of_an_equivalent_fault_has_what_is_read() -> None:
    (example,) = re.findall(r"```toml\n(\[\[equivalent\]\].*?)```", PARITY, re.DOTALL)
    assert re.findall(r"^(\w+) =", example, re.MULTILINE) == ["file", "before", "after", "reason"]
    assert equivalents.NAME in PARITY


def test_the_example_of_a_port_is_one() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PORTS, re.DOTALL)
    names: dict[str, object] = {}
    exec(example, names)
    declared = names["PORTS"]
    assert isinstance(declared, tuple)
    assert [type(item) for item in declared] == [port.Port, port.Gone]


def test_every_field_and_every_word_of_a_port_is_told() -> None:
    told = set(re.findall(r"`(\w+)", PORTS))
    words = {
        name
        for name, item in vars(port).items()
        if inspect.isfunction(item) and item.__module__ == port.__name__ and name[0] != "_"
    }
    assert {item.name for item in fields(port.Port)} <= told
    assert words <= told


def test_a_divergence_takes_what_the_page_says() -> None:
    (told,) = re.findall(r"`divergence\(id, reason, (.*?)\)`", PORTS)
    assert [name.rstrip("=") for name in told.split(", ")] == list(inspect.signature(port.divergence).parameters)[2:]
