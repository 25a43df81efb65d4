"""Code outside of Python files: notebooks, Markdown, docstrings, configuration - and names written as text."""
# ruff: noqa: E501  # pairs of lines read best side by side

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

Check = Callable[..., None]


def notebook(*cells: list[str]) -> str:
    """A notebook with these cells; one that starts with `#` is Markdown. Indented by one, with outputs and a final newline."""
    written: list[dict[str, Any]] = []
    for number, source in enumerate(cells):
        if source[0].startswith("# "):
            written.append({"cell_type": "markdown", "metadata": {}, "source": source})
            continue
        output: dict[str, Any] = {
            "data": {"text/plain": ["TripletLoss()"]},
            "execution_count": number,
            "output_type": "execute_result",
        }
        written.append({"cell_type": "code", "execution_count": number, "metadata": {}, "outputs": [output], "source": source})
    body: dict[str, Any] = {"cells": written, "metadata": {"kernelspec": {"name": "python3"}}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(body, indent=1, ensure_ascii=False) + "\n"


def test_a_notebook_keeps_its_layout_outputs_and_magics(bench: Any) -> None:
    before = notebook(
        ["%matplotlib inline\n", "import torch\n", "from old_losses.triplet import TripletLoss\n"],
        ["# Training\n"],
        ["!pip list\n", "criterion = TripletLoss(0.1, True)\n", "%time out = criterion(a, b)\n", "out['accuracy'], 'ä'"],
        ["%%bash\n", "echo TripletLoss\n"],
    )
    after = bench.transform({"look.ipynb": before.encode()}, "triplet")["look.ipynb"].decode()
    assert after == (
        before.replace("from old_losses.triplet import TripletLoss", "from new_losses import Triplet")
        .replace("TripletLoss(0.1, True)", "Triplet(0.1)")
        .replace("out['accuracy'], ", "out['accuracy'].item(), ")
    )
    assert json.loads(after)
    assert bench.plan("triplet").files == ()


def test_a_notebook_cell_that_grows_gets_more_strings(bench: Any) -> None:
    before = notebook(["from old_losses.pair import PairLoss\n", "loss, parts = PairLoss()(1, 2)\n", "print(parts['rest'])"])
    after = bench.transform({"look.ipynb": before.encode()}, "pair")["look.ipynb"].decode()
    assert json.loads(after)["cells"][0]["source"] == [
        "from new_losses import Pair\n",
        "parts = Pair()(1, 2)\n",
        'loss = parts["loss"]\n',
        "print(parts['rest'].item())",
    ]


def test_a_notebook_with_its_source_in_one_string(bench: Any) -> None:
    text = json.dumps({"cells": [{"cell_type": "code", "source": "from old_losses.plain import PlainLoss\nPlainLoss()"}]})
    after = bench.transform({"look.ipynb": text.encode()}, "plain")["look.ipynb"].decode()
    assert json.loads(after)["cells"][0]["source"] == "from new_losses import Plain\nPlain()"


def test_a_refusal_in_a_notebook_names_its_line_in_the_file(bench: Any) -> None:
    text = notebook(["from old_losses.triplet import TripletLoss\n", "fit(TripletLoss(0.1))\n"])
    bench.write({"look.ipynb": text.encode()})
    (refusal,) = bench.plan("triplet").refusals
    assert refusal.code == text.split("\n")[refusal.line - 1].strip()
    assert "fit(TripletLoss" in refusal.code


def test_code_blocks_of_markdown_are_one_module(bench: Any) -> None:
    before = """
        # TripletLoss of old_losses.triplet

        Use `old_losses.triplet.TripletLoss`:

        ```python
        from old_losses.triplet import TripletLoss
        ```

        - in a list:

          ```py
          criterion = TripletLoss(0.1, use_hard=True)
          print(criterion(a, b)["accuracy"])
          ```

        ```
        TripletLoss is not code here
        ```

        ```bash
        grep TripletLoss
        ```

        >>> TripletLoss(T=2.0)
        TripletLoss()
        """
    after = before.replace("from old_losses.triplet import TripletLoss", "from new_losses import Triplet")
    after = after.replace("TripletLoss(0.1, use_hard=True)", "Triplet(0.1)").replace('["accuracy"]', '["accuracy"].item()')
    after = after.replace(">>> TripletLoss(T=2.0)", ">>> Triplet(temperature=2.0, margin=0.2)")
    bench.check_text("guide.md", before, after, "triplet")


def test_a_block_of_markdown_that_is_no_python_is_a_line_in_the_result(bench: Any) -> None:
    bench.write({"guide.md": "```python\nfrom old_losses.plain import PlainLoss\nPlainLoss(\n```\n"})
    plan = bench.plan("plain")
    (told,) = plan.told
    assert (told.path, told.line) == ("guide.md", 2)
    assert "does not parse" in told.reason
    assert plan.refusals == ()


def test_restructured_text(bench: Any) -> None:
    before = """
        Losses
        ======

        .. code-block:: python
            :linenos:

            from old_losses.plain import PlainLoss

            PlainLoss()

        PlainLoss is text here.
        """
    after = before.replace("from old_losses.plain import PlainLoss", "from new_losses import Plain")
    after = after.replace("    PlainLoss()", "    Plain()")
    bench.check_text("guide.rst", before, after, "plain")


def test_doctests_see_the_names_of_their_module(check_transformed: Check) -> None:
    check_transformed(
        '''
        """PlainLoss is a word here.

        >>> PlainLoss(2.0).scale
        2.0
        """
        from old_losses.plain import PlainLoss


        def build():
            """Build one.

            >>> from old_losses.pair import PairLoss
            >>> for _ in range(2):
            ...     loss, parts = PairLoss()(1, 2)
            ...     parts["rest"]
            0.25
            """
            return PlainLoss()
        ''',
        '''
        """PlainLoss is a word here.

        >>> Plain(2.0).scale
        2.0
        """
        from new_losses import Plain


        def build():
            """Build one.

            >>> from new_losses import Pair
            >>> for _ in range(2):
            ...     parts = Pair()(1, 2)
            ...     loss = parts["loss"]
            ...     parts["rest"].item()
            0.25
            """
            return Plain()
        ''',
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.yaml", "loss:\n  _target_: old_losses.plain.PlainLoss  # old_losses.plain.PlainLoss\n  scale: 2.0\n"),
        ("a.yml", "losses: [old_losses.plain.PlainLoss, 'other.Thing']\n- old_losses.plain.PlainLoss\n"),
        ("a.toml", '[tool.x]\nloss = "old_losses.plain.PlainLoss"\nentry = "old_losses.plain:PlainLoss" # old_losses.plain\n'),
        ("a.json", '{"a": {"class_path": "old_losses.plain.PlainLoss", "n": [1, "old_losses.plain.PlainLoss"]}}'),
        ("a.ini", "[x]\nloss = old_losses.plain.PlainLoss\n; old_losses.plain.PlainLoss\n"),
        ("a.cfg", "[options.entry_points]\nlosses =\n    plain = old_losses.plain:PlainLoss\n"),
    ],
)
def test_paths_in_configuration(bench: Any, name: str, text: str) -> None:
    def expected(line: str) -> str:
        code, mark, comment = line.partition(" #") if not line.startswith(";") else ("", "", line)
        new = code.replace("old_losses.plain.PlainLoss", "new_losses.Plain").replace(
            "old_losses.plain:PlainLoss", "new_losses:Plain"
        )
        return new + mark + comment

    for newline in ("\n", "\r\n"):
        before = text.replace("\n", newline)
        after = bench.transform({name: before.encode()}, "plain")[name].decode()
        assert after == newline.join(expected(line) for line in text.split("\n"))
        assert bench.plan("plain").files == ()


