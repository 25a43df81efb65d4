"""The command line: arguments, progress and words on a terminal; nothing else.

Exit status: 0 fine, 1 a check failed, 2 wrong use, configuration or input, 130 interrupted, 141 nobody reads the output any more.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from lossport import __version__
from lossport.cli.ending import exits_refused, heard, silence_output
from lossport.cli.terminal import Terminal
from lossport.project import journal, transaction
from lossport.project.config import ConfigError, Project, find_project
from lossport.project.errors import InputError, ProgramEnded
from lossport.project.transaction import CommittedThenInterrupted

FINE, FAILED, WRONG_USE, INTERRUPTED, NOBODY_READS = 0, 1, 2, 130, 141


CALL_SITES = frozenset({"sites", "rewrite"})
"""Commands that need neither evidence nor report."""


def parser() -> argparse.ArgumentParser:
    """The arguments of every command."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="print one JSON document instead of words")
    common.add_argument(
        "--project", type=Path, default=Path(), metavar="DIR", help="the project's folder, or one below it (default: here)"
    )

    top = argparse.ArgumentParser(
        prog="lossport",
        description="Take legacy losses to a clean library, provably: the rewrite that is proven is the rewrite that is applied.",
        epilog="A first migration: lossport migrate clip.   Take it back: lossport undo clip.",
    )
    top.add_argument("--version", action="version", version=f"lossport {__version__}")
    names = top.add_subparsers(metavar="COMMAND", required=True)

    def command(name: str, text: str) -> argparse.ArgumentParser:
        sub = names.add_parser(name, parents=[common], help=text, description=text[0].upper() + text[1:] + ".")
        sub.set_defaults(run=name)
        return sub

    def one_loss(sub: argparse.ArgumentParser, text: str = "the loss, named like its port file") -> argparse.ArgumentParser:
        sub.add_argument("loss", metavar="LOSS", help=text)
        return sub

    def devices(sub: argparse.ArgumentParser) -> None:
        sub.add_argument(
            "--device", choices=["cpu", "cuda", "all"], default="all", help="where to compare (default: wherever there is one)"
        )

    command("status", "where each loss stands, why, and what is next")

    sites = command("sites", "every place that names a legacy symbol of LOSS, and what will happen to it")
    sites.add_argument("loss", nargs="?", metavar="LOSS", help="the loss, named like its port file")
    sites.add_argument("--retired", action="store_true", help="look for the names of every retired loss instead")
    sites.add_argument("--files", nargs="*", type=Path, metavar="FILE", help="tell of these files only")
    sites.add_argument("--check", action="store_true", help="exit 1 if there is any")
    sites.add_argument("--sarif", action="store_true", help="print SARIF for code hosts")

    record = one_loss(command("record", "run the cases on the legacy loss and write its golden"))
    record.add_argument("--again", action="store_true", help="replace the golden that is there")

    parity = command("parity", "compare new losses with their goldens")
    parity.add_argument("losses", nargs="*", metavar="LOSS", help="losses to compare (default: all)")
    devices(parity)
    parity.add_argument(
        "--extent",
        choices=["chosen", "all"],
        default="chosen",
        help="derived variants a case gets (default: its share of them)",
    )
    parity.add_argument(
        "--search", type=_seconds, default=0.0, metavar="SECONDS", help="search as long for differences beyond the variants"
    )
    parity.add_argument("--jobs", type=_count, metavar="N", help="losses to compare at once (default: one a processor)")
    parity.add_argument("--save", type=Path, metavar="DIR", help="write each counterexample as a pytest file into DIR")
    parity.add_argument("--junit", type=Path, metavar="FILE", help="write the verdicts as a JUnit report, for CI")

    power = command("power", "plant faults in new losses and report which ones parity catches")
    power.add_argument("losses", nargs="*", metavar="LOSS", help="losses to try (default: all)")
    power.add_argument("--jobs", type=_count, metavar="N", help="faults to try at once (default: one a processor)")

    rewrite = one_loss(command("rewrite", "rewrite the call sites of LOSS, without proof or retirement"))
    rewrite.add_argument("--dry-run", action="store_true", help="print the diff, write nothing")
    rewrite.add_argument("--check", action="store_true", help="write nothing; exit 1 if anything is left to rewrite")
    rewrite.add_argument("--sarif", action="store_true", help="print SARIF for code hosts; write nothing")

    migrating = command("migrate", "prove the new loss, switch the call sites, retire the legacy file")
    migrate = one_loss(migrating, "the loss, named like its port file; 'all' for every loss")
    migrate.add_argument("--dry-run", action="store_true", help="go as far as the rehearsal and print the diff, write nothing")
    migrate.add_argument("--without-tests", action="store_true", help="go on where no test touches what changes")
    migrate.add_argument("--force", action="store_true", help="delete a legacy file that the last commit does not have as it is")
    devices(migrate)

    one_loss(command("undo", "take the migration of LOSS back"))

    new = command("new", "write the skeleton of a new loss with its tests")
    new.add_argument("name", metavar="NAME", help="its name: a module name such as siglip")

    command("compare", "measure ways to write a loss side by side: the matrix in docs/decision.md")

    report = command("report", "write the dashboard: reports/index.html, this week's page, metrics.json")
    report.add_argument("--check", action="store_true", help="write nothing; exit 1 if a gate that was met is lost")
    return top


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < float("inf"):
        raise argparse.ArgumentTypeError(f"expected seconds above 0, found {text}")
    return seconds


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number above 0, found {text}")
    return count


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    options = parser().parse_args(argv)
    terminal = Terminal(as_json=options.json or getattr(options, "sarif", False))
    with heard(), exits_refused():
        try:
            status = _run(options, terminal)
            sys.stdout.flush()
        except BrokenPipeError:
            silence_output()
            return NOBODY_READS
        except KeyboardInterrupt as error:
            written = isinstance(error, CommittedThenInterrupted)
            terminal.error(
                "interrupted: all that was to be written is written" if written else "interrupted: nothing is half done"
            )
            return INTERRUPTED
        except (SystemExit, ProgramEnded) as end:
            terminal.error(f"a port, a case or a loss ended the program ({end}): take that out; nothing was found out")
            return WRONG_USE
    return status


def _run(options: argparse.Namespace, terminal: Terminal) -> int:
    try:
        # Most of the start is importing: Ctrl-C is heard, --help does not wait for it, and a hook pays for call sites alone.
        room = importlib.import_module("lossport.cli.callsites" if options.run in CALL_SITES else "lossport.cli.commands")
        project = find_project(options.project)
        _put_right(project, terminal)
        return int(getattr(room, options.run)(project, options, terminal))
    except (ConfigError, InputError) as error:
        return _wrong(terminal, str(error))
    except BrokenPipeError:
        raise
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _wrong(terminal, f"{where}{error.strerror or error}; mend that, then run this again")


def _wrong(terminal: Terminal, told: str) -> int:
    terminal.error(told)
    terminal.document({"error": told})
    return WRONG_USE


def _put_right(project: Project, terminal: Terminal) -> None:
    """Before anything is read: put back what a command that was cut short has left, and say so."""
    if journal.exists(project.state):
        with transaction.locked(project.state):
            restored = transaction.recover(project.root, project.state)
        told = f"put back as they were: {', '.join(restored)}" if restored else "nothing had been changed yet"
        terminal.error(f"a lossport command was cut short here; {told}")


if __name__ == "__main__":
    sys.exit(main())
