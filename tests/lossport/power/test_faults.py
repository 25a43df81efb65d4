"""Each operator of the catalogue plants the mistake that it is named after, and parity sees what it is meant to see."""

from __future__ import annotations

import ast
import multiprocessing
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from lossport.power.faults import Fault, fault_between, faults_of
from lossport.power.operators import OPERATORS
from lossport.power.outcomes import Outcome, Power, Tried, caught_by, not_tried_of_all, outcomes_of_all, survivors_of_all, told
from lossport.power.reached import Reached, lines_of

PAIRS = [
    ("sign", "x = a - b", "x = (a + (b))"),
    ("sign", "x = -a", "x = (a)"),
    ("multiplied for divided", "x = a / self.temperature", "x = (a * (self.temperature))"),
    ("a part left out", "x = v2t + t2v", "x = (v2t)"),
    ("a part left out", "x = v2t + t2v", "x = (t2v)"),
    ("another constant", "x = f(eps=1e-8)", "x = f(eps=1e-2)"),
    ("another constant", "x = 0.5", "x = 0.75"),
    ("another constant", "x = torch.triu(a, 1)", "x = torch.triu(a, 2)"),
    ("another constant", "x = True", "x = False"),
    ("a modulus dropped", "p = (p + n) % size", "p = ((p + n + 1) % (size))"),
    ("another function", "x = a.mean()", "x = a.sum()"),
    ("another function", "x = torch.sum(a)", "x = torch.mean(a)"),
    ("a call dropped", "x = a.detach()", "x = a"),
    ("a call dropped", "x = F.normalize(a, dim=1)", "x = a"),
    ("a call dropped", "x = s.masked_fill(eye, 0)", "x = s"),
    ("arguments swapped", "x = f(a, b)", "x = f(b, a)"),
    ("a keyword left out", "x = a.sum(dim=1, keepdim=True)", "x = a.sum(keepdim=True)"),
    ("another word", "x = {'loss': a}", "x = {'loss_': a}"),
    ("another word", "x = f(reduction='mean')", "x = f(reduction='sum')"),
    ("a detach too many", "x = f(a)", "x = f(a.detach())"),
    ("another axis", "x = a.sum(dim=1)", "x = a.sum(dim=0)"),
    ("not transposed", "x = a @ b.T", "x = a @ b"),
    ("state not kept", "def f(self):\n    self.calls += 1", "def f(self):\n    pass"),
    ("a condition turned", "if a:\n    pass", "if not (a):\n    pass"),
    ("a comparison off", "x = a < b", "x = (a <= b)"),
    ("a mask turned", "x = ~mask", "x = (mask)"),
    ("a mask turned", "x = a & b", "x = ((a) | (b))"),
    ("without no_grad", "with torch.no_grad():\n    pass", "with torch.enable_grad():\n    pass"),
]


@pytest.mark.parametrize(("operator", "before", "after"), PAIRS)
def test_an_operator_plants_its_mistake(operator: str, before: str, after: str) -> None:
    planted = [ast.unparse(ast.parse(item.text)) for item in faults_of("a.py", before) if item.operator == operator]
    assert ast.unparse(ast.parse(after)) in planted


def test_every_operator_of_the_catalogue_has_an_example() -> None:
    assert {name for name, _, _ in PAIRS} | {"a dead parameter"} == set(OPERATORS)


def test_a_parameter_dies_by_taking_its_default() -> None:
    text = "class A:\n    def __init__(self, t=0.07):\n        self.t = t\n    def f(self, x):\n        return x / self.t\n"
    planted = [item for item in faults_of("a.py", text) if item.operator == "a dead parameter"]
    assert [item.after for item in planted] == ["return x / 0.07"]


@pytest.mark.parametrize(
    "text",
    [
        '"""A word."""',
        "def f(x: 'Tensor') -> 'Tensor':\n    pass",
        "raise ValueError('too small' + name)",
        "@register('a')\nclass A:\n    pass",
    ],
)
def test_docstrings_annotations_messages_and_decorators_are_left_alone(text: str) -> None:
    assert faults_of("a.py", text) == []


