"""Who owns a path, by the project's CODEOWNERS file. The last rule that matches decides, as on the forges that read it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
"""Where forges look for the file; the first one found counts."""


@dataclass(frozen=True)
class Rule:
    """A pattern and the owners it names; no owners means that nobody does."""

    pattern: re.Pattern[str]
    owners: tuple[str, ...]


def read_owners(root: Path) -> tuple[Rule, ...]:
    """The rules of the project, () if it has no CODEOWNERS."""
    for place in PLACES:
        path = root / place
        if path.is_file():
            return parse_owners(path.read_text(encoding="utf-8", errors="replace"))
    return ()


def parse_owners(text: str) -> tuple[Rule, ...]:
    """The rules in a CODEOWNERS text.

    >>> owners_of("losses/clip.py", parse_owners("* @everyone\\n/losses/ @vision"))
    ('@vision',)
    """
    rules = []
    for line in text.splitlines():
        words = re.split(r"(?<!\\)\s#", line)[0].split() if not line.lstrip().startswith(("#", "[", "^[")) else []
        if words:
            rules.append(Rule(_compiled(words[0]), tuple(words[1:])))
    return tuple(rules)


def owners_of(path: str, rules: Sequence[Rule]) -> tuple[str, ...]:
    """The owners of a path, () if no rule names any."""
    return next((rule.owners for rule in reversed(rules) if rule.pattern.match(path)), ())


def _compiled(pattern: str) -> re.Pattern[str]:
    """A CODEOWNERS pattern: anchored if it has a slash before its end, a folder means all below it, `**` crosses folders."""
    anchored = "/" in pattern.rstrip("/")
    body = ""
    for part in re.split(r"(\*\*/|\*\*|\*|\?)", pattern.strip("/")):
        body += {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(part, re.escape(part))
    end = "/.*" if pattern.endswith("/") else "(?:/.*)?" if not pattern.endswith("*") or pattern == "*" else ""
    return re.compile(("" if anchored else "(?:.*/)?") + body + end + r"\Z")
