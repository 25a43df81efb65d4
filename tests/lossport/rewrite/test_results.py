"""What a loss returns: keys that moved, numbers that became tensors, tuples that became dictionaries - and where it goes."""
# ruff: noqa: E501  # pairs of lines read best side by side

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lossport.rewrite import RewriteRefused, rewrite_case_file

Check = Callable[..., None]

BEFORE = "from old_losses.triplet import TripletLoss\n\n\ndef step(a, b):\n    criterion = TripletLoss(0.1)\n    out = criterion(a, b)\n"
AFTER = "from new_losses import Triplet\n\n\ndef step(a, b):\n    criterion = Triplet(0.1)\n    out = criterion(a, b)\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('return out["loss"]', ""),
        ('return out["accuracy"]', 'return out["accuracy"].item()'),
        ("return out['recalls']['r@1']", "return out['r@1'].item()"),
        ('recalls = out["recalls"]\n    return recalls["r@5"]', 'recalls = out\n    return recalls["r@5"].item()'),
        ('return criterion(a, b)["accuracy"]', 'return criterion(a, b)["accuracy"].item()'),
        ('return criterion.forward(a, b)["accuracy"] > 0.5', 'return criterion.forward(a, b)["accuracy"].item() > 0.5'),
        ('return out.get("accuracy")', 'return (out["accuracy"].item() if "accuracy" in out else None)'),
        ('return out.get("accuracy", 0.0)', 'return (out["accuracy"].item() if "accuracy" in out else 0.0)'),
        ('return out.get("loss")', ""),
        ('return "accuracy" in out and "r@1" in out["recalls"]', 'return "accuracy" in out and "r@1" in out'),
        ('KEY = "accuracy"\n    return out[KEY]', 'KEY = "accuracy"\n    return out[KEY].item()'),
        ('out["loss"].backward()\n    out = out["loss"]\n    return out.detach()', ""),
        (
            "if out is None:\n        return\n    return f\"{out['accuracy']:.2f}\"",
            "if out is None:\n        return\n    return f\"{out['accuracy'].item():.2f}\"",
        ),
        (
            'total = 0.0\n    for _ in range(3):\n        total += out["accuracy"]',
            'total = 0.0\n    for _ in range(3):\n        total += out["accuracy"].item()',
        ),
        (
            'if (again := criterion(b, a))["accuracy"] > 1:\n        return',
            'if (again := criterion(b, a))["accuracy"].item() > 1:\n        return',
        ),
        (
            'other = out if a else criterion(b, b)\n    return other["accuracy"]',
            'other = out if a else criterion(b, b)\n    return other["accuracy"].item()',
        ),
        ('return [criterion(x, b)["accuracy"] for x in a]', 'return [criterion(x, b)["accuracy"].item() for x in a]'),
        (
            'first, second = criterion(a, b), criterion(b, a)\n    return first["accuracy"]',
            'first, second = criterion(a, b), criterion(b, a)\n    return first["accuracy"].item()',
        ),
        (
            'if isinstance(out, dict):\n        return out["accuracy"]\n    return out * 2',
            'if isinstance(out, dict):\n        return out["accuracy"].item()\n    return out * 2',
        ),
    ],
)
def test_a_read_inside_a_function(bench: Any, before: str, after: str) -> None:
    bench.check_transformed(f"{BEFORE}    {before}\n", f"{AFTER}    {after or before}\n", "triplet")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("return out", "returned by step(), which nothing here calls"),
        ("log(out)", "passed to log()"),
        ("log(result=out)", "passed to log()"),
        ("for key, value in out.items(): log(key, value)", "used through .items()"),
        ("for key in out: log(key)", "iterated over"),
        ("return {**out, 'step': 1}", "unpacked"),
        ("return dict(out)", "passed to dict()"),
        ("return out[key]", "read by a computed key"),
        ("out['accuracy'] = 1.0", "its entry 'accuracy' is set"),
        ("out['r@1'] = 1.0", "its entry 'r@1' is set"),
        ("out[key] = 1.0", "changed by a computed key"),
        ("del out['loss']", "changed by a computed key"),
        ("out.update(step=1)", "used through .update()"),
        ("return out['note']", "is gone: nobody reads it"),
        ("return out['unheard']", "does not list"),
        ("self.out = out", "stored as self.out"),
        ("print(f'{out}')", "formatted into text"),
        ("yield out", "yielded"),
        ("history.append(out)", "passed to history.append()"),
        ("out = out if a else other\n    return out['accuracy']", "or something else"),
        ("return out | other", "used in an expression"),
        ("return out.get(key)", "read by a computed key"),
        ("return lambda: out", "returned by a lambda"),
        ("return out['accuracy'] if len(out) > 1 else 0", "passed to len()"),
    ],
)
def test_a_result_that_goes_where_it_cannot_be_followed(bench: Any, line: str, reason: str) -> None:
    bench.write({"train.py": f"{BEFORE}    {line}\n"})
    refusals = [r.reason for r in bench.plan("triplet").refusals]
    assert any(reason in text for text in refusals), refusals


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            'loss, parts = criterion(a, b)\nprint(loss, parts["diagonal"], parts["rest"])',
            'parts = criterion(a, b)\nloss = parts["loss"]\nprint(loss, parts["diagonal"].item(), parts["rest"].item())',
        ),
        ("loss, _ = criterion(a, b)  # the loss\nprint(loss)", 'loss = criterion(a, b)["loss"]  # the loss\nprint(loss)'),
        ("(loss, parts) = (criterion(a, b))\nprint(loss)", 'parts = (criterion(a, b))\nloss = parts["loss"]\nprint(loss)'),
        (
            "if a: loss, parts = criterion(a, b); print(loss)",
            'if a: parts = criterion(a, b); loss = parts["loss"]; print(loss)',
        ),
        ("loss = criterion(a, b)[0]\nprint(loss)", 'loss = criterion(a, b)["loss"]\nprint(loss)'),
        (
            "out = criterion(a, b)\nprint(out[0], out[1]['rest'])",
            "out = criterion(a, b)\nprint(out[\"loss\"], out['rest'].item())",
        ),
        (
            "self.loss, parts = criterion(a, b)\nprint(parts['rest'])",
            "parts = criterion(a, b)\nself.loss = parts[\"loss\"]\nprint(parts['rest'].item())",
        ),
    ],
)
def test_a_tuple_that_became_a_dictionary(bench: Any, before: str, after: str) -> None:
    start = "from old_losses.pair import PairLoss\n\ncriterion = PairLoss()\n"
    new = "from new_losses import Pair\n\ncriterion = Pair()\n"
    bench.check_transformed(f"{start}{before}\n", f"{new}{after}\n", "pair")