@pytest.mark.parametrize(
    ("operator", "text"),
    [
        ("a part left out", "Ids: TypeAlias = Tensor | list"),
        ("arguments swapped", "x = max(1, n)"),
        ("a detach too many", "x = len(a) + isinstance(a, Tensor)"),
        ("another word", "check('margin', margin)"),
        ("another word", "say('expected a number')"),
    ],
)
def test_what_is_no_fault_is_not_planted(operator: str, text: str) -> None:
    assert [item.after for item in faults_of("a.py", text) if item.operator == operator] == []


def test_names_that_no_gradient_flows_back_to_are_not_detached() -> None:
    planted = faults_of("a.py", "x = f(a)\ny = f(b)\n", without_gradient={(1, "a")})
    assert [item.after for item in planted if item.operator == "a detach too many"] == ["y = f(b.detach())"]


MODULE = """\
BASE = 2
USED = BASE + 1
UNUSED = 5


def ran(features, mask):
    scaled = features * USED
    return scaled + mask
"""


def test_what_runs_is_noted_with_the_constants_that_it_names_and_where_gradients_flow() -> None:
    reached = Reached()
    scope: dict[str, Any] = {}
    exec(compile(MODULE, "<capsule>/new/a.py", "exec"), scope)
    with reached.noting():
        scope["ran"](torch.ones(2, requires_grad=True), torch.zeros(2))
    assert reached.with_headers({"new/a.py": MODULE}) == {"new/a.py": {1, 2, 6, 7, 8}}
    assert (8, "mask") in reached.without_gradient("new/a.py")
    assert not {(7, "features"), (8, "scaled")} & reached.without_gradient("new/a.py")


def test_a_change_that_somebody_else_made_is_a_fault_with_its_line() -> None:
    found = fault_between("theirs", "a.py", "x = 1\ny = f(\n    a,\n)\n", "x = 1\ny = f(\n    b,\n)\n")
    assert found is not None
    assert (found.line, found.before, found.after) == (3, "a,", "b,")
    assert fault_between("theirs", "a.py", "x = 1\n", "x = (1)\n") is None
    assert fault_between("theirs", "a.py", "x = 1\n", "x = \n") is None


def test_lines_that_do_not_run_get_no_fault() -> None:
    assert {item.line for item in faults_of("a.py", "x = a + b\ny = a + b\n", {2})} == {2}


def test_text_outside_the_change_stays_as_it_is() -> None:
    text = "# ü, before\nx = a  -  b   # kept\r\ny = 1\n"
    for item in faults_of("a.py", text, {2}):
        assert item.text.startswith("# ü, before\nx = ")
        assert item.text.endswith("   # kept\r\ny = 1\n")


def test_a_line_takes_effect_when_its_statement_runs_or_its_function_or_always() -> None:
    text = """\
LIMIT = 1


def f(a,
      b=2):
    if (a and
            b):
        return LIMIT
    return (a +
            b)
"""
    tree = ast.parse(text)
    assert lines_of(tree, 1) is None
    assert lines_of(tree, 5) == range(4, 11)
    assert lines_of(tree, 7) == range(6, 8)
    assert lines_of(tree, 8) == range(8, 9)
    assert lines_of(tree, 10) == range(9, 11)


def test_equal_arguments_are_not_swapped() -> None:
    assert not [item for item in faults_of("a.py", "x = f(a, a)\n") if item.operator == "arguments swapped"]


def test_a_fault_keeps_its_id_when_lines_move() -> None:
    first, second = faults_of("a.py", "x = a - b\n"), faults_of("a.py", "\n\nx = a - b\n")
    assert [item.id for item in first] == [item.id for item in second]
    assert len({item.id for item in first}) == len(first)


