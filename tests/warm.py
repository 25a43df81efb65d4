"""Start Python programs from a process that has torch loaded: a real process each, without seconds of imports each.

`run` and `start` take what stands after `python` on a command line and answer as `subprocess.run` and `subprocess.Popen` do.
The server starts with the first call and ends with the tests. Nothing of `losses`, `legacy` or a test is loaded in it, so a
program finds its own modules; `lossport` is this tree's. A test that asks what is imported, or how long a start takes, needs an
interpreter of its own: it uses `subprocess`.
"""

from __future__ import annotations

import array
import atexit
import contextlib
import gc
import importlib
import io
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[1]

ALWAYS = ("numpy", "torch", "torch.nn.functional")
"""Loaded before the first program."""

FOR_WORD = {
    "lossport": (
        "safetensors.torch",
        "torch.utils._python_dispatch",
        "lossport.cli.main",
        "lossport.cli.commands",
        "lossport.cli.evidence",
        "lossport.migrate.pipeline",
        "lossport.migrate.parity",
        "lossport.evidence.proving",
        "lossport.evidence.golden",
        "lossport.evidence.searching",
        "lossport.evidence.shim_proof",
    ),
    "pytest": (
        "coverage",
        "execnet",
        "hypothesis.core",
        "hypothesis.strategies",
        "hypothesis.internal.conjecture.engine",
        "pytest",
        "_pytest.assertion.rewrite",
        "_pytest.doctest",
        "_pytest.junitxml",
        "_pytest.python",
        "_pytest.terminal",
    ),
    "examples": ("torch._dynamo", "sklearn.datasets"),  # an optimizer's first step imports the former
}
"""Loaded before the first program whose command line has the word, and kept. None of it looks at the folder, the arguments or the
environment on import."""

PLUGINS = ("hypothesis", "_hypothesis_globals", "lossport", "lossport.evidence", "platformdirs")
"""Packages among these that pytest looks into for plugins."""

SECONDS_BETWEEN_LOOKS = 5.0
"""How soon the server notices that the tests are gone: killed, say, when nothing tells it."""

LARGEST_REQUEST = 2**20
"""Bytes: a command line and an environment, the latter is at most some 100 KB."""


# ---- for tests


