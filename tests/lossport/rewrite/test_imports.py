"""Imports: replaced where they stand, merged, sorted, removed; names renamed where nothing else has them."""
# ruff: noqa: E501  # pairs of lines read best side by side

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Check = Callable[..., None]


def test_a_from_import_and_its_uses_are_renamed(check_transformed: Check) -> None:
    check_transformed(
        """
        from old_losses.plain import PlainLoss

        criterion = PlainLoss(2.0)
        """,
        """
        from new_losses import Plain

        criterion = Plain(2.0)
        """,
    )


def test_as_keeps_the_name_that_the_file_chose(check_transformed: Check) -> None:
    check_transformed(
        """
        from old_losses.plain import PlainLoss as Criterion  # the usual one

        criterion = Criterion()
        """,
        """
        from new_losses import Plain as Criterion  # the usual one

        criterion = Criterion()
        """,
    )


def test_layout_and_comments_of_a_bracketed_import_stay(check_transformed: Check) -> None:
    check_transformed(
        """
        from old_losses.functional import (  # both
            hinge,  # moved only
            # a remark
        )
        from old_losses.plain import \\
            PlainLoss

        print(hinge, PlainLoss)
        """,
        """
        from new_losses import (  # both
            Plain,
            hinge,  # moved only
            # a remark
        )

        print(hinge, Plain)
        """,
    )


def test_a_module_alias_keeps_its_name(check_transformed: Check) -> None:
    check_transformed(
        """
        import os, old_losses.plain as pl

        criterion = pl.PlainLoss(scale=os.cpu_count())
        """,
        """
        import os, new_losses as pl

        criterion = pl.Plain(scale=os.cpu_count())
        """,
    )


def test_a_dotted_import_becomes_an_import_of_the_new_module(check_transformed: Check) -> None:
    check_transformed(
        """
        import old_losses.plain
        import old_losses.pair

        first = old_losses.plain.PlainLoss()
        second = old_losses.pair.PairLoss()
        """,
        """
        import new_losses

        first = new_losses.Plain()
        second = new_losses.Pair()
        """,
    )


def test_a_module_taken_from_its_package_becomes_the_new_module(check_transformed: Check) -> None:
    check_transformed(
        """
        from old_losses import plain, functional as F

        print(plain.PlainLoss, F.hinge)
        """,
        """
        import new_losses
        import new_losses as F

        print(new_losses.Plain, F.hinge)
        """,
    )


def test_a_local_variable_named_like_the_new_module_is_respected(check_transformed: Check) -> None:
    check_transformed(
        """
        import old_losses.plain


        def train():
            new_losses = []
            criterion = old_losses.plain.PlainLoss()
            new_losses.append(criterion(1))
        """,
        """
        from new_losses import Plain


        def train():
            new_losses = []
            criterion = Plain()
            new_losses.append(criterion(1))
        """,
    )


def test_a_taken_new_name_leaves_the_old_one_as_an_alias(check_transformed: Check) -> None:
    check_transformed(
        """
        from old_losses.plain import PlainLoss


        class Plain:
            inner = PlainLoss()
        """,
        """
        from new_losses import Plain as PlainLoss


        class Plain:
            inner = PlainLoss()
        """,
    )


def test_a_name_bound_twice_keeps_its_name(check_transformed: Check) -> None:
    check_transformed(
        """
        try:
            from old_losses.plain import PlainLoss
        except ImportError:
            PlainLoss = None

        if PlainLoss is not None:
            print(PlainLoss())
        """,
        """
        try:
            from new_losses import Plain as PlainLoss
        except ImportError:
            PlainLoss = None

        if PlainLoss is not None:
            print(PlainLoss())
        """,
    )


def test_guarded_and_local_imports_stay_where_they_are(check_transformed: Check) -> None:
    check_transformed(
        """
        from __future__ import annotations

        from typing import TYPE_CHECKING

        if TYPE_CHECKING:
            from old_losses.plain import PlainLoss


        def build() -> "PlainLoss":
            from old_losses.plain import PlainLoss

            return PlainLoss()


        def use(loss: PlainLoss, others: list["PlainLoss | None"]) -> None:
            loss(others)
        """,
        """
        from __future__ import annotations

        from typing import TYPE_CHECKING

        if TYPE_CHECKING:
            from new_losses import Plain


        def build() -> "Plain":
            from new_losses import Plain

            return Plain()


        def use(loss: Plain, others: list["Plain | None"]) -> None:
            loss(others)
        """,
    )


