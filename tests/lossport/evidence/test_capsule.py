"""A capsule is reproducible, outlives the legacy file, and is refused as soon as one byte of it cannot be trusted."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import sys
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from lossport import evidence
from lossport.evidence import CapsuleError, read_golden, read_header
from lossport.evidence.capsule import FORMAT, KEY, NO_DIGEST, seal
from tests import warm


def rewrite(content: bytes, **changes: Any) -> bytes:
    """The same capsule with parts of its text replaced, sealed anew: what a hostile writer would do."""
    size = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8 : 8 + size])
    data = {**json.loads(header["__metadata__"][KEY]), **changes, "digest": NO_DIGEST}
    header["__metadata__"][KEY] = json.dumps(data, separators=(",", ":"))
    text = json.dumps(header, separators=(",", ":")).encode()
    return seal(struct.pack("<Q", len(text)) + text + content[8 + size :])


def test_recording_twice_gives_the_same_bytes(made: Any) -> None:
    assert made.record().content == made.record().content


def test_recording_in_another_process_gives_the_same_bytes(made: Any, tmp_path: Any) -> None:
    made.record().write(tmp_path / "here.safetensors")
    code = (
        "import sys; from pathlib import Path; from lossport import evidence; from lossport.project.config import parse_project\n"
        "root = Path(sys.argv[1]); project = parse_project(root, {'legacy': 'old_losses', 'new': 'fresh'})\n"
        f"evidence.record(project, project.loss('pairs'), rewritten={made.rewritten!r}).write(root / 'there.safetensors')"
    )
    warm.run("-c", code, str(tmp_path), check=True)
    assert (tmp_path / "here.safetensors").read_bytes() == (tmp_path / "there.safetensors").read_bytes()


def test_it_has_one_metadata_key_and_holds_sources_cases_and_environment(made: Any, tmp_path: Any) -> None:
    path = tmp_path / "pairs.safetensors"
    made.record().write(path)
    with safe_open(path, framework="pt") as file:
        assert list(file.metadata()) == [KEY]
    header = read_header(path)
    assert set(header.sources) == {"old_losses/__init__.py", "old_losses/pairs.py", "old_losses/scaling.py"}
    assert header.cases.startswith("import torch")
    assert header.environment["torch"]
    assert header.rewritten == made.rewritten


def test_what_is_read_back_is_what_was_recorded(made: Any, tmp_path: Any) -> None:
    golden = made.record()
    golden.write(tmp_path / "pairs.safetensors")
    again = read_golden(tmp_path / "pairs.safetensors")
    assert again.cases == golden.cases
    assert {name: item.digest for name, item in again.observations.items()} == {
        name: item.digest for name, item in golden.observations.items()
    }


def test_it_runs_the_legacy_loss_after_its_files_are_gone(made: Any) -> None:
    golden = made.record()
    shutil.rmtree(made.root / "old_losses")
    assert made.prove(golden).passed
    made.edit("fresh/pairs.py", "(forward + backward) / 2", "forward")
    assert not made.prove(golden).passed


def test_it_runs_the_recorded_source_not_the_one_in_the_tree(made: Any) -> None:
    golden = made.record()
    made.edit("old_losses/scaling.py", "/ temperature", "* temperature")
    assert made.prove(golden).passed
    assert not made.prove().passed


def test_the_cases_in_it_serve_where_nothing_can_rewrite_them(made: Any) -> None:
    golden = made.record()
    assert evidence.prove(made.project, made.loss, golden, None, "cpu").counts["different"] == 0


def test_stale_rewritten_cases_are_refused(made: Any) -> None:
    golden = made.record()
    now = evidence.Fingerprint(port="another", cases=golden.fingerprint.cases)
    with pytest.raises(CapsuleError, match="stale: the port changed"):
        evidence.prove(made.project, made.loss, golden, None, "cpu", fingerprint=now)


def test_one_changed_byte_anywhere_is_refused(made: Any, tmp_path: Any) -> None:
    content = made.record().content
    path = tmp_path / "pairs.safetensors"
    for position in [*range(64), *range(64, len(content), 211), len(content) - 1]:
        damaged = bytearray(content)
        damaged[position] ^= 1
        path.write_bytes(damaged)
        with pytest.raises(CapsuleError, match=r"altered|damaged|truncated|newer|names no format|metadata key"):
            read_header(path)


def test_a_truncated_capsule_is_refused(made: Any, tmp_path: Any) -> None:
    content = made.record().content
    path = tmp_path / "pairs.safetensors"
    for length in (0, 4, 8, 100, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(CapsuleError, match=r"truncated|damaged"):
            read_header(path)


def test_appended_bytes_are_refused(made: Any, tmp_path: Any) -> None:
    path = tmp_path / "pairs.safetensors"
    path.write_bytes(made.record().content + b"\0")
    with pytest.raises(CapsuleError, match="truncated or not a capsule"):
        read_header(path)


def test_a_newer_format_is_refused_with_what_to_do(made: Any, tmp_path: Any) -> None:
    path = tmp_path / "pairs.safetensors"
    path.write_bytes(rewrite(made.record().content, format=FORMAT + 1))
    with pytest.raises(CapsuleError, match=rf"has format {FORMAT + 1}, newer than the {FORMAT} .* update lossport"):
        read_header(path)


@pytest.mark.parametrize(
    "name", ["../evil.py", "/etc/evil.py", "a/../../evil.py", "a\\..\\evil.py", "C:evil.py", "", "a/./b.py", "a.txt", "a\0.py"]
)
def test_names_that_leave_the_folder_are_refused(made: Any, tmp_path: Any, name: str) -> None:
    path = tmp_path / "pairs.safetensors"
    path.write_bytes(rewrite(made.record().content, sources={name: "x = 1"}))
    with pytest.raises(CapsuleError, match="expected a relative path"):
        read_header(path)


def test_a_capsule_that_lacks_a_part_is_refused(made: Any, tmp_path: Any) -> None:
    path = tmp_path / "pairs.safetensors"
    path.write_bytes(rewrite(made.record().content, sources=None))
    with pytest.raises(CapsuleError, match="lacks a part"):
        read_header(path)


def test_a_missing_capsule_is_told_as_such(tmp_path: Any) -> None:
    with pytest.raises(CapsuleError, match="cannot be read"):
        read_header(tmp_path / "none.safetensors")


def test_a_plain_safetensors_file_is_refused(tmp_path: Any) -> None:
    save_file({"x": torch.zeros(2)}, tmp_path / "plain.safetensors", metadata={"format": "pt"})
    with pytest.raises(CapsuleError, match="expected one metadata key"):
        read_header(tmp_path / "plain.safetensors")


def test_reading_a_header_does_not_import_torch(made: Any, tmp_path: Any) -> None:
    path = tmp_path / "pairs.safetensors"
    made.record().write(path)
    code = (
        "import sys; from pathlib import Path; from lossport.evidence import read_header\n"
        "read_header(Path(sys.argv[1])); assert 'torch' not in sys.modules and 'safetensors' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)


def test_modules_that_are_imported_by_name_at_run_time_are_in_it(made: Any) -> None:
    made.write("old_losses/late.py", "FACTOR = 2.0\n")
    made.edit(
        "old_losses/scaling.py",
        "return torch",
        "import importlib; f = importlib.import_module('old_losses.late').FACTOR / 2; return f * torch",
    )
    golden = made.record()
    assert "old_losses/late.py" in golden.header.sources
    shutil.rmtree(made.root / "old_losses")
    assert made.prove(golden).counts["different"] == 0