@dataclass
class Process:
    """A program that runs: the part of `subprocess.Popen` that tests use."""

    args: list[str]
    pid: int
    _connection: socket.socket
    _stdout: IO[bytes]
    _stderr: IO[bytes]
    returncode: int | None = None
    seconds: float = field(default=0.0, repr=False)
    """Processor time, its own and that of what it started."""

    def wait(self, timeout: float | None = None) -> int:
        """The exit status; negative for a signal.

        Raises:
            subprocess.TimeoutExpired: it still runs.
        """
        if self.returncode is None:
            self._connection.settimeout(timeout)
            try:
                answer = json.loads(_line(self._connection))
            except TimeoutError:
                raise subprocess.TimeoutExpired(self.args, timeout or 0.0) from None
            self._connection.close()
            self.returncode, self.seconds = answer["status"], answer["seconds"]
            _spent.append(self.seconds)
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What it printed, once it has ended."""
        self.wait(timeout)
        return _text(self._stdout), _text(self._stderr)

    def printed(self) -> str:
        """What it has printed so far; `communicate` still gives all of it."""
        return _text(self._stdout)

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it still runs."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


def start(
    *arguments: str | os.PathLike[str],
    cwd: str | os.PathLike[str] = ".",
    env: Mapping[str, str] | None = None,
    group: bool = False,
) -> Process:
    """Start `python ARGUMENTS`: `-m MODULE ...`, `-c PROGRAM ...` or `FILE ...`; in a process group of its own if asked."""
    args = [os.fspath(argument) for argument in arguments]
    out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115  # they live as long as the process
    wanted = {"args": args, "cwd": os.path.abspath(cwd), "env": dict(os.environ if env is None else env), "group": group}
    connection = _server().connect()
    files = array.array("i", [out.fileno(), err.fileno()])
    message = json.dumps(wanted).encode() + b"\n"
    sent = connection.sendmsg([message], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)])
    connection.sendall(message[sent:])
    pid = json.loads(_line(connection))["pid"]
    return Process(args, pid, connection, out, err)


def run(
    *arguments: str | os.PathLike[str],
    cwd: str | os.PathLike[str] = ".",
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
    check: bool = False,
) -> subprocess.CompletedProcess[str]:
    """Run `python ARGUMENTS` to its end, with its output captured."""
    process = start(*arguments, cwd=cwd, env=env)
    try:
        out, err = process.communicate(timeout)
    except BaseException:
        process.send_signal(signal.SIGKILL)
        raise
    status = process.wait()
    done = subprocess.CompletedProcess([sys.executable, *process.args], status, out, err)
    if check:
        assert status == 0, f"python {' '.join(process.args)}: exit status {status}\n{out}{err}"
    return done


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return io.TextIOWrapper(io.BytesIO(file.read()), errors="replace").read()


def _line(connection: socket.socket) -> str:
    """One line, byte by byte: what follows belongs to the next reader."""
    found = bytearray()
    while (byte := connection.recv(1)) not in (b"\n", b""):
        found += byte
    if not byte:
        raise ConnectionError("the warm process is gone: its own messages stand above")
    return found.decode()


@dataclass
class _Server:
    """The process that is forked, as the tests see it."""

    process: subprocess.Popen[bytes]
    address: str
    owner: int

    def connect(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self.address)
        return connection

    def end(self) -> None:
        """Stop it, unless this is a fork of the process that started it."""
        if os.getpid() == self.owner:
            self.process.terminate()
            self.process.wait()


_servers: list[_Server] = []
_spent: list[float] = []


def spent() -> float:
    """The processor time of every program that has ended, in seconds: the operating system counts it for the server."""
    return sum(_spent)


def _server() -> _Server:
    if not _servers or _servers[0].owner != os.getpid() or _servers[0].process.poll() is not None:
        folder = tempfile.TemporaryDirectory(prefix="warm-")  # short: the address of a socket has at most 107 bytes
        address = os.path.join(folder.name, "socket")
        listening = socket.socket(socket.AF_UNIX)
        listening.bind(address)
        listening.listen(16)
        env = {name: value for name, value in os.environ.items() if name not in ("COV_CORE_SOURCE", "COV_CORE_DATAFILE")}
        env |= {"PYTHONPATH": str(ROOT / "migration"), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-P", os.path.abspath(__file__), str(listening.fileno())]
        process = subprocess.Popen(command, cwd=folder.name, env=env, pass_fds=[listening.fileno()], stdin=subprocess.DEVNULL)
        listening.close()
        _servers[:] = [_Server(process, address, os.getpid())]
        atexit.register(folder.cleanup)
        atexit.register(_servers[0].end)
    return _servers[0]


# ---- the process that is forked


def serve(listening: socket.socket) -> Callable[[], None]:
    """Fork for every request; what returns, in the fork, is what it has to do. Ends when the tests have, however they ended."""
    tests = os.getppid()
    listening.settimeout(SECONDS_BETWEEN_LOOKS)
    while True:
        try:
            connection, _ = listening.accept()
        except TimeoutError:
            if os.getppid() != tests:
                return lambda: None
            continue
        connection.setblocking(True)
        message, files, _, _ = socket.recv_fds(connection, LARGEST_REQUEST, 2)
        while not message.endswith(b"\n"):
            message += connection.recv(LARGEST_REQUEST)
        wanted = json.loads(message)
        _load([name for word, names in FOR_WORD.items() if any(word in arg for arg in wanted["args"]) for name in names])
        _reap()
        if os.fork() == 0:
            listening.close()
            return _keep(connection, wanted, files)
        for file in (*files, connection.detach()):
            os.close(file)


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


def _keep(connection: socket.socket, wanted: Mapping[str, Any], files: Sequence[int]) -> Callable[[], None]:
    """Fork once more: one process becomes the program, the other waits for it and tells how it ended."""
    pid = os.fork()
    if pid == 0:
        connection.close()
        return lambda: _become(wanted, files)
    connection.sendall(json.dumps({"pid": pid}).encode() + b"\n")
    _, status, usage = os.wait4(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    told = {"status": code, "seconds": usage.ru_utime + usage.ru_stime}
    with contextlib.suppress(BrokenPipeError):
        connection.sendall(json.dumps(told).encode() + b"\n")
    os._exit(0)


def _become(wanted: Mapping[str, Any], files: Sequence[int]) -> None:
    """Be the program: its folder, environment, arguments, path, output; then run it."""
    args, env = list(wanted["args"]), dict(wanted["env"])
    for stream, file in zip((1, 2), files, strict=True):
        os.dup2(file, stream)
        os.close(file)
    if wanted["group"]:
        os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell's background jobs ignore
    os.chdir(str(wanted["cwd"]))
    os.environ.clear()
    os.environ.update(env)
    if "torch" in sys.modules and env.get("OMP_NUM_THREADS"):
        sys.modules["torch"].set_num_threads(int(env["OMP_NUM_THREADS"].partition(",")[0]))
    base = list(sys.path)
    base.remove(str(ROOT / "migration"))  # the server's own PYTHONPATH: last, as an editable install has it
    base.append(str(ROOT / "migration"))
    inherited = [os.path.abspath(entry) for entry in env.get("PYTHONPATH", "").split(os.pathsep) if entry]
    sys.dont_write_bytecode = bool(env.get("PYTHONDONTWRITEBYTECODE"))
    importlib.invalidate_caches()
    _end(_status_of(lambda: _run(args, lambda first: [*first, *inherited, *base])))


def _status_of(program: Callable[[], None]) -> int:
    """Run it as the interpreter would: its exit status, or minus the signal that ends it."""
    try:
        program()
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return (end.code or 0) & 0xFF
        print(end.code, file=sys.stderr)
        return 1
    except BaseException as error:
        frames = error.__traceback__
        while frames is not None and frames.tb_frame.f_code.co_filename in (__file__, "<frozen runpy>"):
            frames = frames.tb_next
        traceback.print_exception(type(error), error, frames)
        return -signal.SIGINT if isinstance(error, KeyboardInterrupt) else 1
    return 0


def _end(status: int) -> None:
    """What the interpreter does at its end, without freeing all that was loaded: that takes a second, for a process that goes."""
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads, as the interpreter does
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)


def _run(args: list[str], path: Callable[[list[str]], list[str]]) -> None:
    match args:
        case ["-W", action, *rest]:
            warnings.simplefilter(action)  # type: ignore[arg-type]  # one of its words, as on a command line
            _run(rest, path)
        case ["-m", module, *rest]:
            sys.argv, sys.path = ["-m", *rest], path([os.getcwd()])
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        case ["-c", program, *rest]:
            sys.argv, sys.path = ["-c", *rest], path([""])
            main = type(sys)("__main__")
            main.__dict__["__builtins__"] = __builtins__
            sys.modules["__main__"] = main
            exec(compile(program, "<string>", "exec"), main.__dict__)
        case [file, *_] if not file.startswith("-"):
            sys.argv, sys.path = args, path([os.path.dirname(os.path.abspath(file))])
            runpy.run_path(file, run_name="__main__")
        case _:
            raise SystemExit(f"tests/warm.py: cannot start python {' '.join(args)}; use subprocess")


def _load(names: Sequence[str]) -> None:
    """Import what is not there yet, and keep the garbage collector away from it: a program would copy all that it looks at."""
    missing = [name for name in names if name not in sys.modules]
    for name in missing:
        with contextlib.suppress(ImportError):  # a name that moved costs time, no test
            importlib.import_module(name)
    for plugin in sys.modules.keys() & PLUGINS:  # else pytest warns in each run that it is too late to rewrite their assertions
        sys.modules[plugin].__doc__ = f"{sys.modules[plugin].__doc__} PYTEST_DONT_REWRITE"
    if missing:
        gc.collect()
        gc.freeze()


if __name__ == "__main__":
    _load(ALWAYS)
    serve(socket.socket(fileno=int(sys.argv[1])))()
