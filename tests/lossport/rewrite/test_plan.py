"""The plan: diff, JSON, SARIF, problems, what other losses and retired modules have to do with it."""
# ruff: noqa: E501  # pairs of lines read best side by side

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lossport.follow.sites import find_sites
from lossport.rewrite import to_json, to_sarif

USE = "from old_losses.plain import PlainLoss\n\nPlainLoss()\n"


def test_the_diff_can_be_applied_by_git(bench: Any) -> None:
    bench.write({"train.py": USE, "bare.py": USE.rstrip("\n"), "dos.py": USE.replace("\n", "\r\n").encode()})
    plan = bench.plan("plain")
    (bench.root / "p.diff").write_bytes(plan.diff().encode())
    subprocess.run(["git", "-C", str(bench.root), "apply", "p.diff"], check=True)
    assert {file.path.name: file.path.read_bytes() for file in plan.files} == {f.path.name: f.after for f in plan.files}


def test_a_choice_among_losses_is_a_site_of_each(bench: Any) -> None:
    choice = """\
        from old_losses.pair import PairLoss
        from old_losses.plain import PlainLoss

        LOSSES = {"pair": PairLoss, "plain": PlainLoss}


        def build(name):
            return LOSSES[name]()
        """
    bench.write({"registry.py": choice})
    project = bench.project
    losses = [project.loss(name) for name in ("pair", "plain")]
    together = find_sites(project, losses).sites
    assert {site.symbol for site in together if site.line == 8} == {"old_losses.pair.PairLoss", "old_losses.plain.PlainLoss"}
    alone = [site for loss in losses for site in find_sites(project, [loss]).sites]
    assert set(together) == set(alone)