@pytest.mark.parametrize("line", ["loss, *rest = criterion(a, b)", "for loss, parts in [criterion(a, b)]: print(loss)"])
def test_other_ways_to_take_a_tuple_apart_are_refused(bench: Any, line: str) -> None:
    bench.write({"train.py": f"from old_losses.pair import PairLoss\n\ncriterion = PairLoss()\n{line}\n"})
    assert bench.plan("pair").refusals


def test_an_instance_kept_on_self_is_followed_through_the_class(check_transformed: Check) -> None:
    check_transformed(
        """
        from old_losses.triplet import TripletLoss


        class Trainer:
            criterion: "TripletLoss | None" = None

            def __init__(self):
                self.criterion = TripletLoss(0.1)
                self.history = []

            def loss_of(self, a, b):
                return self.criterion(a, b)

            def step(self, a, b):
                out = self.loss_of(a, b)
                self.history.append(out["accuracy"])
                return out["loss"]

            @property
            def last(self):
                return self.criterion.T


        trainer = Trainer()
        print(trainer.step(1, 2), trainer.criterion(1, 2)["accuracy"], trainer.last)
        """,
        """
        from new_losses import Triplet


        class Trainer:
            criterion: "Triplet | None" = None

            def __init__(self):
                self.criterion = Triplet(0.1)
                self.history = []

            def loss_of(self, a, b):
                return self.criterion(a, b)

            def step(self, a, b):
                out = self.loss_of(a, b)
                self.history.append(out["accuracy"].item())
                return out["loss"]

            @property
            def last(self):
                return self.criterion.temperature


        trainer = Trainer()
        print(trainer.step(1, 2), trainer.criterion(1, 2)["accuracy"].item(), trainer.last)
        """,
        "triplet",
    )


