"""Folders of files that can be trusted: written whole, and checked against SHA-256 sums before anything is parsed."""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import BundleError, ConfigError
from .typed import build

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
    """Give a temporary name beside `path`, renamed to it when the block ends well and removed when it does not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text, whole or not at all."""
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")


def read_json(path: Path) -> Any:
    """Read a JSON file of a bundle. Raises BundleError."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BundleError(f"{path} cannot be read: {error}") from None


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
        raise BundleError(f"{folder} is damaged, and nothing of it was loaded\n" + "\n".join(wrong))
    return _sum(folder / MANIFEST)


def _names(folder: Path) -> list[str]:
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in found if name != MANIFEST)


def _sum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
