"""A source file as text that can be edited and put back byte for byte: encoding, BOM, line starts, spans of syntax nodes.

Reads no files and knows no Python beyond where its lines end.
"""

from __future__ import annotations

import ast
import codecs
import io
import re
import tokenize
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

LINE_END = re.compile(r"\r\n|\r|\n")
"""What ends a line for Python's tokenizer. `str.splitlines` also breaks at form feeds and at U+2028, which Python does not."""


class SourceError(ValueError):
    """Bytes that are not a Python source file; the message says why, `line` where (1 if it is not known)."""

    def __init__(self, reason: str, line: int = 1, column: int = 1) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line
        self.column = column


@dataclass(frozen=True)
class Source:
    """Decoded text without its BOM, newlines as they stand, and what is needed to encode it again."""

    text: str
    encoding: str = "utf-8"
    bom: bytes = b""

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """The offset at which each line starts."""
        if "\r" in self.text:
            return (0, *(match.end() for match in LINE_END.finditer(self.text)))
        return (0, *accumulate(len(line) + 1 for line in self.text.split("\n")[:-1]))  # several times faster

    @cached_property
    def newline(self) -> str:
        """The newline of the first line, for lines that are added."""
        match = LINE_END.search(self.text)
        return match.group() if match else "\n"

    def places_of(self, words: Iterable[str]) -> list[int]:
        """Where any of the words stands as a whole word, in order. Regular expressions take several times as long."""
        return sorted(at for word in words for at in _places_of(self.text, word))

    def line(self, number: int) -> str:
        """The text of a line (1-based), without its end."""
        if not 1 <= number <= len(self.starts):
            return ""
        start = self.starts[number - 1]
        end = self.starts[number] if number < len(self.starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")

    def offset(self, line: int, utf8_column: int) -> int:
        """The offset of a position as `ast` gives it: 1-based line, column in bytes of UTF-8."""
        start = self.starts[line - 1]
        piece = self.text[start : start + utf8_column]
        if piece.isascii():
            return start + utf8_column
        whole = self.text[start : self.starts[line] if line < len(self.starts) else len(self.text)]
        return start + len(whole.encode("utf-8", "surrogatepass")[:utf8_column].decode("utf-8", "surrogatepass"))

    def span(self, node: ast.expr | ast.stmt | ast.alias | ast.keyword | ast.arg | ast.excepthandler) -> tuple[int, int]:
        """Where the node stands, as offsets."""
        end_line, end_column = node.end_lineno, node.end_col_offset
        assert end_line is not None
        assert end_column is not None
        return self.offset(node.lineno, node.col_offset), self.offset(end_line, end_column)

    def position(self, offset: int) -> tuple[int, int]:
        """1-based line and column of an offset."""
        line = bisect_right(self.starts, offset)
        return line, offset - self.starts[line - 1] + 1

    def encode(self, text: str) -> bytes:
        """`text` in this file's encoding, with its BOM."""
        return self.bom + text.encode(self.encoding)


def _places_of(text: str, word: str) -> Iterator[int]:
    at = text.find(word)
    while at >= 0:
        if not (_is_in_word(text[at - 1 : at]) or _is_in_word(text[at + len(word) : at + len(word) + 1])):
            yield at
        at = text.find(word, at + 1)


def _is_in_word(sign: str) -> bool:
    return sign.isalnum() or sign == "_"


def decode(raw: bytes) -> Source:
    """The text of a Python file, by its BOM and coding line.

    Raises:
        SourceError: the bytes do not fit the encoding, the encoding is unknown, or encoding them again gives other bytes.
    """
    bom = codecs.BOM_UTF8 if raw.startswith(codecs.BOM_UTF8) else b""
    try:
        declared, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
    except SyntaxError as error:
        raise SourceError(f"cannot be decoded: {error.msg}") from error
    encoding = "utf-8" if declared == "utf-8-sig" else declared
    body = raw[len(bom) :]
    try:
        text = body.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        at = error.start if isinstance(error, UnicodeDecodeError) else 0
        raise SourceError(f"cannot be decoded as {encoding}: {error}", body.count(b"\n", 0, at) + 1) from error
    source = Source(text, encoding, bom)
    try:
        faithful = source.encode(text) == raw
    except UnicodeEncodeError:
        faithful = False
    if not faithful:
        raise SourceError(f"does not come back byte for byte from {encoding}")
    return source


def parse(source: Source) -> ast.Module:
    """The syntax tree.

    Raises:
        SourceError: the text is not Python for this interpreter.
    """
    try:
        return ast.parse(source.text, type_comments=False)
    except SyntaxError as error:
        raise SourceError(f"does not parse: {error.msg}", error.lineno or 1, error.offset or 1) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise SourceError(f"does not parse: {error}") from error
