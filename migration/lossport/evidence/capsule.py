"""The capsule file: one `.safetensors` file with one metadata key, checked before anything in it is used. Needs no torch.

The key holds a JSON text with the digest of the whole file (taken with the digest itself as zeros), so that one changed byte
anywhere is found out. Reading never runs anything.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from lossport.project.errors import InputError
from lossport.source.fingerprint import Fingerprint, fingerprint_from

KEY = "lossport"
"""The only metadata key: safetensors writes several in another order each time, one is reproducible."""

FORMAT = 1
"""Rises when older versions of this package could not read the file rightly."""

NO_DIGEST = "0" * 64
DIGEST = re.compile(rb'\\"digest\\":\\"([0-9a-f]{64})\\"')
"""The digest as it stands in the file: JSON within the JSON header, hence the escaped quotes."""

LARGEST_HEADER = 64 * 2**20
"""Headers hold sources and case texts, some hundred kilobytes; a larger one is damage or an attack on memory."""


class CapsuleError(InputError):
    """A capsule that cannot be trusted or read. The message says why and what to do."""


@dataclass(frozen=True)
class Header:
    """What a capsule says about itself, without its tensors."""

    loss: str
    symbols: tuple[str, ...]
    fingerprint: Fingerprint
    environment: Mapping[str, str]
    sources: Mapping[str, str]
    cases_path: str
    cases: str
    rewritten: str
    data: Mapping[str, Any]


def seal(unsealed: bytes) -> bytes:
    """Put the digest of the file into the file."""
    found = list(DIGEST.finditer(unsealed))
    if len(found) != 1 or found[0].group(1) != NO_DIGEST.encode():
        raise CapsuleError("a capsule needs exactly one empty digest to be sealed")
    start, end = found[0].span(1)
    return unsealed[:start] + hashlib.sha256(unsealed).hexdigest().encode() + unsealed[end:]


def read_header(path: Path, shown: str | None = None) -> Header:
    """Check a capsule and read its header.

    Raises:
        CapsuleError: it is missing, truncated, altered, from a newer version, or names files outside its folder.
    """
    return parse(read_bytes(path, shown), shown or str(path))


def read_bytes(path: Path, shown: str | None = None) -> bytes:
    """The file's bytes, or a clear message."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise CapsuleError(f"{shown or path}: cannot be read: {error.strerror or error}; record the loss again") from error


def parse(content: bytes, shown: str) -> Header:
    """Check the bytes of a capsule and read its header; see `read_header`."""
    data = _metadata(content, shown)
    version = data.get("format")
    if not isinstance(version, int) or isinstance(version, bool):
        raise CapsuleError(f"{shown}: names no format; it was not written by this tool")
    if version > FORMAT:
        raise CapsuleError(f"{shown}: has format {version}, newer than the {FORMAT} this lossport reads; update lossport")
    _check_digest(content, shown)
    try:
        header = Header(
            loss=_text(data["loss"]),
            symbols=tuple(_text(item) for item in data["symbols"]),
            fingerprint=fingerprint_from(data["fingerprint"]),
            environment={str(key): str(value) for key, value in data["environment"].items()},
            sources={_text(key): _text(value) for key, value in data["sources"].items()},
            cases_path=_text(data["cases_path"]),
            cases=_text(data["cases"]),
            rewritten=_text(data["rewritten"]),
            data=data,
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise CapsuleError(f"{shown}: lacks a part that every capsule has ({error}); record the loss again") from error
    for name in (*header.sources, header.cases_path):
        check_name(name, shown)
    return header


def check_name(name: str, shown: str) -> None:
    """Refuse a file name that leaves the folder it belongs to."""
    parts = PurePosixPath(name).parts
    bad = (
        not parts
        or name.startswith("/")
        or "\\" in name
        or ":" in name
        or "\0" in name
        or ".." in parts
        or "." in name.split("/")
    )
    if bad or not name.endswith(".py"):
        raise CapsuleError(f"{shown}: names the file {name!r}; expected a relative path of a .py file that stays in its folder")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected a text, found {type(value).__name__}")
    return value


def _metadata(content: bytes, shown: str) -> dict[str, Any]:
    cut = CapsuleError(f"{shown}: is truncated or not a capsule; restore it from version control or record the loss again")
    if len(content) < 8:
        raise cut
    size = int.from_bytes(content[:8], "little")
    if size > min(LARGEST_HEADER, len(content) - 8):
        raise cut
    try:
        header = json.loads(content[8 : 8 + size])
        metadata = header.pop("__metadata__")
        ends = [entry["data_offsets"][1] for entry in header.values()]
        if set(metadata) != {KEY}:
            raise CapsuleError(f"{shown}: expected one metadata key, {KEY!r}; found {', '.join(sorted(metadata)) or 'none'}")
        data = json.loads(metadata[KEY])
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        if isinstance(error, CapsuleError):
            raise
        raise CapsuleError(f"{shown}: its header is damaged; restore it from version control or record the loss again") from error
    if not isinstance(data, dict):
        raise cut
    if max(ends, default=0) != len(content) - 8 - size:
        raise cut
    return data


def _check_digest(content: bytes, shown: str) -> None:
    found = list(DIGEST.finditer(content))
    if len(found) == 1:
        start, end = found[0].span(1)
        if hashlib.sha256(content[:start] + NO_DIGEST.encode() + content[end:]).hexdigest().encode() == found[0].group(1):
            return
    raise CapsuleError(
        f"{shown}: was altered since it was recorded (its digest does not match); "
        "restore it from version control or record the loss again"
    )
