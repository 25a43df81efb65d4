"""The ledger: append-only lines that git can merge."""

from __future__ import annotations

import datetime as dt
import subprocess
import time
from pathlib import Path

import pytest

from lossport.project.errors import InputError
from lossport.project.ledger import Event, appended, latest, read

MOST_SECONDS = 3
"""Of the processor's time: a third of it on an idle machine of 2024. Sorting by strptime, and a search a loss, took ten."""


def event(minute: int, kind: str = "recorded", loss: str = "clip", **facts: object) -> Event:
    return Event(dt.datetime(2026, 5, 4, 12, minute, tzinfo=dt.UTC), kind, loss, facts)  # type: ignore[arg-type]  # parametrised


def test_what_is_appended_is_read_back() -> None:
    events = (event(1, golden="ab"), event(2, "proven", device="cpu", counts={"equal": 3}))
    content = appended(appended(None, events[:1]), events[1:])
    assert [e.line() for e in read(content, where="ledger")] == [e.line() for e in events]


def test_a_missing_final_newline_does_not_join_two_events() -> None:
    content = appended(appended(None, [event(1)]).rstrip(b"\n"), [event(2)])
    assert len(read(content, where="ledger")) == 2


def test_events_come_in_their_order_whatever_the_clocks_said_and_once() -> None:
    content = appended(None, [event(2), event(1)])
    merged = content + event(2).line().encode() + b"\n"
    assert [e.at.minute for e in read(merged, where="ledger")] == [2, 1]
    assert latest(read(merged, where="ledger"), "clip", "recorded") == event(1)


def test_the_same_event_twice_in_a_second_is_two_events() -> None:
    content = appended(None, [event(1, "retired"), event(1, "undone")])
    content = appended(content, [event(1, "retired")])
    assert [e.kind for e in read(content, where="ledger")] == ["retired", "undone", "retired"]


@pytest.mark.parametrize("name", ["a\u2028b.py", "a\x85b.py", "a\x1b[31mb.py", "a\nb.py", "a\rb.py", "\udcff.py", "ä \u200b.py"])
def test_every_file_name_survives(name: str) -> None:
    content = appended(None, [event(1, "switched", files=[name]), event(2, "retired", files=[name])])
    assert [e.facts["files"] for e in read(content, where="ledger")] == [[name], [name]]
    assert all(line.decode().isprintable() for line in content.splitlines())


def test_names_that_can_be_read_stay_readable() -> None:
    assert "größe.py" in event(1, "switched", files=["größe.py"]).line()


def test_a_hundred_thousand_lines_are_read_in_a_second() -> None:
    content = appended(None, [event(n % 60, "proven", f"loss{n % 20}", device="cpu", number=n) for n in range(100_000)])
    began = time.process_time()
    events = read(content, where="ledger")
    for n in range(20):
        assert latest(events, f"loss{n}", "retired") is None
        assert latest(events, f"loss{n}", "proven", device="cpu") is not None
    assert time.process_time() - began < MOST_SECONDS


def test_the_latest_event_with_given_facts_is_found() -> None:
    events = (
        event(1, "proven", device="cpu"),
        event(2, "proven", device="cuda"),
        event(3, "proven", loss="vicreg", device="cpu"),
    )
    found = latest(events, "clip", "proven", device="cpu")
    assert found is events[0]
    assert latest(events, "clip", "retired") is None


HEAD = '{"at": "2026-05-04T12:00:00Z", "event": "proven", "loss": "clip"'
WRONG_FACTS = [
    HEAD + ', "fingerprint": 3}',
    HEAD + ', "files": "a.py"}',
    HEAD + ', "counts": {"equal": "many"}}',
    HEAD + ', "cost": []}',
    "[" * 100_000,
]


@pytest.mark.parametrize(
    "line", ["<<<<<<< HEAD", "{", "[]", '{"at": "yesterday", "event": "proven", "loss": "clip"}', '{"at": 3}', *WRONG_FACTS]
)
def test_a_line_that_is_no_event_is_named(line: str) -> None:
    content = appended(None, [event(1)]) + line.encode() + b"\n"
    with pytest.raises(InputError, match=r"ledger\.jsonl, line 2"):
        read(content, where="ledger.jsonl")


def test_two_branches_merge_in_git_without_a_conflict(tmp_path: Path) -> None:
    def git(*args: str) -> None:
        subprocess.run(
            ["git", "-c", "user.name=T", "-c", "user.email=t@example.org", *args], cwd=tmp_path, check=True, capture_output=True
        )

    ledger = tmp_path / "ledger.jsonl"
    git("init", "-q", "-b", "main")
    (tmp_path / ".gitattributes").write_text("ledger.jsonl merge=union\n")
    ledger.write_bytes(appended(None, [event(1)]))
    git("add", "-A")
    git("commit", "-qm", "start")
    git("switch", "-qc", "gpu")
    ledger.write_bytes(appended(ledger.read_bytes(), [event(2, "proven", device="cuda")]))
    git("commit", "-qam", "gpu")
    git("switch", "-q", "main")
    ledger.write_bytes(appended(ledger.read_bytes(), [event(3, "proven", device="cpu")]))
    git("commit", "-qam", "cpu")
    git("merge", "-q", "--no-edit", "gpu")
    assert [e.facts.get("device") for e in read(ledger.read_bytes(), where="ledger")] == [None, "cpu", "cuda"]