@pytest.mark.parametrize(
    "text",
    [
        "about: uses old_losses.plain.PlainLoss for scaling\n",
        "path: old_losses/plain.py\n",
        "other: my.old_losses.plain.PlainLoss\n",
        "# old_losses.plain.PlainLoss\n",
        'text: "with # old_losses.plain.PlainLoss in it"\n',
    ],
)
def test_words_in_sentences_and_file_names_are_no_sites(bench: Any, text: str) -> None:
    bench.check_noop(text, "plain", path="a.yaml")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("_target_: old_losses.triplet.TripletLoss\n", "built where it cannot be followed"),
        ("logger: old_losses.plain\n", "a legacy module"),
        ("x: old_losses.plain.PlainLoss.forward\n", "a part of a class"),
        ("x: old_losses.triplet.describe\n", "is gone"),
    ],
)
def test_paths_in_configuration_that_need_a_person(bench: Any, text: str, reason: str) -> None:
    bench.check_refused(text, 1, reason, path="a.yaml")


def test_arguments_beside_a_path_are_checked(bench: Any) -> None:
    bench.write(
        {
            "old_losses/wide.py": "class WideLoss:\n    def __init__(self, T=1.0, n=1): ...\n    def forward(self, x): ...\n",
            "new_losses/wide.py": "class Wide:\n    def __init__(self, temperature=1.0, n=1): ...\n    def forward(self, x): ...\n",
            "ports/wide.py": (
                "from lossport.port import Port, rename\n\nPORTS = (Port('old_losses.wide.WideLoss', 'new_losses.wide.Wide',"
                " parameters=(rename('T', 'temperature'),)),)\n"
            ),
        }
    )
    fine = "loss:\n  n: 2\n  _target_: old_losses.wide.WideLoss\nT: 3\n"
    assert bench.transform({"a.yaml": fine.encode()}, "wide")["a.yaml"].decode() == fine.replace(
        "old_losses.wide.WideLoss", "new_losses.wide.Wide"
    )
    bench.check_refused(
        "loss:\n  _target_: old_losses.wide.WideLoss\n  T: 2\n", 2, "T is called temperature", "wide", path="a.yaml"
    )
    bench.check_refused('{"_target_": "old_losses.wide.WideLoss", "T": 1}', 1, "T is called temperature", "wide", path="b.json")
    bench.check_refused("kind: old_losses.wide.WideLoss\n", 1, "given elsewhere", "wide", path="c.yaml")