def test_a_name_joins_an_import_of_the_new_module_that_is_there(check_transformed: Check) -> None:
    check_transformed(
        """
        from old_losses.plain import PlainLoss
        from new_losses import Pair, Triplet
        import os

        print(PlainLoss, Pair, Triplet, os)
        """,
        """
        from new_losses import Pair, Plain, Triplet
        import os

        print(Plain, Pair, Triplet, os)
        """,
    )


def test_other_names_of_the_statement_stay(bench: Any) -> None:
    bench.write({"old_losses/plain.py": bench.read("old_losses/plain.py") + "\n\ndef other():\n    return 1\n"})
    bench.write(
        {"ports/other.py": "from lossport.port import Port\n\nPORTS = (Port('old_losses.plain.other', 'new_losses.hinge'),)\n"}
    )
    bench.check_transformed(
        """
        from old_losses.plain import other, PlainLoss  # two

        print(PlainLoss(), other)
        """,
        """
        from old_losses.plain import other  # two
        from new_losses import Plain

        print(Plain(), other)
        """,
        "plain",
    )


def test_an_unused_import_of_a_gone_symbol_is_removed(check_transformed: Check) -> None:
    check_transformed(
        """
        from old_losses.triplet import TripletLoss, describe

        print(TripletLoss(margin=0.1))
        """,
        """
        from new_losses import Triplet

        print(Triplet(margin=0.1))
        """,
    )


def test_a_use_of_a_gone_symbol_is_refused(check_refused: Check) -> None:
    check_refused("from old_losses.triplet import describe\nprint(describe())\n", 1, "is gone: prose about the file")


def test_a_name_that_no_port_speaks_of_is_refused(check_refused: Check) -> None:
    check_refused("import old_losses.triplet as t\nprint(t.LIMIT)\n", 2, "no port says")
    check_refused("from old_losses.triplet import torch\nprint(torch)\n", 1, "no port says")


def test_another_name_of_a_legacy_module_stays_imported_and_is_told(bench: Any) -> None:
    bench.write({"train.py": "from old_losses.triplet import LIMIT, TripletLoss\nprint(LIMIT, TripletLoss())\n"})
    plan = bench.plan("triplet")
    bench.apply(plan)
    assert bench.read("train.py") == (
        "from new_losses import Triplet\nfrom old_losses.triplet import LIMIT\nprint(LIMIT, Triplet(margin=0.2))\n"
    )
    assert [(told.path, told.line) for told in plan.told] == [("train.py", 1)]
    assert plan.refusals == ()


def test_a_star_of_which_another_file_has_another_name_stays(bench: Any) -> None:
    bench.write({"lib/__init__.py": "from old_losses.triplet import *  # noqa: F403\n", "run.py": "from lib import LIMIT\n"})
    bench.apply(bench.plan("triplet"))
    expected = "from old_losses.triplet import *  # noqa: F403\nfrom new_losses import Triplet\n"
    assert bench.read("lib/__init__.py") == expected
    assert bench.plan("triplet").files == ()


def test_shadowed_names_homonyms_and_comments_are_no_sites(check_noop: Check) -> None:
    check_noop(
        '''
        """TripletLoss of old_losses.triplet is mentioned here."""
        from somewhere import TripletLoss  # not old_losses.triplet.TripletLoss

        class PlainLoss:
            pass

        def f(PairLoss):
            return PairLoss(), PlainLoss(), TripletLoss(), "PlainLoss"
        '''
    )


def test_relative_imports_are_followed(bench: Any) -> None:
    bench.write(
        {"old_losses/use.py": "from .plain import PlainLoss\nfrom . import pair\n\nprint(PlainLoss(), pair.PairLoss())\n"}
    )
    bench.apply(bench.plan())
    assert (
        bench.read("old_losses/use.py")
        == "from new_losses import Plain\nimport new_losses\n\nprint(Plain(), new_losses.Pair())\n"
    )


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_several_statements_on_a_line_stay_on_it(bench: Any, newline: str) -> None:
    text = "import os; from old_losses.plain import PlainLoss; x = PlainLoss()" + newline
    after = bench.transform({"train.py": text.encode()})["train.py"].decode()
    assert after == "import os; from new_losses import Plain; x = Plain()" + newline


