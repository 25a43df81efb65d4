"""Verdicts reach CI systems, pytest and people who ask for time and memory."""

from __future__ import annotations

import tomllib
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import lossport.evidence.pytest_plugin
from lossport import evidence
from lossport.evidence import junit_xml
from tests import warm

INSTALLED = any(point.name == "lossport" for point in entry_points(group="pytest11"))
PLUGIN = [] if INSTALLED else ["-p", "lossport.evidence.pytest_plugin"]
"""A package that was installed before it had the plugin does not bring it along."""


def run_pytest(made: Any, *options: str) -> str:
    made.write(
        "pyproject.toml",
        '[tool.lossport]\nlegacy = "old_losses"\nnew = "fresh"\n[tool.pytest.ini_options]\ntestpaths = ["none"]\n',
    )
    (made.root / "none").mkdir(exist_ok=True)
    return warm.run("-m", "pytest", "-p", "no:cacheprovider", *PLUGIN, "-v", *options, cwd=made.root).stdout


def test_junit_names_every_case_and_tells_failures(made: Any) -> None:
    made.edit("fresh/pairs.py", "(forward + backward) / 2", "forward")
    root = ElementTree.fromstring(junit_xml([made.prove(), made.prove(device="cuda")]).split("\n", 1)[1])
    cpu, cuda = root.findall("testsuite")
    assert (cpu.get("tests"), cpu.get("failures")) == ("6", "4")
    failed = [case for case in cpu.findall("testcase") if case.find("failure") is not None]
    assert 'returns["loss"]' in (failed[0].find("failure").text or "")  # type: ignore[union-attr]
    if cuda.get("skipped") == "1":
        assert cuda.find("testcase/skipped").get("message") == "not run here"  # type: ignore[union-attr]


def test_junit_survives_markup_and_control_characters_in_messages(made: Any) -> None:
    made.edit("fresh/pairs.py", 'raise ValueError(f"expected', 'raise RuntimeError(f"<b>\\x00&')
    text = junit_xml([made.prove()])
    assert "\x00" not in text
    assert "&lt;b&gt;" in text
    ElementTree.fromstring(text.split("\n", 1)[1])


def test_pytest_shows_each_case_as_a_test(made: Any) -> None:
    made.record().write(made.loss.golden_file)
    told = run_pytest(made, "--lossport")
    assert "three_steps[cpu] PASSED" in told
    assert "7 passed" in told


def test_pytest_shows_a_difference_without_a_traceback_of_the_harness(made: Any) -> None:
    made.record().write(made.loss.golden_file)
    made.edit("fresh/pairs.py", "(forward + backward) / 2", "forward")
    told = run_pytest(made, "--lossport", "--lossport-loss", "pairs")
    assert "diagonal[cpu] FAILED" in told
    assert 'diagonal · step 1 · returns["loss"]' in told
    assert "lossport/evidence/" not in told
    assert "4 failed, 3 passed" in told


def test_pytest_tells_a_symbol_that_no_case_uses(made: Any) -> None:
    made.edit("migration/cases/pairs.py", "return pick(inputs.features(6, 3), 2)", "return inputs.features(6, 3)")
    made.rewritten = made.rewritten.replace("return draw_rows(inputs.features(6, 3), 2)", "return inputs.features(6, 3)")
    made.record().write(made.loss.golden_file)
    told = run_pytest(made, "--lossport")
    assert "port[cpu] FAILED" in told
    assert "old_losses.pairs.pick: no case saw it return anything" in told
    assert "1 failed, 6 passed" in told


def test_the_plugin_comes_with_the_package() -> None:
    """`pytest --lossport` needs no `-p`."""
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["pytest11"] == {"lossport": lossport.evidence.pytest_plugin.__name__}


def test_pytest_without_the_option_adds_nothing(made: Any) -> None:
    made.record().write(made.loss.golden_file)
    assert "no tests ran" in run_pytest(made)


def test_pytest_skips_a_missing_device_with_the_reason(made: Any) -> None:
    import torch  # noqa: PLC0415

    made.record().write(made.loss.golden_file)
    told = run_pytest(made, "--lossport", "--lossport-device", "cuda", "-rs")
    assert torch.cuda.is_available() or "cuda: not run here" in told


def test_pytest_tells_a_damaged_golden(made: Any) -> None:
    made.write("migration/goldens/pairs.safetensors", "nonsense that is long enough")
    assert "truncated or not a capsule" in run_pytest(made, "--lossport")


def test_time_and_peak_memory_are_told_for_both_losses(made: Any) -> None:
    made.write("old_losses/wasteful.py", "")
    made.edit("old_losses/pairs.py", "labels = torch.arange", "waste = torch.zeros(1000, 1000) + 1; labels = torch.arange")
    found = evidence.costs(made.project, made.loss, made.record(), made.rewritten)["diagonal"]
    assert found["legacy"]["seconds"] > 0
    assert found["legacy"]["peak_bytes"] > 8_000_000
    assert 0 < found["new"]["peak_bytes"] < 100_000