def test_paths_as_text_in_python(check_transformed: Check) -> None:
    check_transformed(
        """
        from unittest import mock

        import old_losses.plain


        def test_it(monkeypatch, mocker):
            with mock.patch("old_losses.triplet.TripletLoss") as fake, mock.patch('old_losses.plain.PlainLoss'):
                fake.return_value = 1
            monkeypatch.setattr("old_losses.triplet.TripletLoss", None)
            mocker.patch("old_losses.triplet.TripletLoss", autospec=True)
            config = {"_target_": "old_losses.plain.PlainLoss", "scale": 2.0}
            assert config, "old_losses.triplet is a word here"
        """,
        """
        from unittest import mock


        def test_it(monkeypatch, mocker):
            with mock.patch("new_losses.Triplet") as fake, mock.patch('new_losses.Plain'):
                fake.return_value = 1
            monkeypatch.setattr("new_losses.Triplet", None)
            mocker.patch("new_losses.Triplet", autospec=True)
            config = {"_target_": "new_losses.Plain", "scale": 2.0}
            assert config, "old_losses.triplet is a word here"
        """,
    )


def test_a_mock_that_gives_entries_that_stay_follows_the_loss(check_transformed: Check) -> None:
    check_transformed(
        """
        from unittest import mock

        with mock.patch("old_losses.triplet.TripletLoss") as fake:
            fake.return_value.return_value = {"loss": 1.0}
        """,
        """
        from unittest import mock

        with mock.patch("new_losses.Triplet") as fake:
            fake.return_value.return_value = {"loss": 1.0}
        """,
    )


@pytest.mark.parametrize("result", ['{"loss": 1.0, "accuracy": 0.5}', '{"unheard": 1.0}', "{**given}", "made()"])
def test_a_mock_that_gives_other_entries_is_refused(check_refused: Check, result: str) -> None:
    given = f'with mock.patch("old_losses.triplet.TripletLoss") as fake:\n    fake.return_value.return_value = {result}\n'
    check_refused(f"from unittest import mock\n\n{given}", 3, "speaks of its return_value", "triplet")