@pytest.mark.full(reason="plants every fault in a loss and proves it for each")
@pytest.mark.slow
def test_power_catches_faults_and_tells_survivors_with_their_diff(made: Any) -> None:
    from lossport.power import detection  # noqa: PLC0415

    golden = made.record()
    before = {path: path.read_bytes() for path in made.root.rglob("*.py")}
    shown: list[tuple[str, int, int]] = []
    found = detection.power(
        made.project,
        made.loss,
        golden,
        made.rewritten,
        extent="none",
        progress=lambda text, done=0, total=0: shown.append((text, done, total)),
    )
    assert {path: path.read_bytes() for path in made.root.rglob("*.py")} == before
    assert found.counts["caught"] > 60
    assert shown[-1][1] == shown[-1][2] == len(found.tried)
    survivors = "\n".join(found.explanation())
    assert "+ self.running_loss = 0.9 * self.running_loss" in survivors
    assert "temperature" not in survivors
    assert not found.passed
    assert f"{len(found.survivors)} survive" in found.headline
    made.write(
        "migration/cases/equivalent.toml",
        "\n".join(
            f"[[equivalent]]\nfile = {item.fault.path!r}\nbefore = '''{item.fault.before}'''\nafter = '''{item.fault.after}'''\n"
            f"reason = 'an example'"
            for item in found.survivors
        ),
    )
    again = detection.power(
        made.project, made.loss, golden, made.rewritten, extent="none", faults=[item.fault for item in found.survivors]
    )
    assert again.passed
    assert again.counts["equivalent"] == len(found.survivors)
    made.write(
        "migration/cases/equivalent.toml",
        "[[equivalent]]\nfile = 'fresh/pairs.py'\nbefore = 'gone, all of it'\nafter = 'b'\nreason = 'c'",
    )
    stale = detection.power(made.project, made.loss, golden, made.rewritten, extent="none", faults=[found.tried[0].fault])
    assert not stale.passed
    assert (
        stale.explanation()[-1]
        == "recorded as not to be seen, but no such fault is planted any more: fresh/pairs.py: gone, all of it -> b"
    )


def _power(loss: str, *ends: tuple[str, Outcome]) -> Power:
    tried = (Tried(Fault("sign", "losses/utils.py", 1, "a", after, ""), outcome) for after, outcome in ends)
    return Power(loss, tuple(tried), 0.0, 1)


def test_of_losses_that_share_a_line_one_has_to_see_a_fault() -> None:
    found = [
        _power("clip", ("b", "survives"), ("c", "survives"), ("d", "caught"), ("e", "beyond")),
        _power("moco", ("b", "caught"), ("c", "survives"), ("d", "caught")),
    ]
    assert set(caught_by(found).values()) == {"clip", "moco"}
    assert [(fault.after, losses) for fault, losses in survivors_of_all(found)] == [("c", ("clip", "moco"))]
    assert told(outcomes_of_all(found)) == "4 faults: 2 caught, 1 survive, 1 beyond the legacy"


def test_what_was_tried_is_kept_and_not_tried_again(made: Any) -> None:
    from lossport.power import detection  # noqa: PLC0415

    golden = made.record()
    kept = made.root / "kept"

    def a_sign() -> Fault:
        text = made.root.joinpath("fresh/pairs.py").read_text()
        return next(item for item in faults_of("fresh/pairs.py", text) if item.operator == "sign")

    def tried(*faults: Fault) -> Power:
        return detection.power(made.project, made.loss, golden, made.rewritten, extent="none", faults=faults, kept=kept, jobs=1)

    fault = a_sign()
    assert tried(fault).counts["caught"] == 1
    (journal,) = kept.iterdir()
    journal.write_text(journal.read_text().replace("caught", "survives") + "[cut off")
    assert tried(fault).counts["survives"] == 1
    made.edit("fresh/pairs.py", "(forward + backward) / 2", "(backward + forward) / 2")
    fault = a_sign()
    assert tried(fault).counts["caught"] == 1


def test_a_record_of_a_fault_that_a_case_sees_is_wrong(made: Any) -> None:
    from lossport.power import detection  # noqa: PLC0415

    text = made.root.joinpath("fresh/pairs.py").read_text()
    fault = next(item for item in faults_of("fresh/pairs.py", text) if item.operator == "sign")
    record = f"file = {fault.path!r}\nbefore = {fault.before!r}\nafter = [{fault.after!r}]\nreason = 'by mistake'\n"
    made.write("migration/cases/equivalent.toml", f"[[equivalent]]\n{record}")
    found = detection.power(made.project, made.loss, made.record(), made.rewritten, faults=[fault], jobs=1)
    assert not found.passed
    assert "pairs sees it" in found.explanation()[-1]


