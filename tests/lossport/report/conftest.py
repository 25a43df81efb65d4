"""A project with a past, the facts about it, and a real browser to look at its page."""

from __future__ import annotations

import base64
import datetime as dt
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import IO, Any, cast

import pytest

from lossport.project.config import Project, find_project
from lossport.report import (
    Facts,
    LossFacts,
    OptionCell,
    OptionRow,
    OptionTable,
    ParityCell,
    Report,
    Waiting,
    build_report,
    render_report,
)

ROOT = Path(__file__).resolve().parents[3]
TODAY = dt.date(2026, 11, 25)
NOW = dt.datetime(2026, 11, 25, 9, tzinfo=dt.UTC)

PYPROJECT = """\
[tool.lossport]
legacy = "old_losses"
new = "kit"

[tool.lossport.gates]
lines = 500

[[tool.lossport.claims]]
date = 2026-11-10
text = "35 % complete"
source = "minutes of the planning round"
metric = "complete"
value = 35

[[tool.lossport.claims]]
date = 2026-11-20
text = "duplication reduced by 40 %"
source = "<b>quarterly</b> slides"
metric = "duplication-reduced"
value = 40
"""
SHARED = "".join(
    f"def step{n}(anchor, positive, negative, margin):\n    near = anchor * positive + {n}\n    far = anchor * negative - {n}\n"
    f"    if near > far:\n        return near - far + margin\n    return margin\n\n\n"
    for n in range(4)
)
OLD = '"""The {0} loss."""\n\n\nclass {1}Old:\n    def __call__(self, a, b):\n        return a - b\n\n\n'
LEGACY = {name: OLD.format(name, name.title()) + SHARED for name in ("triplet", "margin", "focal", "ranking")}
NEW = (
    "from kit.base import Base\n\n\nclass {0}(Base):\n    def forward(self, a, b):\n        near = abs(a - b) + 1\n"
    "        far = abs(a + b) * 2\n        gap = far - near if far > near else 0\n        total = near + far + gap\n"
    "        return {{'loss': total, 'gap': gap, 'near': near, 'far': far}}\n"
)
BASE = "class Base:\n    def forward(self, a, b):\n        raise NotImplementedError\n"
TESTS = {"tests/test_triplet.py": "def test_a(): pass\n\n\ndef test_b(): pass\n"}
OWNERS = {"CODEOWNERS": "/kit/ @vision\nfocal.py @focus\n"}
SETTINGS = {"pyproject.toml": PYPROJECT, ".gitignore": ".lossport/\n"}


class Workshop:
    """A repository whose commits have days."""

    def __init__(self, folder: Path, copy_of: Workshop | None = None) -> None:
        self.folder = folder
        if copy_of is not None:
            shutil.copytree(copy_of.folder, folder, symlinks=True)
            return
        folder.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str, day: str = "2026-10-01") -> str:
        who = {f"GIT_{role}_{what}": "someone@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        dates = {f"GIT_{role}_DATE": f"{day}T12:00:00Z" for role in ("AUTHOR", "COMMITTER")}
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **who, **dates}
        command = ["git", "-C", str(self.folder), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.strip()

    def commit(self, day: str, files: Mapping[str, str | None], message: str = "change") -> str:
        """Write the files, delete those that are None, commit everything."""
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                path.unlink()
            else:
                path.write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message, day=day)
        return self.git("rev-parse", "HEAD")


@pytest.fixture(scope="session")
def shop_class() -> type[Workshop]:
    """The class, for tests that share one repository."""
    return Workshop


@pytest.fixture(scope="session")
def first_workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """Two of four losses retired, one of them this week; measured and drawn once, for all tests that copy it."""
    shop = Workshop(tmp_path_factory.mktemp("first") / "shop")
    legacy = {f"old_losses/{name}.py": text for name, text in LEGACY.items()}
    shop.commit("2026-10-05", {**SETTINGS, **TESTS, **OWNERS, **legacy})
    shop.commit("2026-10-19", {"kit/__init__.py": "", "kit/base.py": BASE, "kit/triplet.py": NEW.format("Triplet")})
    shop.commit("2026-11-02", {"old_losses/triplet.py": None, "kit/margin.py": NEW.format("Margin")})
    shop.commit("2026-11-24", {"old_losses/margin.py": None}, "Retire the margin loss\n\nNothing names it.")
    build_report(find_project(shop.folder), facts_of_workshop(), today=TODAY)
    return shop


@pytest.fixture
def workshop(first_workshop: Workshop, tmp_path: Path) -> Workshop:
    """A copy of the first workshop, with what it remembers."""
    return Workshop(tmp_path / "shop", copy_of=first_workshop)


@pytest.fixture
def project(workshop: Workshop) -> Project:
    return find_project(workshop.folder)


@pytest.fixture
def facts() -> Facts:
    """What the pipeline would tell about the workshop's project."""
    return facts_of_workshop()