def test_a_name_patched_in_the_module_that_uses_it_follows_that_module(bench: Any) -> None:
    bench.write(
        {
            "kit/__init__.py": "",
            "kit/train.py": "from old_losses.plain import PlainLoss\n\n\ndef f():\n    return PlainLoss()\n",
            "test_train.py": "from unittest import mock\n\n\ndef test_f():\n    with mock.patch('kit.train.PlainLoss'):\n        pass\n",
        }
    )
    bench.apply(bench.plan("plain"))
    assert "mock.patch('kit.train.Plain')" in bench.read("test_train.py")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("x = {'_target_': 'old_losses.triplet.TripletLoss'}", "names TripletLoss as text"),
        ("mock.patch('old_losses.triplet.TripletLoss.forward')", "monkeypatching"),
        ("logging.getLogger('old_losses.triplet')", "names the module old_losses.triplet as text"),
        ("mock.patch('old_losses.triplet.nn')", "no port says what becomes of it"),
        ("__import__('old_losses.triplet')", "names the module"),
        ("sys.modules['old_losses.triplet']", "names the module"),
    ],
)
def test_text_that_needs_a_person(check_refused: Check, line: str, reason: str) -> None:
    check_refused(f"{line}\n", 1, reason, "triplet")


def test_an_acknowledged_place_gets_the_new_name_and_nothing_else(bench: Any) -> None:
    port = bench.read("ports/triplet.py")
    bench.write(
        {
            "ports/triplet.py": port.replace("import Gone,", "import Gone, acknowledge,").replace(
                "        returns=(",
                "        acknowledged=(\n            acknowledge('a.yaml', 'TripletLoss', reason='reads only the loss'),\n"
                "            acknowledge('train.py', 'fit(', reason='reads only the loss'),\n"
                "            acknowledge('train.py', '**options', reason='only T'),\n        ),\n        returns=(",
            ),
            "a.yaml": "_target_: old_losses.triplet.TripletLoss\n",
            "train.py": "from old_losses.triplet import TripletLoss\n\nfit(TripletLoss(0.1, True), TripletLoss)\nTripletLoss(**options)\n",
            "other.py": "from old_losses.triplet import TripletLoss\n\nfit(TripletLoss(0.1, True))\n",
        }
    )
    plan = bench.plan("triplet")
    assert [(r.path, r.line) for r in plan.refusals] == [("other.py", 3)]
    assert {(r.path, r.line) for r in plan.acknowledged} == {("a.yaml", 1), ("train.py", 3), ("train.py", 4)}
    assert {p.fate for p in plan.sites if p.site.path == "train.py"} == {"rewritten", "acknowledged"}
    assert {p.fate for p in plan.sites if p.site.path == "a.yaml"} == {"rewritten"}
    bench.apply(plan)
    assert bench.read("a.yaml") == "_target_: new_losses.Triplet\n"
    assert bench.read("train.py") == "from new_losses import Triplet\n\nfit(Triplet(0.1), Triplet)\nTriplet(**options)\n"
    assert bench.read("other.py").startswith("from old_losses")


def test_json_with_comments_is_searched_too(bench: Any) -> None:
    before = '{\n  // "old_losses.triplet"\n  "loss": "old_losses.plain.PlainLoss",\n}\n'
    bench.check_text("a.jsonc", before, before.replace("old_losses.plain.PlainLoss", "new_losses.Plain"), "plain")
    bench.check_text("b.json", before, before.replace("old_losses.plain.PlainLoss", "new_losses.Plain"), "plain")


def test_a_name_of_a_package_behind_a_colon(bench: Any) -> None:
    bench.write({"old_losses/__init__.py": "from .plain import PlainLoss\n"})
    assert bench.transform({"a.cfg": "loss = old_losses:PlainLoss\n"}, "plain") == {"a.cfg": b"loss = new_losses:Plain\n"}


def test_a_module_beside_an_acknowledged_computed_name_keeps_its_name(bench: Any) -> None:
    port = bench.read("ports/plain.py").replace("import Port", "import Port, acknowledge")
    allowed = "acknowledged=(acknowledge('plugins.py', 'getattr(module, name)', reason='a list without losses'),)"
    text = "import importlib\n\nmodule = importlib.import_module('old_losses.plain')\nfound = [getattr(module, name) for name in names]\n"
    bench.write(
        {"ports/plain.py": port.replace('new="new_losses.Plain"', f'new="new_losses.Plain", {allowed}'), "plugins.py": text}
    )
    plan = bench.plan("plain")
    assert plan.refusals == ()
    assert [(r.path, r.line) for r in plan.acknowledged] == [("plugins.py", 4)]
    assert plan.files == ()
