"""The examples in docs/measures.md run."""

import doctest
from pathlib import Path

DOCS = Path(__file__).resolve().parents[3] / "docs"


def test_the_examples_of_the_documentation_are_true() -> None:
    result = doctest.testfile(str(DOCS / "measures.md"), module_relative=False)
    assert result.attempted > 5
    assert result.failed == 0
