"""Calls: parameters renamed, dropped, defaulted, moved, computed; methods and attributes renamed."""
# ruff: noqa: E501  # pairs of lines read best side by side

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lossport.project.config import ConfigError
from lossport.rewrite.contract import same_default

Check = Callable[..., None]

IMPORT = "from old_losses.triplet import TripletLoss\n\n"
AFTER = "from new_losses import Triplet\n\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("TripletLoss()", "Triplet(margin=0.2)"),
        ("TripletLoss(0.2)", "Triplet(0.2)"),
        ("TripletLoss(margin=0.4)", "Triplet(margin=0.4)"),
        ("TripletLoss(0.1, True)", "Triplet(0.1)"),
        ("TripletLoss(0.1, True, 0.5)", "Triplet(0.1)"),
        ("TripletLoss(0.1, True, 0.5, 'sum')", "Triplet(0.1, reduction='sum')"),
        ("TripletLoss(0.1, True, 0.5, 'sum', 2.0)", "Triplet(0.1, reduction='sum', temperature=2.0)"),
        ("TripletLoss(T=2, margin=m)", "Triplet(temperature=2, margin=m)"),
        ("TripletLoss(use_hard=a.b[c] > 1)", "Triplet(margin=0.2)"),
        ("TripletLoss( 0.1 , use_hard = not flag )", "Triplet( 0.1 )"),
        ("TripletLoss(T = (y := 3))", "Triplet(temperature=(y := 3), margin=0.2)"),
        ("(TripletLoss)(0.3)", "(Triplet)(0.3)"),
        ("TripletLoss(\n    0.1,\n    True,  # hard\n    T=1,\n)", "Triplet(\n    0.1,\n    # hard\n    temperature=1,\n)"),
        ("TripletLoss(\n    use_hard=True,\n    T=1,\n)", "Triplet(\n    temperature=1,\n    margin=0.2,\n)"),
        ("TripletLoss(\n    T=1  # one\n)", "Triplet(\n    temperature=1,  # one\n    margin=0.2\n)"),
        ("TripletLoss(TripletLoss(0.1, True).margin, True)", "Triplet(Triplet(0.1).margin)"),
    ],
)
def test_a_constructor_call(check_transformed: Check, before: str, after: str) -> None:
    check_transformed(f"{IMPORT}x = {before}\n", f"{AFTER}x = {after}\n", "triplet")


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ("TripletLoss(use_hard=next(flags))", "effects that would be lost"),
        ("TripletLoss(weight=0.7)", "another value than 0.5, 1.0: t-2"),
        ("TripletLoss(weight=w)", "another value than"),
        ("TripletLoss(**options)", "come from elsewhere"),
        ("TripletLoss(*values)", "unpacked with *"),
        ("TripletLoss(1, 2, 3, 4, 5, 6)", "more positional arguments"),
        ("TripletLoss(unheard_of=1)", "'unheard_of'"),
    ],
)
def test_a_constructor_call_that_cannot_be_mapped(check_refused: Check, call: str, reason: str) -> None:
    check_refused(f"{IMPORT}x = {call}\n", 3, reason, "triplet")


def test_keywords_that_the_legacy_forward_swallowed_are_refused(check_refused: Check) -> None:
    check_refused(f"{IMPORT}TripletLoss()(a, b, epoch=3)\n", 3, "accepts any keyword", "triplet")


