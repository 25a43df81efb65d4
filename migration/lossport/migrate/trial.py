"""A rehearsal: the project's own tests on a copy of the tree with the planned edits in it. The tree itself is not touched.

Before the tests, the environment that they run in is asked which file each edited module would be loaded from: where another copy
of the package comes first, the tests would say nothing about the edits. Failures are compared with those without the edits.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lossport.migrate.copies import copied
from lossport.project.config import Project
from lossport.project.errors import InputError
from lossport.project.transaction import Change

TAIL_LINES = 40
"""How much of a failing run is shown: pytest's summary and the last failure fit; the command shows the rest."""

MOST_KNOWN = 8
"""Of the tests that fail without the migration too, this many are named."""

SECONDS_TO_PROBE = 120
"""Looking for modules imports the packages above them, which may import torch on a busy machine."""

FAILED_TESTS = 1
"""The exit status by which pytest says that tests failed, and nothing else went wrong."""

_PROBE = """
import importlib.util, json, sys
found = {}
for name in json.loads(sys.argv[1]):
    try:
        spec = importlib.util.find_spec(name)
    except Exception as error:
        found[name] = "" if isinstance(error, ImportError) else None
    else:
        found[name] = (spec.origin or "") if spec is not None else ""
print("\\n" + json.dumps(found))
"""


@dataclass(frozen=True)
class Trial:
    """What the rehearsal came to. `passed` without any `tests` means that no test touches the edits.

    `known` are the tests that fail, and fail without the edits as well; `reason` says why it did not pass.
    """

    tests: tuple[str, ...]
    passed: bool
    command: tuple[str, ...]
    output: str
    known: tuple[str, ...] = ()
    reason: str = ""

    @property
    def tail(self) -> str:
        """The end of the output."""
        return "\n".join(self.output.rstrip().splitlines()[-TAIL_LINES:])

    def about_known(self) -> list[str]:
        """The tests that fail either way, in words."""
        if not self.known:
            return []
        more = [f"    ... and {len(self.known) - MOST_KNOWN} more"] if len(self.known) > MOST_KNOWN else []
        named = [f"    {name}" for name in self.known[:MOST_KNOWN]]
        return [f"these fail without the migration too ({len(self.known)}):", *named, *more]


@dataclass(frozen=True)
class _Ran:
    """One run of the tests. `failures` is None where the command does not tell which tests failed."""

    code: int
    output: str
    failures: frozenset[str] | None
    timed_out: bool = False


def rehearse(
    project: Project, changes: Sequence[Change], tests: Sequence[Path], check: Callable[[Path], str] = lambda copy: ""
) -> Trial:
    """Copy the tree, make the changes there, run the tests there; where some fail, compare with a copy without the changes.

    Args:
        check: asked about the copy before the tests; what it says is why the rehearsal does not pass.

    Raises:
        InputError: the environment does not test the copy, or there is no room for one.
    """
    shown = tuple(project.relative(test) for test in tests)
    command = (*project.test_command, *shown)
    with copied(project, changes) as copy:
        wrong = check(copy)
        if wrong or not tests:
            return Trial(shown, not wrong, command, "", reason=wrong)
        _probe(project, copy, changes)
        after = _run(project, copy, shown)
        if after.code == 0 or after.timed_out:
            return Trial(shown, after.code == 0, command, after.output, reason=_why(project, after))
        if _stops_early(project):
            after = _run(project, copy, shown, to_the_end=True)
    with copied(project, []) as copy:
        before = _run(project, copy, shown, to_the_end=True)
    return _compared(Trial(shown, False, command, after.output, reason=_why(project, after)), before, after)


def _compared(trial: Trial, before: _Ran, after: _Ran) -> Trial:
    known, failed = before.failures or frozenset(), after.failures or frozenset()
    new = sorted(failed - known)
    told = " ".join(trial.command)
    if before.code == 0:
        return Trial(trial.tests, False, trial.command, trial.output, (), f"they pass without the migration: {told}")
    both = tuple(sorted(failed & known))
    if new:
        return Trial(trial.tests, False, trial.command, trial.output, both, f"they pass without the migration: {', '.join(new)}")
    if failed and after.code == before.code == FAILED_TESTS:
        return Trial(trial.tests, True, trial.command, trial.output, both)
    reason = f"they fail without the migration too, and do not say which tests; mend them first: {told}"
    return Trial(trial.tests, False, trial.command, trial.output, both, trial.reason or reason)


def _why(project: Project, ran: _Ran) -> str:
    """What ended the tests, if they did not end themselves."""
    if ran.timed_out:
        return f"still running after {project.test_seconds} s and ended; test-seconds in [tool.lossport] allows more"
    return f"ended by signal {-ran.code}" if ran.code < 0 else ""


