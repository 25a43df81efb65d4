"""Places that hold a legacy name and are easily overlooked: prose, templates, settings, folders on the path."""

from __future__ import annotations

from typing import Any

import pytest

PAGE = """
    # Losses

    ```python
    from old_losses.plain import PlainLoss
    ```

    As a session:

    >>> from old_losses.plain import PlainLoss
    >>> PlainLoss(2.0).scale
    2.0
    """


def test_each_block_of_a_page_keeps_its_own_import(bench: Any) -> None:
    after = PAGE.replace("old_losses.plain import PlainLoss", "new_losses import Plain").replace("PlainLoss(", "Plain(")
    bench.check_text("docs/page.md", PAGE, after, "plain")


def test_cells_of_a_notebook_share_their_imports(bench: Any) -> None:
    cells = ", ".join(
        f'{{"cell_type": "code", "metadata": {{}}, "outputs": [], "source": ["{line}"]}}'
        for line in ("from new_losses import Plain", "from old_losses.plain import PlainLoss\\nPlainLoss()")
    )
    bench.write({"a.ipynb": f'{{"cells": [{cells}], "metadata": {{}}, "nbformat": 4, "nbformat_minor": 5}}'})
    bench.apply(bench.plan("plain"))
    assert bench.read("a.ipynb").count("import Plain") == 1


def test_a_block_with_an_ellipsis_is_code(bench: Any) -> None:
    before = """
        ```python
        from old_losses.plain import PlainLoss

        class Net:
            ...

        PlainLoss()
        ```
        """
    after = before.replace("old_losses.plain import PlainLoss", "new_losses import Plain").replace("PlainLoss()", "Plain()")
    bench.check_text("docs/page.md", before, after, "plain")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (":class:`old_losses.plain.PlainLoss`", ":class:`new_losses.Plain`"),
        (":py:class:`~old_losses.plain.PlainLoss`", ":py:class:`~new_losses.Plain`"),
        (":class:`the loss <old_losses.plain.PlainLoss>`", ":class:`the loss <new_losses.Plain>`"),
        (".. autoclass:: old_losses.plain.PlainLoss", ".. autoclass:: new_losses.Plain"),
        ("::: old_losses.plain.PlainLoss", "::: new_losses.Plain"),
    ],
)
def test_what_a_documentation_build_looks_up_is_rewritten(bench: Any, before: str, after: str) -> None:
    bench.check_text("docs/api.rst", f"See:\n\n{before}\n", f"See:\n\n{after}\n", "plain")


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("docs/a.rst", ".. automodule:: old_losses.plain\n", 1),
        ("docs/a.rst", "Use it::\n\n    from old_losses.plain import PlainLoss\n", 3),
        ("docs/a.md", "```\nfrom old_losses.plain import PlainLoss\n```\n", 2),
        ("docs/a.md", "So:\n\n    from old_losses.plain import PlainLoss\n", 3),
        ("docs/a.md", "```python\nfrom old_losses.plain import PlainLoss\nPlainLoss(\n```\n", 2),
        ("mypy.ini", "[mypy-old_losses.plain]\nignore_errors = True\n", 1),
        ("files.json", '{"files": ["old_losses/plain.py"]}\n', 1),
    ],
)
def test_what_stops_nothing_is_told(bench: Any, name: str, text: str, line: int) -> None:
    bench.write({name: text})
    plan = bench.plan("plain")
    assert {(told.path, told.line) for told in plan.told} == {(name, line)}
    assert plan.refusals == ()


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("train.py.j2", "from old_losses.plain import PlainLoss\ncriterion = PlainLoss({{ scale }})\n", 1),
        ("fast.pyx", "from old_losses.plain cimport PlainLoss\n", 1),
        (".coveragerc", "[run]\nomit = old_losses/plain.py\n", 2),
        ("setup.cfg", "[tool:pytest]\naddopts = --cov=new_losses --cov=old_losses.plain -q\n", 2),
        ("app.py", 'import sys\nsys.path.insert(0, "old_losses")\nfrom plain import PlainLoss\n', 3),
    ],
)
def test_what_would_fail_is_refused(bench: Any, name: str, text: str, line: int) -> None:
    bench.write({name: text})
    refused = bench.plan("plain").refusals
    assert {(refusal.path, refusal.line) for refusal in refused} == {(name, line)}