def test_the_legacy_package_stops_passing_a_symbol_on(bench: Any) -> None:
    bench.write(
        {
            "old_losses/__init__.py": """
                from .plain import PlainLoss
                from .pair import PairLoss

                __all__ = [
                    "PlainLoss",
                    "PairLoss",  # kept
                ]
                """,
            "train.py": "from old_losses import PlainLoss\nimport old_losses\n\nprint(PlainLoss(), old_losses.PlainLoss, old_losses.PairLoss)\n",
        }
    )
    plan = bench.plan("plain")
    assert plan.refusals == ()
    bench.apply(plan)
    assert bench.read("old_losses/__init__.py") == 'from .pair import PairLoss\n\n__all__ = [\n    "PairLoss",  # kept\n]\n'
    assert bench.read("train.py") == (
        "from new_losses import Plain\nimport old_losses\nimport new_losses\n\n"
        "print(Plain(), new_losses.Plain, old_losses.PairLoss)\n"
    )
    assert bench.plan("plain").files == ()


def test_another_package_passes_the_new_symbol_on(bench: Any) -> None:
    bench.write(
        {
            "kit/__init__.py": "from .parts import PlainLoss, Criterion\n\n__all__ = ['Criterion', 'PlainLoss']\n",
            "kit/parts.py": "from old_losses.plain import PlainLoss\n\nCriterion = PlainLoss\n",
            "train.py": "import kit\nfrom kit import Criterion\n\nprint(kit.PlainLoss(), kit.Criterion(), Criterion())\n",
        }
    )
    plan = bench.plan()
    assert plan.refusals == ()
    bench.apply(plan)
    assert (
        bench.read("kit/__init__.py")
        == "from .parts import Criterion\nfrom new_losses import Plain\n\n__all__ = ['Criterion', 'Plain']\n"
    )
    assert bench.read("kit/parts.py") == "from new_losses import Plain\n\nCriterion = Plain\n"
    assert bench.read("train.py") == "import kit\nfrom kit import Criterion\n\nprint(kit.Plain(), kit.Criterion(), Criterion())\n"


def test_a_star_of_a_legacy_module_becomes_the_names_that_are_used(check_transformed: Check) -> None:
    check_transformed(
        """
        from old_losses.plain import *

        if __name__ == "__main__":
            print(PlainLoss())
        """,
        """
        from new_losses import Plain

        if __name__ == "__main__":
            print(Plain())
        """,
    )


def test_a_star_that_brings_something_else_is_refused(check_refused: Check) -> None:
    check_refused("from old_losses.plain import *\n\nprint(PlainLoss(), nn.Linear)\n", 1, "also brings nn")


def test_a_star_of_the_legacy_package_gets_company(bench: Any) -> None:
    bench.write({"old_losses/__init__.py": "from .plain import PlainLoss\nfrom .pair import PairLoss\n"})
    bench.write({"train.py": "from old_losses import *\n\nprint(PlainLoss(), PairLoss())\n"})
    plan = bench.plan("plain")
    assert plan.refusals == ()
    bench.apply(plan)
    assert bench.read("train.py") == "from old_losses import *\nfrom new_losses import Plain\n\nprint(Plain(), PairLoss())\n"


def test_an_import_for_its_effects_alone_is_removed(check_transformed: Check) -> None:
    check_transformed("import old_losses.plain\nimport os\n\nprint(os)\n", "import os\n\nprint(os)\n")


def test_an_emptied_block_gets_pass(check_transformed: Check) -> None:
    check_transformed(
        """
        def f():
            import old_losses.plain
        """,
        """
        def f():
            pass
        """,
    )


def test_import_module_with_a_literal_is_followed(check_transformed: Check) -> None:
    check_transformed(
        """
        import importlib

        module = importlib.import_module("old_losses.plain")
        criterion = module.PlainLoss()
        other = getattr(importlib.import_module('old_losses.pair'), 'PairLoss')
        """,
        """
        import importlib

        module = importlib.import_module("new_losses")
        criterion = module.Plain()
        other = getattr(importlib.import_module('new_losses'), 'Pair')
        """,
    )


def test_a_computed_module_name_is_refused(check_refused: Check) -> None:
    check_refused("import importlib\n\nm = importlib.import_module('old_losses.' + name)\n", 3, "computed")
    check_refused("import importlib\n\nm = importlib.import_module(f'old_losses.{name}').PlainLoss\n", 3, "computed")


def test_a_computed_attribute_of_a_legacy_module_is_refused(check_refused: Check) -> None:
    check_refused("import old_losses.plain as p\n\nm = getattr(p, name)\n", 3, "uses the module")