def test_json_and_sarif_say_the_same(bench: Any) -> None:
    bench.write({"train.py": USE, "a b.py": "from old_losses.plain import *\n\nprint(nn)\n"})
    plan = bench.plan("plain")
    told: dict[str, Any] = to_json(plan)
    assert json.loads(json.dumps(told)) == told
    assert told["files"] == ["train.py"]
    assert [r["reason"] for r in told["refusals"]] == [plan.refusals[0].reason]
    log = json.loads(to_sarif(plan))
    results = log["runs"][0]["results"]
    assert log["version"] == "2.1.0"
    assert {r["ruleId"] for r in results} <= {rule["id"] for rule in log["runs"][0]["tool"]["driver"]["rules"]}
    place = results[0]["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("a%20b.py", 1)
    assert len(results) == len(plan.sites)


@pytest.mark.parametrize(
    ("name", "content", "line", "reason"),
    [
        ("broken.py", b"x = 1\nfrom old_losses.plain import PlainLoss\ndef f(:\n", 3, "does not parse"),
        ("coded.py", b"# coding: utf-8\nx = '\xff'\nfrom old_losses.plain import PlainLoss\n", 2, "decoded"),
        ("unheard.py", b"# coding: no-such\nfrom old_losses.plain import PlainLoss\n", 1, "decoded"),
        ("nulls.py", b"from old_losses.plain import PlainLoss\n\0\n", 1, "does not parse"),
        ("cut.ipynb", b'{"cells": [ old_losses.plain.PlainLoss', 1, "no notebook"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_line_in_the_result(
    bench: Any, name: str, content: bytes, line: int, reason: str
) -> None:
    bench.write({name: content, "train.py": USE})
    plan = bench.plan("plain")
    assert [(r.path, r.line) for r in plan.refusals] == [(name, line)]
    assert reason in plan.refusals[0].reason
    assert [f.path.name for f in plan.files] == ["train.py"]


def test_a_broken_file_without_a_legacy_name_is_nobodys_business(bench: Any) -> None:
    bench.write({"broken.py": "def f(:\n", "bytes.py": b"\xff\xfe\0"})
    assert bench.plan("plain").refusals == ()


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser can read everything")
def test_an_unreadable_file_is_a_line_in_the_result(bench: Any) -> None:
    bench.write({"secret.py": USE})
    (bench.root / "secret.py").chmod(0)
    assert [r.path for r in bench.plan("plain").refusals] == ["secret.py"]


def test_a_link_out_of_the_project_is_read_and_not_written(bench: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "shared.py"
    outside.write_text(USE)
    (bench.root / "shared.py").symlink_to(outside)
    (bench.root / "inside.py").symlink_to(bench.root / "train.py")
    bench.write({"train.py": USE})
    plan = bench.plan("plain")
    assert [(r.path, "link" in r.reason) for r in plan.refusals] == [("shared.py", True)]
    assert [f.path.name for f in plan.files] == ["train.py"]


def test_a_link_to_a_folder_outside_is_not_searched_and_told(bench: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "shared.py").write_text(USE)
    bench.write({"train.py": USE})
    (bench.root / "data").symlink_to(outside)
    plan = bench.plan("plain")
    assert plan.refusals == ()
    assert plan.not_searched == ("data: a link to a folder outside the project",)


def test_another_legacy_module_that_uses_the_loss_says_what_to_migrate_first(bench: Any) -> None:
    bench.write(
        {"old_losses/mix.py": "from .triplet import TripletLoss\n\n\ndef mix(x):\n    return dict(TripletLoss(0.1)(x, x))\n"}
    )
    (refusal,) = bench.plan("triplet").refusals
    assert refusal.todo.startswith("migrate what old_losses.mix holds first")


def test_symbols_of_other_losses_are_not_touched(bench: Any) -> None:
    bench.write({"train.py": "from old_losses.pair import PairLoss\nfrom old_losses.plain import PlainLoss\n\nPairLoss()\n"})
    bench.apply(bench.plan("plain"))
    assert bench.read("train.py") == "from new_losses import Plain\nfrom old_losses.pair import PairLoss\n\nPairLoss()\n"


def test_two_losses_at_once_give_what_one_after_the_other_gives(bench: Any) -> None:
    text = "import old_losses.pair, old_losses.plain as pl\n\nprint(old_losses.pair.PairLoss()(1, 2)[0], pl.PlainLoss())\n"
    bench.write({"train.py": text})
    bench.apply(bench.plan("pair", "plain"))
    both = bench.read("train.py")
    bench.write({"train.py": text})
    bench.apply(bench.plan("pair"))
    bench.apply(bench.plan("plain"))
    assert bench.read("train.py") == both


def test_new_uses_of_a_retired_symbol_are_still_found(bench: Any) -> None:
    (bench.root / "old_losses/plain.py").unlink()
    bench.write({"train.py": USE})
    plan = bench.plan("plain")
    assert [p.site.form for p in plan.sites] == ["import", "call"]
    bench.apply(plan)
    assert bench.read("train.py") == "from new_losses import Plain\n\nPlain()\n"


def test_own_paths_and_excluded_paths_are_no_call_sites(bench: Any) -> None:
    bench.write({"cases/plain.py": USE, "reports/x.py": USE, "vendored/x.py": USE, "vendored/deep/y.py": USE})
    bench.write({"pyproject.toml": bench.read("pyproject.toml") + 'exclude = ["vendored/*"]\n'})
    assert bench.plan("plain").sites == ()


def test_sites_are_told_with_their_place_and_form(bench: Any) -> None:
    bench.write({"train.py": "import os\n\nfrom old_losses.plain import PlainLoss as P\n\n\nclass Mine(P):\n    x: P = P()\n"})
    told = [(p.site.line, p.site.column, p.site.form, p.fate) for p in bench.plan("plain").sites]
    assert told == [
        (3, 30, "import", "rewritten"),
        (6, 12, "base class", "rewritten"),
        (7, 8, "annotation", "rewritten"),
        (7, 12, "call", "rewritten"),
    ]


def test_planning_writes_nothing(bench: Any) -> None:
    bench.write({"train.py": USE})
    before = {path: path.read_bytes() for path in bench.root.rglob("*") if path.is_file() and ".git" not in path.parts}
    bench.plan()
    after = {path: path.read_bytes() for path in bench.root.rglob("*") if path.is_file() and ".git" not in path.parts}
    assert before == after


def test_torch_is_not_imported(bench: Any, tmp_path: Path) -> None:
    bench.write({"train.py": USE})
    code = (
        "import sys; from pathlib import Path; from lossport.project.config import find_project; from lossport.rewrite import plan_rewrite;"
        "p = find_project(Path(sys.argv[1])); plan_rewrite(p, [p.loss('plain')]); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(bench.root)], check=True)