@pytest.mark.slow
def test_power_asks_for_a_loss_that_passes(made: Any) -> None:
    from lossport.power import detection  # noqa: PLC0415
    from lossport.project.errors import InputError  # noqa: PLC0415

    made.edit("fresh/pairs.py", "(forward + backward) / 2", "forward")
    with pytest.raises(InputError, match="parity fails without a fault"):
        detection.power(made.project, made.loss, made.record(), made.rewritten)


@pytest.mark.slow
def test_a_record_of_what_only_another_loss_runs_is_not_out_of_date(made: Any) -> None:
    from lossport.power import detection  # noqa: PLC0415

    made.edit("fresh/pairs.py", "import torch\n", "import torch\n\n\ndef unused(scale, by):\n    return scale - by\n")
    text = (made.root / "fresh/pairs.py").read_text()
    planted = next(item for item in faults_of("fresh/pairs.py", text) if item.before == "return scale - by")
    record = "[[equivalent]]\nfile = 'fresh/pairs.py'\nbefore = 'return scale - by'\nafter = '{}'\nreason = 'an example'"
    for after, wrong in ((planted.after, 0), ("return by", 1)):
        made.write("migration/cases/equivalent.toml", record.format(after))
        found = detection.power(made.project, made.loss, made.record(), made.rewritten, extent="none", plant=lambda *_: [])
        assert len([line for line in found.explanation() if "no such fault" in line]) == wrong


def _tried_with(made: Any, kept: Path, verdict: Any) -> Power:
    from lossport.power import detection  # noqa: PLC0415

    golden = made.record()
    text = made.root.joinpath("fresh/pairs.py").read_text()
    fault = next(item for item in faults_of("fresh/pairs.py", text) if item.operator == "sign")
    with pytest.MonkeyPatch.context() as patched:
        if verdict is not None:
            patched.setattr(detection._Bench, "verdict", verdict)
        return detection.power(made.project, made.loss, golden, made.rewritten, extent="none", faults=[fault], kept=kept, jobs=1)


def _harness_fails(bench: Any, fault: Fault) -> Any:
    raise KeyError("a mistake of the harness")


def _is_killed(bench: Any, fault: Fault) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize(
    ("verdict", "reason"),
    [(_harness_fails, "KeyError: 'a mistake of the harness'"), (_is_killed, "the process ended with status -9")],
)
def test_a_failure_of_the_harness_is_no_verdict_and_is_tried_again(made: Any, tmp_path: Path, verdict: Any, reason: str) -> None:
    found = _tried_with(made, tmp_path, verdict)
    assert found.counts["not tried"] == 1
    assert found.counts["caught"] == 0
    assert not found.passed
    assert found.explanation()[0].startswith("not tried: sign in fresh/pairs.py:")
    assert reason in found.explanation()[0]
    assert _tried_with(made, tmp_path, None).counts["caught"] == 1


def test_a_process_that_does_not_end_is_not_tried() -> None:
    here, there = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,), daemon=True)
    process.start()
    fault = Fault("sign", "a.py", 1, "a", "b", "")
    from lossport.power.detection import _collected  # noqa: PLC0415

    found = _collected(here, process, fault, 12.0, ready=False)
    there.close()
    assert (found.outcome, found.reason) == ("not tried", "it did not end within 12 s")


def test_what_another_loss_caught_need_not_be_tried_by_all() -> None:
    found = [_power("clip", ("b", "not tried"), ("c", "not tried")), _power("moco", ("b", "caught"), ("c", "survives"))]
    assert not_tried_of_all(found) == ["not tried: sign in losses/utils.py:1: "]
    assert outcomes_of_all(found)["not tried"] == 1
    assert not found[0].passed