def test_an_instance_handed_to_functions_of_the_file_is_followed(check_transformed: Check) -> None:
    check_transformed(
        """
        from old_losses.triplet import TripletLoss


        def build(margin):
            return TripletLoss(margin)


        def epoch(criterion, batches, *, scale=1):
            for a, b in batches:
                yield criterion(a, b)["accuracy"] * scale


        def main(batches):
            criterion = build(0.1)
            return list(epoch(criterion, batches, scale=2))
        """,
        """
        from new_losses import Triplet


        def build(margin):
            return Triplet(margin)


        def epoch(criterion, batches, *, scale=1):
            for a, b in batches:
                yield criterion(a, b)["accuracy"].item() * scale


        def main(batches):
            criterion = build(0.1)
            return list(epoch(criterion, batches, scale=2))
        """,
        "triplet",
    )


def test_a_function_that_also_gets_something_else_is_refused(check_refused: Check) -> None:
    check_refused(
        """
        from old_losses.triplet import TripletLoss


        def step(criterion, a, b):
            return criterion(a, b)["accuracy"]


        step(TripletLoss(0.1), 1, 2)
        step(Other(), 1, 2)
        """,
        5,
        "or something else",
        "triplet",
    )


def test_annotations_and_isinstance_say_what_a_parameter_is(check_transformed: Check) -> None:
    check_transformed(
        """
        from typing import Optional

        from old_losses.triplet import TripletLoss


        def first(criterion: TripletLoss, a, b):
            return criterion(a, b)["accuracy"]


        def second(criterion: Optional["TripletLoss"], a, b):
            return None if criterion is None else criterion(a, b)["accuracy"]


        def third(criterion, a, b):
            if isinstance(criterion, TripletLoss):
                return criterion(a, b)["accuracy"]
            return criterion(a, b)["anything"]
        """,
        """
        from typing import Optional

        from new_losses import Triplet


        def first(criterion: Triplet, a, b):
            return criterion(a, b)["accuracy"].item()


        def second(criterion: Optional["Triplet"], a, b):
            return None if criterion is None else criterion(a, b)["accuracy"].item()


        def third(criterion, a, b):
            if isinstance(criterion, Triplet):
                return criterion(a, b)["accuracy"].item()
            return criterion(a, b)["anything"]
        """,
        "triplet",
    )


def test_fixtures_and_parameters_of_tests_are_followed(bench: Any) -> None:
    bench.write(
        {
            "checks/conftest.py": """
                import pytest

                from old_losses.triplet import TripletLoss


                @pytest.fixture
                def criterion():
                    return TripletLoss(0.1)
                """,
            "checks/test_it.py": """
                import pytest

                from old_losses.triplet import TripletLoss


                def test_accuracy(criterion):
                    assert criterion(1, 2)["accuracy"] == 0.5


                @pytest.mark.parametrize("kind", [TripletLoss])
                def test_kind(kind):
                    assert kind(0.1)(1, 2)["accuracy"] == 0.5
                """,
        }
    )
    plan = bench.plan("triplet")
    assert [r.reason for r in plan.refusals] == []
    bench.apply(plan)
    assert bench.read("checks/test_it.py").count('["accuracy"].item() == 0.5') == 2


def test_values_that_travel_between_files_are_followed(bench: Any) -> None:
    bench.write(
        {
            "parts/__init__.py": "",
            "parts/build.py": "from old_losses.triplet import TripletLoss\n\nshared = TripletLoss(0.1)\n\n\ndef make():\n    return shared\n",
            "parts/loop.py": "def run(criterion, a, b):\n    return criterion(a, b)['accuracy']\n",
            "train.py": "from parts.build import make, shared\nfrom parts import loop\n\nprint(loop.run(make(), 1, 2), shared.T)\n",
        }
    )
    plan = bench.plan("triplet")
    assert [r.reason for r in plan.refusals] == []
    bench.apply(plan)
    assert bench.read("parts/loop.py") == "def run(criterion, a, b):\n    return criterion(a, b)['accuracy'].item()\n"
    assert bench.read("train.py").endswith("print(loop.run(make(), 1, 2), shared.temperature)\n")
    assert bench.plan("triplet").files == ()