def test_star_arguments_are_kept_where_both_sides_take_the_same(check_transformed: Check) -> None:
    check_transformed(f"{IMPORT}TripletLoss(0.2)(*pair)\n", f"{AFTER}Triplet(0.2)(*pair)\n", "triplet")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            'options = {"T": 2.0, "use_hard": True, "reduction": "sum"}\nx = TripletLoss(**options)',
            'options = {"temperature": 2.0, "reduction": "sum"}\nx = Triplet(**options, margin=0.2)',
        ),
        (
            "options = dict(T=2.0, margin=1)\nx = TripletLoss(**options)",
            "options = dict(temperature=2.0, margin=1)\nx = Triplet(**options)",
        ),
        ("x = TripletLoss(0.1, **{'T': 1})", "x = Triplet(0.1, **{'temperature': 1})"),
        (
            "OPTIONS = {\n    'T': 1,  # warm\n    'use_hard': False,  # off\n}\n\n\ndef f():\n    return TripletLoss(**OPTIONS).margin",
            "OPTIONS = {\n    'temperature': 1,  # warm\n    # off\n}\n\n\ndef f():\n    return Triplet(**OPTIONS, margin=0.2).margin",
        ),
    ],
)
def test_options_from_a_literal_in_reach(check_transformed: Check, before: str, after: str) -> None:
    check_transformed(f"{IMPORT}{before}\n", f"{AFTER}{after}\n", "triplet")


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("options = {'T': 1}\noptions['weight'] = 2\nx = TripletLoss(**options)", 5, "added to the dictionary later"),
        ("options = {'T': 1}\nprint(options)\nx = TripletLoss(**options)", 5, "also used in line 4"),
        ("options = {name: 1}\nx = TripletLoss(**options)", 4, "computed names"),
        ("options = {'T': 1} if a else {'T': 2}\nx = TripletLoss(**options)", 4, "come from elsewhere"),
    ],
)
def test_options_that_something_else_needs(check_refused: Check, text: str, line: int, reason: str) -> None:
    check_refused(f"{IMPORT}{text}\n", line, reason, "triplet")


def test_a_function_call_with_a_result_that_became_an_entry(check_transformed: Check) -> None:
    check_transformed(
        """
        from old_losses.functional import soft_margin

        loss = soft_margin(x, y, "mean", 1e-5) * 2
        soft_margin(x, y)
        """,
        """
        from new_losses import soft_margin_loss

        loss = soft_margin_loss(x, y, eps=1e-5)["loss"] * 2
        soft_margin_loss(x, y)
        """,
        "functional",
    )


def test_methods_and_attributes(check_transformed: Check) -> None:
    check_transformed(
        f"""
        {IMPORT.strip()}

        criterion = TripletLoss(0.1).to(device)
        criterion.set_epoch(3, total=4)
        criterion.set_epoch(3, 4)
        criterion.T = criterion.T * 2
        criterion.eval().train()
        print(getattr(criterion, "T"), hasattr(criterion, 'set_epoch'), criterion.margin, criterion.training)
        setattr(criterion, "T", 1.0)
        """,
        f"""
        {AFTER.strip()}

        criterion = Triplet(0.1).to(device)
        criterion.start_epoch(3, of=4)
        criterion.start_epoch(3, of=4)
        criterion.temperature = criterion.temperature * 2
        criterion.eval().train()
        print(getattr(criterion, "temperature"), hasattr(criterion, 'start_epoch'), criterion.margin, criterion.training)
        setattr(criterion, "temperature", 1.0)
        """,
        "triplet",
    )


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("criterion.cache.clear()", "'cache' is gone: t-3"),
        ("criterion._hits(a, b)", "has no '_hits'"),
        ("criterion.forward = other", "monkeypatching"),
        ("TripletLoss.forward = other", "monkeypatching"),
        ("setattr(TripletLoss, 'forward', other)", "monkeypatching"),
        ("getattr(criterion, name)", "computed attribute"),
        ("TripletLoss.forward(criterion, a, b)", "without an instance"),
        ("fit(criterion)", "passed to fit()"),
        ("register('triplet', TripletLoss)", "passed to register()"),
        ("callbacks.append(criterion.set_epoch)", "goes where its calls cannot be followed"),
        ("things.criterion = criterion", "stored as things.criterion"),
        ("things[0] = criterion", "stored in things[0]"),
        ("mock.patch.object(TripletLoss, 'forward')", "monkeypatching"),
    ],
)
def test_a_use_that_cannot_be_followed(check_refused: Check, line: str, reason: str) -> None:
    check_refused(f"{IMPORT}criterion = TripletLoss(0.1)\n{line}\n", 4, reason, "triplet")