def facts_of_workshop() -> Facts:
    """What the pipeline would tell about the workshop's project."""
    passed = ParityCell("cpu", "float32", "passed", 9, 3, 2, 0, 2.25, NOW - dt.timedelta(days=3), 0.41, 0.8)
    stale = ParityCell("cuda", "bfloat16", "stale", 9, 0, 0, 0, 1.0, NOW, why="the cases changed")
    halves = (
        ParityCell("cuda", "all", "failed", 7, 0, 0, 1, 3.5, NOW - dt.timedelta(days=1), why="1 of 8 cases differs"),
        ParityCell("cuda", "float32", "passed", 4, at=NOW - dt.timedelta(days=1)),
        ParityCell("cuda", "float16", "failed", 3, different=1, at=NOW - dt.timedelta(days=1)),
    )
    site = Waiting("train.py", 12, 4, "Focal(**options) < 3", "the options come from a file", "name the arguments")

    def at(day: int, hour: int = 12) -> dt.datetime:
        return dt.datetime(2026, 11, day, hour, tzinfo=dt.UTC)

    def loss(name: str, stage: Any, **more: Any) -> LossFacts:
        old, new = (f"old_losses.{name}.{name.title()}Old",), (f"kit.{name.title()}",)
        return LossFacts(name, stage, old, new, (f"old_losses/{name}.py",), (f"kit/{name}.py",), **more)

    return Facts(
        losses=(
            loss("focal", "planned", why="no golden yet", sites_left={"from-import": 3, "string": 1}, waiting=(site,)),
            loss("margin", "retired", parity=(passed, *halves), started_at=at(23, 9), proven_at=at(23, 12), retired_at=at(24)),
            loss("ranking", "proven", why="2 call sites left", sites_left={"attribute": 2}, parity=(passed, stale)),
            loss("triplet", "retired", parity=(passed,), started_at=at(1, 8), proven_at=at(1, 9), retired_at=at(2)),
        ),
        gates_met={"duplication": 5.0},
        options=OptionTable(
            "triplet",
            ("A", "B"),
            ("mend", "restart"),
            (OptionRow("lines", "of all files", (OptionCell("300"), OptionCell("200", best=True, note="in 3 files"))),),
            "python 3.11",
        ),
    )


@pytest.fixture
def report(project: Project, facts: Facts) -> Report:
    return build_report(project, facts, today=TODAY)


@pytest.fixture
def page(report: Report) -> str:
    return render_report(report)["index.html"].decode()


@pytest.fixture
def write_page() -> Callable[[Report, Path], Path]:
    """Writes the files of a report into a folder; returns the page."""

    def write(report: Report, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in render_report(report).items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)
        return folder / "index.html"

    return write


CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
PIPES = """
import fcntl, os, sys
reading, writing = (fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3])
os.dup2(reading, 3)
os.dup2(writing, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""The browser reads commands on descriptor 3 and answers on 4: this puts our pipes there and becomes the browser."""


class Tab:
    """A page in a headless Chromium, driven over a pipe by the DevTools protocol: no driver, no port, no library."""

    def __init__(self, browser: str, profile: Path) -> None:
        reading, writing = os.pipe()
        answers, answering = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-c", PIPES, str(reading), str(answering), browser, *FLAGS, f"--user-data-dir={profile}"],
            pass_fds=(reading, answering),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(reading)
        os.close(answering)
        self._commands: IO[bytes] = os.fdopen(writing, "wb")
        self._answers: IO[bytes] = os.fdopen(answers, "rb")
        self._numbers = count(1)
        self._buffer = b""
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command and its result."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._commands.write(json.dumps(message).encode() + b"\0")
        self._commands.flush()
        while True:
            answer = self._next()
            if answer.get("id") == number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return cast("dict[str, Any]", answer["result"])

    def open(self, page: Path, *, width: int = 1200, dark: bool = False) -> None:
        """Load a page and wait until it is there."""
        self.events.clear()
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 500)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media="", features=[scheme])
        self.call("Page.navigate", url=page.as_uri())
        while not any(event["method"] == "Page.loadEventFired" for event in self.events):
            self._next()

    def run(self, script: str) -> Any:
        """The value of an expression; a promise is waited for."""
        result = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def press(self, key: str) -> None:
        """Press and release a key."""
        code = {"Enter": 13, "Tab": 9}[key]
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text)

    def screenshot(self, path: Path) -> None:
        """The whole page as a picture."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]))

    def complaints(self) -> list[dict[str, Any]]:
        """Errors and warnings on the console, and exceptions."""
        self.run("1")  # whatever came before has arrived once this is answered
        return [
            event
            for event in self.events
            if event["method"] in ("Runtime.exceptionThrown", "Log.entryAdded")
            or (event["method"] == "Runtime.consoleAPICalled" and event["params"]["type"] in ("error", "warning", "assert"))
        ]

    def requests(self) -> list[str]:
        """Everything that was asked for, the page itself apart."""
        self.run("1")
        sent = (event["params"] for event in self.events if event["method"] == "Network.requestWillBeSent")
        return [event["request"]["url"] for event in sent if event.get("type") != "Document"]

    def close(self) -> None:
        """End the browser."""
        self._session = None
        self._commands.write(json.dumps({"id": next(self._numbers), "method": "Browser.close"}).encode() + b"\0")
        self._commands.close()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._answers.close()

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            chunk = os.read(self._answers.fileno(), 1 << 16)
            assert chunk, "the browser went away"
            self._buffer += chunk
        message, _, self._buffer = self._buffer.partition(b"\0")
        answer = cast("dict[str, Any]", json.loads(message))
        if "method" in answer:
            self.events.append(answer)
        return answer


@pytest.fixture(scope="session")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    """A real browser. Without one: a skip on a desk, a failure in CI."""
    browser = next((found for name in CHROMIUM if (found := shutil.which(name))), None)
    if browser is None:
        reason = "no Chromium: install it (on Debian: apt-get install chromium)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    tab = Tab(browser, tmp_path_factory.mktemp("profile"))
    yield tab
    tab.close()


@pytest.fixture(scope="session")
def axe(node_tools: Path) -> str:
    """The source of axe-core."""
    return (node_tools / "axe-core" / "axe.min.js").read_text()
