"""String literals in source code: written in the style of those they replace."""

from __future__ import annotations

import re

_PLAIN = re.compile(r"[uU]?(?P<quote>'|\")(?:(?!(?P=quote))[^\r\n])*(?P=quote)")


def like(old: str, new: str) -> str:
    """The literal of `new` in the quotes of `old`.

    >>> like("'a'", "b")
    "'b'"
    """
    match = _PLAIN.fullmatch(old)
    quote = match["quote"] if match else '"'
    body = new.replace("\\", "\\\\").replace(quote, "\\" + quote)
    return f"{quote}{body}{quote}"