def test_what_only_changed_its_name_may_go_anywhere(check_transformed: Check) -> None:
    check_transformed(
        """
        from old_losses.plain import PlainLoss

        TABLE = {"plain": PlainLoss}
        fit(PlainLoss(**options), PlainLoss, [PlainLoss], kind=PlainLoss)
        things.criterion = PlainLoss(*values)


        class Mine(PlainLoss):
            def forward(self, x):
                return super().forward(x) * 2


        def build(kind=PlainLoss) -> PlainLoss:
            return kind()
        """,
        """
        from new_losses import Plain

        TABLE = {"plain": Plain}
        fit(Plain(**options), Plain, [Plain], kind=Plain)
        things.criterion = Plain(*values)


        class Mine(Plain):
            def forward(self, x):
                return super().forward(x) * 2


        def build(kind=Plain) -> Plain:
            return kind()
        """,
        "plain",
    )


def test_partial_says_what_a_call_would_say(check_transformed: Check) -> None:
    check_transformed(
        f"""
        from functools import partial

        {IMPORT.strip()}

        make = partial(TripletLoss, T=2.0, use_hard=True)
        first, second = make(), make(margin=0.5)
        third = make(0.5)
        """,
        f"""
        from functools import partial

        {AFTER.strip()}

        make = partial(Triplet, temperature=2.0, margin=0.2)
        first, second = make(), make(margin=0.5)
        third = make(margin=0.5)
        """,
        "triplet",
    )


def test_a_class_chosen_from_a_literal_table(check_transformed: Check) -> None:
    check_transformed(
        f"""
        {IMPORT.strip()}

        LOSSES = {{"triplet": TripletLoss, "other": Other}}
        criterion = LOSSES["triplet"](T=2.0)
        out = criterion(a, b)
        print(out["accuracy"])
        """,
        f"""
        {AFTER.strip()}

        LOSSES = {{"triplet": Triplet, "other": Other}}
        criterion = LOSSES["triplet"](temperature=2.0, margin=0.2)
        out = criterion(a, b)
        print(out["accuracy"].item())
        """,
        "triplet",
    )


def test_a_class_chosen_by_a_computed_key_is_refused(check_refused: Check) -> None:
    check_refused(
        f"{IMPORT}LOSSES = {{'triplet': TripletLoss, 'other': Other}}\ncriterion = LOSSES[kind](T=2.0)\n", 4, "may stand for"
    )


def test_a_subclass_whose_base_is_built_from_its_constructor(check_transformed: Check) -> None:
    check_transformed(
        f"""
        {IMPORT.strip()}


        class Mine(TripletLoss):
            def __init__(self, scale):
                super().__init__(0.1, True, T=scale)
                self.scale = scale

            def doubled(self, a, b):
                out = self(a, b)
                return out["loss"] * 2 + out["accuracy"] + self.T


        print(Mine(2.0).doubled(a, b))
        """,
        f"""
        {AFTER.strip()}


        class Mine(Triplet):
            def __init__(self, scale):
                super().__init__(0.1, temperature=scale)
                self.scale = scale

            def doubled(self, a, b):
                out = self(a, b)
                return out["loss"] * 2 + out["accuracy"].item() + self.temperature


        print(Mine(2.0).doubled(a, b))
        """,
        "triplet",
    )


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("def forward(self, a, b):\n        return {}", "overrides forward(), which returns something else now"),
        ("def set_epoch(self, number, total=1):\n        pass", "called start_epoch() now"),
        ("def _hits(self, a, b):\n        return 0", "overrides _hits(), which the new class does not call"),
        ("def warm(self):\n        self.T = 2", "sets 'T', which is called 'temperature' now"),
    ],
)
def test_a_subclass_whose_overrides_changed_their_contract(bench: Any, body: str, reason: str) -> None:
    bench.write({"mine.py": f"{IMPORT}\nclass Mine(TripletLoss):\n    {body}\n"})
    refusals = bench.plan("triplet").refusals
    assert [reason in r.reason for r in refusals if r.line >= 5] == [True], refusals


