"""Owners by CODEOWNERS."""

from pathlib import Path

import pytest

from lossport.report.owners import owners_of, parse_owners, read_owners

RULES = """\
# comment
* @everyone
/kit/ @vision @ops  # trailing
*.ipynb @notebooks
docs/*.md @writers
**/generated/ @machine
kit/free.py
[Section]
old_losses @legacy
src/**/deep.py @deep
"""


@pytest.mark.parametrize(
    ("path", "owners"),
    [
        ("setup.py", ("@everyone",)),
        ("kit/a.py", ("@vision", "@ops")),
        ("kit/inner/a.py", ("@vision", "@ops")),
        ("other/kit/a.py", ("@everyone",)),
        ("deep/down/b.ipynb", ("@notebooks",)),
        ("docs/a.md", ("@writers",)),
        ("docs/inner/a.md", ("@everyone",)),
        ("a/generated/b/c.py", ("@machine",)),
        ("kit/free.py", ()),
        ("old_losses/a.py", ("@legacy",)),
        ("src/a/b/deep.py", ("@deep",)),
        ("src/deep.py", ("@deep",)),
    ],
)
def test_the_last_rule_that_matches_decides(path: str, owners: tuple[str, ...]) -> None:
    assert owners_of(path, parse_owners(RULES)) == owners


def test_without_a_file_nobody_is_named(tmp_path: Path) -> None:
    assert read_owners(tmp_path) == ()
    assert owners_of("a.py", ()) == ()


def test_the_file_is_found_where_forges_look(tmp_path: Path) -> None:
    (tmp_path / ".github").mkdir()
    (tmp_path / ".github" / "CODEOWNERS").write_text("* @a\n")
    (tmp_path / "CODEOWNERS").write_text("* @b\n")
    assert owners_of("x", read_owners(tmp_path)) == ("@a",)