def _probe(project: Project, copy: Path, changes: Sequence[Change]) -> None:
    """Ask the environment of the tests where it finds each edited and deleted module.

    Raises:
        InputError: it finds another file than the copy's.
    """
    meant = {name: change for change in changes if (name := project.module_name(change.path)) is not None}
    if not meant:
        return
    command = [_python(project), "-c", _PROBE, json.dumps(sorted(meant))]
    code, output, timed_out = _output_of(command, copy, _environment(project, copy), SECONDS_TO_PROBE)
    try:
        found = json.loads(output.rstrip().rpartition("\n")[2])
    except ValueError:
        why = "took too long" if timed_out else f"exit status {code}"
        raise InputError(f"{command[0]}: cannot say where the edited modules are ({why}):\n{output.rstrip()[-2000:]}") from None
    for name, change in sorted(meant.items()):
        place = str(copy / change.path.relative_to(project.root))
        origin = found.get(name)
        if origin and os.path.realpath(origin) != place and not (change.after is None and _in(copy, origin)):
            raise InputError(_elsewhere(project, name, change, origin))


def _in(copy: Path, origin: str) -> bool:
    return origin == "namespace" or Path(os.path.realpath(origin)).is_relative_to(copy)


def _elsewhere(project: Project, name: str, change: Change, origin: str) -> str:
    what = "deleted, but would still be found as" if change.after is None else "would be tested as"
    return (
        f"{name}: {what} {origin}, and not as the copy of {project.relative(change.path)}: another copy comes first. "
        f"Take it out of the environment that runs test-command (pip uninstall an editable install, an entry of PYTHONPATH), or "
        f"give the package an __init__.py if it has none"
    )


def _python(project: Project) -> str:
    """The interpreter that runs the tests, as far as the command says."""
    first = _resolved(project)[0]
    return first if Path(first).name.startswith("python") else sys.executable


def _resolved(project: Project) -> list[str]:
    """The command with this interpreter for `python`, and a program of the project by its full path: the copy may not have it."""
    command = [sys.executable if part == "python" else part for part in project.test_command]
    inside = project.root / command[0]
    if os.sep in command[0] and not os.path.isabs(command[0]) and inside.exists():
        command[0] = str(inside)
    return command


def _is_pytest(project: Project) -> bool:
    return any(Path(part).name in ("pytest", "py.test") for part in project.test_command)


def _stops_early(project: Project) -> bool:
    return _is_pytest(project) and any(_is_early_stop(part) for part in project.test_command)


def _is_early_stop(part: str) -> bool:
    return part in ("-x", "--exitfirst") or part.startswith("--maxfail")


def _run(project: Project, copy: Path, tests: Sequence[str], *, to_the_end: bool = False) -> _Ran:
    command = _resolved(project)
    if to_the_end and _is_pytest(project):
        command = [part for part in command if not _is_early_stop(part)]
    with tempfile.TemporaryDirectory(prefix="lossport-report-") as folder:
        report = Path(folder) / "report.xml"
        told = [f"--junitxml={report}"] if _is_pytest(project) else []
        environment = _environment(project, copy)
        code, output, timed_out = _output_of([*command, *told, *tests], copy, environment, project.test_seconds)
        failures = _failures(report)
    return _Ran(code, output.replace(str(copy) + os.sep, ""), failures, timed_out)


def _failures(report: Path) -> frozenset[str] | None:
    try:
        cases = list(ET.parse(report).getroot().iter("testcase"))
    except (OSError, ET.ParseError):
        return None
    failed = (case for case in cases if case.find("failure") is not None or case.find("error") is not None)
    return frozenset("::".join(filter(None, (case.get("classname"), case.get("name")))) for case in failed)


def _environment(project: Project, copy: Path) -> dict[str, str]:
    """The copy's modules come first on the path, and nothing on it leads to the tree that they were copied from."""
    inherited = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    moved = [_moved(project, copy, entry) for entry in inherited]
    roots = [str(copy / root.relative_to(project.root)) for root in project.import_roots]
    path = os.pathsep.join(dict.fromkeys([*roots, *moved]))
    return {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}


def _moved(project: Project, copy: Path, entry: str) -> str:
    """An entry of the path: that of the copy, where it leads into the tree."""
    place = Path(os.path.realpath(entry))
    moved = copy / place.relative_to(project.root) if place.is_relative_to(project.root) else None
    return str(moved) if moved is not None and moved.exists() else entry


def _output_of(command: Sequence[str], cwd: Path, env: Mapping[str, str], seconds: float) -> tuple[int, str, bool]:
    """Exit status, output, and whether it took too long. The command has a process group of its own: whatever it started ends
    with it, and with Ctrl-C here."""
    try:
        process = subprocess.Popen(
            command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
            errors="replace", start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise InputError(f"test-command: {command[0]} cannot be run: {error.strerror or error}") from error
    with process:
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            _end(process)
            output, _ = process.communicate()
            return process.returncode, output, True
        finally:
            _end(process)
    return process.returncode, output, False


def _end(process: subprocess.Popen[str]) -> None:
    """End the whole group; a group that is gone already is fine."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