@pytest.mark.parametrize(
    ("call", "after"),
    [
        ("Averaged(size_average=False)", "Reduced(reduction='sum')"),
        ("Averaged(True)", "Reduced(reduction='mean')"),
        ("Averaged(size_average=flag)", "Reduced(reduction='mean' if flag else 'sum')"),
        ("Averaged(size_average=not flag)", "Reduced(reduction='mean' if (not flag) else 'sum')"),
        ("Averaged(size_average=not True)", "Reduced(reduction='sum')"),
    ],
)
def test_a_computed_parameter_whose_condition_is_known_reads_as_its_value(bench: Any, call: str, after: str) -> None:
    bench.write(
        {
            "old_losses/averaged.py": "class Averaged:\n    def __init__(self, size_average=True): ...\n",
            "new_losses/reduced.py": "class Reduced:\n    def __init__(self, reduction='mean'): ...\n",
            "ports/averaged.py": (
                "from lossport.port import Port, compute\n\nPORTS = (Port('old_losses.averaged.Averaged', 'new_losses.reduced.Reduced',"
                " parameters=(compute('reduction', \"'mean' if size_average else 'sum'\"),)),)\n"
            ),
        }
    )
    bench.check_transformed(
        f"from old_losses.averaged import Averaged\n\nx = {call}\n",
        f"from new_losses.reduced import Reduced\n\nx = {after}\n",
        "averaged",
    )


def test_a_computed_parameter(bench: Any) -> None:
    bench.write(
        {
            "old_losses/scaled.py": "class Scaled:\n    def __init__(self, T=2.0, keep=1): ...\n    def forward(self, x): ...\n",
            "new_losses/scaled.py": "class NewScaled:\n    def __init__(self, keep=1, scale=0.5): ...\n    def forward(self, x): ...\n",
            "ports/scaled.py": (
                "from lossport.port import Port, compute\n\nPORTS = (Port('old_losses.scaled.Scaled', 'new_losses.scaled.NewScaled',"
                " parameters=(compute('scale', '1 / T'),)),)\n"
            ),
        }
    )
    bench.check_transformed(
        """
        from old_losses.scaled import Scaled

        a = Scaled()
        b = Scaled(4.0)
        c = Scaled(T=x + 1, keep=3)
        d = Scaled(f(), 2)
        """,
        """
        from new_losses.scaled import NewScaled

        a = NewScaled()
        b = NewScaled(scale=1 / 4.0)
        c = NewScaled(scale=1 / (x + 1), keep=3)
        d = NewScaled(scale=1 / f(), keep=2)
        """,
        "scaled",
    )


@pytest.mark.parametrize(
    ("port", "message"),
    [
        ("Port('old_losses.triplet.TripletLoss', 'new_losses.Triplet')", "'use_hard' of TripletLoss has no counterpart"),
        ("Port('old_losses.plain.PlainLoss', 'new_losses.Plain', parameters=(drop('scal', reason='x'),))", "takes no 'scal'"),
        ("Port('old_losses.plain.PlainLoss', 'new_losses.Nothing')", "new_losses.Nothing is not defined"),
        ("Port('old_losses.plain.Nothing', 'new_losses.Plain')", "defines no class or function 'Nothing'"),
        ("Port('old_losses.plain.PlainLoss', 'new_lossess.Plain')", "has a module 'new_lossess'"),
        (
            "Port('old_losses.plain.PlainLoss', 'new_losses.Plain', methods={'go': Method('went')})",
            "PlainLoss has no method 'go'",
        ),
    ],
)
def test_a_port_that_does_not_fit_its_sources(bench: Any, port: str, message: str) -> None:
    bench.write({"ports/wrong.py": f"from lossport.port import Method, Port, drop\n\nPORTS = ({port},)\n"})
    with pytest.raises(ConfigError) as caught:
        bench.plan("wrong")
    assert message in str(caught.value)
    assert "ports/wrong.py" in str(caught.value)


def test_a_list_as_default_is_no_other_than_an_equal_tuple() -> None:
    assert same_default("[1, 2]", "(1, 2)")
    assert not same_default("[1, 2]", "(1, 3)")
    assert not same_default("1", "1.0")
    assert not same_default("[1]", "[True]")