def test_a_function_of_another_file_that_others_call_differently_is_refused(bench: Any) -> None:
    bench.write(
        {
            "loop.py": "def run(criterion, a, b):\n    return criterion(a, b)['accuracy']\n",
            "train.py": "from loop import run\nfrom old_losses.triplet import TripletLoss\n\nrun(TripletLoss(0.1), 1, 2)\n",
            "other.py": "from loop import run\n\nrun(make(), 1, 2)\n",
        }
    )
    assert [(r.path, r.line) for r in bench.plan("triplet").refusals] == [("loop.py", 2)]


def test_a_case_may_hand_a_whole_result_to_the_harness(bench: Any) -> None:
    text = (
        "from old_losses.triplet import TripletLoss\nfrom old_losses.functional import soft_margin\n\n\n"
        "def whole(inputs):\n    criterion = TripletLoss(use_hard=True)\n    yield criterion(*inputs.pair())\n    out = criterion(1, 2)\n"
        "    yield out['recalls']['r@1'], out['loss']\n    return out\n"
    )
    loss = bench.project.loss("triplet")
    after = rewrite_case_file(bench.project, loss, text)
    assert "criterion = Triplet(margin=0.2)\n    yield criterion(*inputs.pair())" in after
    assert "yield out['r@1'].item(), out['loss']\n    return out\n" in after
    with pytest.raises(RewriteRefused, match="passed to log"):
        rewrite_case_file(bench.project, loss, text.replace("return out", "log(out)"))


def test_a_case_of_a_value_that_became_an_entry(bench: Any) -> None:
    loss = bench.project.loss("functional")
    text = "from old_losses.functional import soft_margin\n\n\ndef case(inputs):\n    loss = soft_margin(1, 2)\n    yield {}\n"
    assert "soft_margin_loss(1, 2)\n    yield loss" in rewrite_case_file(bench.project, loss, text.format("loss"))
    assert 'soft_margin_loss(1, 2)["loss"]\n    yield loss * 2' in rewrite_case_file(bench.project, loss, text.format("loss * 2"))
    with pytest.raises(RewriteRefused, match="yielded whole and used otherwise"):
        rewrite_case_file(bench.project, loss, text.format("loss, loss * 2"))


def test_a_case_file_is_rewritten_from_given_sources_when_the_legacy_module_is_gone(bench: Any) -> None:
    source = bench.read("old_losses/triplet.py")
    (bench.root / "old_losses/triplet.py").unlink()
    loss = bench.project.loss("triplet")
    text = "from old_losses.triplet import TripletLoss\n\n\ndef case(inputs):\n    yield TripletLoss(0.1, True)(*inputs.pair())\n"
    after = rewrite_case_file(bench.project, loss, text, sources={"old_losses.triplet": source})
    assert "yield Triplet(0.1)(*inputs.pair())" in after


def test_a_file_that_joins_late_leaves_no_guess_behind(bench: Any) -> None:
    held = (
        "class Pair:\n    def __init__(self, part):\n        self.part = part\n\n    def hits(self, a, b):\n        return {}\n"
    )
    built = "from app.held import Pair\nfrom old_losses.triplet import TripletLoss\n\n\ndef build():\n    return Pair(TripletLoss(0.1))\n"
    done = bench.transform(
        {
            "app/held.py": held.format('self.part(a, b)["accuracy"]'),
            "app/build.py": built,
            "app/run.py": "from app.build import build\n\npair = build()\nprint(pair.part(1, 2)['recalls']['r@1'], pair.hits(1, 2))\n",
        },
        "triplet",
    )
    assert done["app/held.py"].decode() == held.format('self.part(a, b)["accuracy"].item()')
    assert b"pair.part(1, 2)['r@1'].item(), pair.hits" in done["app/run.py"]
