"""The architecture score: it tells good from bad, and no planted fault can raise it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import pytest

from lossport.measure import Corpus, architecture, measure_corpus
from lossport.measure.corpus import measure_text
from lossport.measure.duplication import CloneIndex, duplication
from lossport.measure.history import NO_DUPLICATION

ROOT = Path(__file__).resolve().parents[3]
INTENDED = 2000

CLEAN = {
    "kit/__init__.py": "from kit.triplet import Triplet\n",
    "kit/base.py": (
        "class Base:\n    def forward(self, a, b):\n        raise NotImplementedError\n\n\n"
        "class Family(Base):\n    margin = 1.0\n"
    ),
    "kit/triplet.py": (
        "from kit.base import Family\n\n\nclass Triplet(Family):\n    def forward(self, a, b):\n"
        "        far = (a - b) ** 2\n        near = abs(a - b)\n        if far > near:\n            near += self.margin\n"
        "        for step in range(3):\n            near = near * far - step\n        total = max(near, far)\n"
        "        return {'loss': total, 'near': near, 'far': far, 'count': len(str(total))}\n"
    ),
}
BRANCH = "    if x == {0} or x > {0} + 9:\n        x = x * {0} + 1\n"
GOD = "def everything(x):\n" + "".join(map(BRANCH.format, range(40))) + "    return x\n"
DIAMOND = (
    "class A: ...\nclass LeftMixin(A): ...\nclass RightMixin(A): ...\nclass MiddleMixin: ...\n"
    "class All(LeftMixin, RightMixin, MiddleMixin): ...\n"
)


measured = lru_cache(maxsize=None)(measure_text)


def corpus_of(texts: Mapping[str, str]) -> Corpus:
    """What `measure_corpus` gives, each text measured once and without what the score does not look at."""
    files = {path: measured(text) for path, text in texts.items()}
    return Corpus(files, duplication({path: file.stream for path, file in files.items()}), NO_DUPLICATION, {})


def score(texts: Mapping[str, str]) -> float:
    found = architecture(corpus_of(texts), INTENDED)
    assert found is not None
    return found.score


def project_tree(folder: str) -> dict[str, str]:
    return {path.relative_to(ROOT).as_posix(): path.read_text() for path in sorted((ROOT / folder).rglob("*.py"))}


A_PILE = 10
"""Modules. Fewer are no pile of copies any more: what is left after migrations says nothing of what there was."""

LEGACY = project_tree("legacy")
TREES = {"clean": CLEAN, "new": project_tree("losses"), "legacy": LEGACY if len(LEGACY) > A_PILE else {}}


@pytest.fixture(params=[name for name, texts in TREES.items() if texts])
def texts(request: pytest.FixtureRequest) -> dict[str, str]:
    return dict(TREES[request.param])


def test_clean_code_has_ten() -> None:
    assert score(CLEAN) == pytest.approx(10)


def test_the_legacy_tree_ranks_clearly_below_the_new_library() -> None:
    if not TREES["legacy"]:
        pytest.skip("most legacy files are retired")
    assert score(TREES["new"]) >= 7.5
    assert score(TREES["legacy"]) < score(TREES["new"]) - 2


def test_a_god_function_lowers_the_score(texts: dict[str, str]) -> None:
    assert score({**texts, "kit/god.py": GOD}) < score(texts) - 0.1


def test_a_mixin_diamond_lowers_the_score(texts: dict[str, str]) -> None:
    assert score({**texts, "kit/mixins.py": DIAMOND}) < score(texts) - 0.1


def test_a_deep_hierarchy_lowers_the_score(texts: dict[str, str]) -> None:
    tower = "class L0: ...\n" + "".join(f"class L{n}(L{n - 1}): ...\n" for n in range(1, 6))
    assert score({**texts, "kit/tower.py": tower}) < score(texts) - 0.1


def test_an_import_circle_lowers_the_score(texts: dict[str, str]) -> None:
    assert score({**texts, "kit/x.py": "import kit.y\n", "kit/y.py": "import kit.x\n"}) < score(texts) - 0.1


def test_a_copied_file_lowers_the_score_whichever_it_is(texts: dict[str, str]) -> None:
    whole, before = corpus_of(texts), score(texts)
    index = CloneIndex()
    for path, file in whole.files.items():
        index.put(path, file.stream)
    large = [path for path, file in whole.files.items() if len(file.stream.shape) > 80 and file.source > 8]
    assert large
    for path in large:
        index.put("kit/copy_of_it.py", whole.files[path].stream)
        copied = Corpus({**whole.files, "kit/copy_of_it.py": whole.files[path]}, index.duplication(), NO_DUPLICATION, {})
        found = architecture(copied, INTENDED)
        assert found is not None
        assert found.score < before, path


def test_filler_buys_nothing(texts: dict[str, str]) -> None:
    filler = {f"kit/filler{n}.py": f"VALUE_{n} = {n}\n" for n in range(200)}
    assert score({**texts, **filler}) <= score(texts)


def test_the_score_is_the_weighted_mean_of_its_parts() -> None:
    found = architecture(measure_corpus({"a.py": GOD}), INTENDED)
    assert found is not None
    assert found.score == pytest.approx(10 * sum(p.weight * p.value for p in found.parts) / sum(p.weight for p in found.parts))
    assert {part.name for part in found.parts if part.value < 1} == {"functions", "duplication"}


def test_without_source_there_is_no_score() -> None:
    assert architecture(measure_corpus({"a.py": "# nothing\n"}), INTENDED) is None
