"""Folders of files that can be trusted: written whole, and checked against SHA-256 sums before anything is parsed."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import BundleError, ConfigError, first_lines
from .typed import build

LOCKS = importlib.util.find_spec("fcntl") is not None  # not on Windows
if LOCKS:
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT = 1
MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """The files of a folder: path inside it -> SHA-256."""

    format: int
    files: dict[str, str]


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path`, renamed to it when the block ends well and removed when it does not.

    The name is of this call alone, so several may write one file at a time: the last one counts. What killed processes
    left is removed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_abandoned(path)
    temporary, lock = _locked_file(path)
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        if error.errno is not None and error.filename is None:  # Arrow does not say which file it writes
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)
        os.close(lock)


def _beginning(path: Path) -> str:
    return f".{path.name[:55]}."  # a name may have 255 bytes, and a letter 4


def _locked_file(path: Path) -> tuple[Path, int]:
    """A new temporary file of `path`, open and locked."""
    while True:
        temporary = path.with_name(f"{_beginning(path)}{secrets.token_hex(6)}.part")
        opened = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
        if not LOCKS or (_lock(opened) and os.fstat(opened).st_nlink):
            return temporary, opened
        os.close(opened)  # another process found it before it was locked, and removed it
        temporary.unlink(missing_ok=True)


def _remove_abandoned(path: Path) -> None:
    """Remove temporary files of `path` that no process has locked."""
    beginning = _beginning(path)
    with os.scandir(path.parent) as entries:
        found = [entry.path for entry in entries if entry.name.startswith(beginning) and entry.name.endswith(".part")]
    for name in found:
        try:
            opened = os.open(name, os.O_WRONLY)
        except OSError:  # removed meanwhile, or of another user
            continue
        try:
            if _lock(opened):
                Path(name).unlink(missing_ok=True)
        finally:
            os.close(opened)


def _lock(opened: int) -> bool:
    """Lock an open file until it is closed, also by the end of the process; False if another process has it locked."""
    if not LOCKS:
        return False
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text, whole or not at all."""
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")


def read_json(path: Path) -> Any:
    """Read a JSON file of a bundle; NaN and infinity are no JSON. Raises BundleError."""
    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
    except (OSError, ValueError) as error:
        raise BundleError(f"{path} cannot be read: {error}") from None
    except RecursionError:
        raise BundleError(f"{path} cannot be read: lists in lists, too deep") from None


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def seal(folder: Path) -> str:
    """Write the manifest of a folder; return the manifest's own SHA-256, which names these very bytes."""
    files = {name: _sum(folder / name) for name in _names(folder)}
    text = json.dumps({"format": FORMAT, "files": files}, indent=2) + "\n"
    write_text(folder / MANIFEST, text)
    return hashlib.sha256(text.encode()).hexdigest()


def verify(folder: Path) -> str:
    """Check every file of a sealed folder; return the SHA-256 of its manifest, which names these very bytes.

    Raises BundleError for a file that differs, lacks or is not listed.
    """
    if not (folder / MANIFEST).is_file():
        raise BundleError(f"{folder} is no bundle: it has no {MANIFEST}. `dvc repro` makes {Path('dist/bundle')}.")
    try:
        manifest = build(Manifest, read_json(folder / MANIFEST), str(folder / MANIFEST))
    except ConfigError as error:
        raise BundleError(str(error)) from None
    if manifest.format != FORMAT:
        raise BundleError(f"{folder}: manifest of format {manifest.format}, and this version reads format {FORMAT}")
    there = set(_names(folder))
    wrong = [f"  {name}: is missing" for name in manifest.files if name not in there]
    wrong += [f"  {name}: is not in the manifest" for name in sorted(there - manifest.files.keys())]
    wrong += [
        f"  {n}: its SHA-256 is another" for n, s in manifest.files.items() if n in there and _sum(folder / n) != s
    ]
    if wrong:
        raise BundleError(f"{folder} is damaged, and nothing of it was loaded\n" + first_lines(wrong))
    return _sum(folder / MANIFEST)


def _names(folder: Path) -> list[str]:
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in found if name != MANIFEST)


def _sum(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BundleError(f"{path} cannot be read: {error.strerror}") from None
