"""`f"{criterion.T=}"` prints the text of the expression: to rewrite it would change what the program prints."""

from __future__ import annotations

import ast
import re

from lossport.rewrite.outcome import Draft

_DEBUG = re.compile(r"=\s*(?:![rsa])?(?::[^{}]*)?\}")
_AFTER = re.compile(r"[\s)]*=(?!=)")


def refuse_debug_text(draft: Draft) -> None:
    """Refuse every edit inside an expression whose text is printed along with its value."""
    source = draft.view.source
    if not draft.edits or _DEBUG.search(source.text) is None:
        return
    for node in (part for statement in draft.view.tree.body for part in ast.walk(statement)):
        if isinstance(node, ast.FormattedValue):
            start, end = source.span(node.value)
            inside = any(start <= edit.start and edit.end <= end for edit in draft.edits)
            if inside and _AFTER.match(source.text, end) is not None:
                shown = source.text[start:end]
                draft.refuse(node.value, f"prints its own text: {{{shown}=}}", f"write it out: '{shown}=' and the value")
