"""Words on a terminal: aligned lines, a spinner while something long runs, plain lines elsewhere.

rich draws where there is a terminal; without it (a bare machine that only runs parity) or without a terminal, the same words come
out as plain text. Results go to standard output, progress and errors to standard error.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from lossport.project.progress import Progress, no_progress

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bar

LABEL_WIDTH = 9
"""Width of the left column: the longest stage name and two spaces."""

TIME_COLUMN = 84
"""Where the seconds stand, right-aligned; fits a 90-column terminal."""

BAR_WIDTH = 24
"""Of the bar that moves while something runs."""

LONGEST_TOLD = 44
"""Of what is told beside the bar, so that both stay on one line."""

MOST_WRAPPED = 40
"""No text is wrapped to fewer columns than this, however long its label is."""


class Terminal:
    """Where a command writes.

    Args:
        as_json: keep everything but the one JSON document off standard output.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self._out = _console(sys.stdout)
        self._err = _console(sys.stderr)
        self._bar: Bar | None = None

    def line(self, text: str = "", style: str = "") -> None:
        """One line of the result."""
        if self.as_json:
            return
        text = printable(text)
        with self._bar_aside():
            if self._out is None:
                print(text, flush=self._bar is not None)
            else:
                self._out.print(text, style=style or None, markup=False, highlight=False, soft_wrap=True)

    def step(self, label: str, text: str, seconds: float | None = None, *, failed: bool = False) -> None:
        """A stage, what came of it, and how long it took; what is too long for a line goes on below."""
        label = f"{label:<{LABEL_WIDTH - 1}} "
        room = max(TIME_COLUMN - len(label) - 12, MOST_WRAPPED)
        first, *rest = textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False) or [""]
        took = "" if seconds is None else f"{seconds:6.1f} s"
        style = "bold red" if failed else ""
        self.line(f"{f'  {label}{first}':<{TIME_COLUMN - 8}}{took}".rstrip(), style)
        for more in rest:
            self.line(f"  {'':<{len(label)}}      {more}", style)

    def table(self, header: Sequence[str], rows: Iterable[Sequence[str]], *, right: frozenset[int] = frozenset()) -> None:
        """Aligned columns; those in `right` are right-aligned."""
        all_rows = [tuple(header), *(tuple(row) for row in rows)]
        widths = [max(len(row[n]) for row in all_rows) for n in range(len(header))]
        for number, row in enumerate(all_rows):
            cells = (
                f"{cell:>{w}}" if n in right else f"{cell:<{w}}" for n, (cell, w) in enumerate(zip(row, widths, strict=True))
            )
            self.line("  ".join(cells).rstrip(), "bold" if number == 0 else "")

    def diff(self, text: str) -> None:
        """A unified diff, coloured on a terminal."""
        styles = {"+": "green", "-": "red", "@": "cyan"}
        for line in text.splitlines():
            self.line(line, "bold" if line.startswith(("+++", "---")) else styles.get(line[:1], ""))

    def document(self, value: Any) -> None:
        """The result for machines, if that was asked for."""
        if self.as_json:
            json.dump(value, sys.stdout, indent=2, ensure_ascii=False)
            print()

    def error(self, text: str) -> None:
        """What went wrong, for a person."""
        text = printable(text)
        if self._err is None:
            print(f"lossport: {text}", file=sys.stderr)
        else:
            self._err.print(f"lossport: {text}", style="red", markup=False, highlight=False, soft_wrap=True)

    @contextlib.contextmanager
    def busy(self, text: str) -> Iterator[Progress]:
        """Show that something long runs: a bar on a terminal, nothing elsewhere (the step's own line follows)."""
        if self._err is None or not self._err.is_terminal or self._bar is not None:
            yield no_progress
            return
        with _bar(self._err) as shown:
            self._bar, task = shown, shown.add_task(text, total=None, of="")

            def progress(text: str, done: int = 0, total: int = 0) -> None:
                of = f"{done}/{total}" if total else ""
                shown.update(task, description=text[:LONGEST_TOLD], completed=done, total=total or None, of=of)

            try:
                yield progress
            finally:
                self._bar = None

    @contextlib.contextmanager
    def _bar_aside(self) -> Iterator[None]:
        """Lines of the result stand above the bar, not in it."""
        if self._bar is None:
            yield
            return
        self._bar.stop()
        try:
            yield
        finally:
            self._bar.start()


def printable(text: str) -> str:
    r"""The text with what would move the cursor, colour the terminal or cannot be encoded as escapes: a file may be called so.

    >>> printable("a\x1b[31m.py")
    'a\\x1b[31m.py'
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in "\n\t" else ascii(char)[1:-1] for char in text)


def _bar(console: Console) -> Bar:
    """A bar that is gone when it ends. Standard output stays as it is: it may be a file."""
    from rich.progress import BarColumn, SpinnerColumn, TextColumn  # noqa: PLC0415  # only terminals need it
    from rich.progress import Progress as Bar  # noqa: PLC0415

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(BAR_WIDTH),
        TextColumn("{task.fields[of]}"),
    )
    return Bar(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False)


def _console(stream: Any) -> Console | None:
    """A rich console where there is a terminal; None where plain text is wanted."""
    if not stream.isatty() or importlib.util.find_spec("rich") is None:
        return None
    from rich.console import Console  # noqa: PLC0415  # costs 60 ms, and only terminals need it

    return Console(file=stream)
