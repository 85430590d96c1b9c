"""dvc.lock: whether what a stage reads is what the stages before it wrote.

DVC compares size and time where it has seen a file before, and does not look again at what it downloads. A file that
was damaged on a disk or in a remote would then change the metrics without a word.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from fullcircle.base.errors import DataError
from fullcircle.core import paths
from fullcircle.core.config import read_params

BLOCK = 1 << 20  # bytes read at a time


def check_inputs(stage: str) -> None:
    """Compare the inputs of a stage that other stages wrote with their hashes in dvc.lock. Raises DataError.

    For a stage that DVC runs: then the lock is that of the stages before. Costs 2 ms per MB.
    """
    if not paths.DVC_LOCK.is_file():
        return
    locked: dict[str, Any] = (read_params(paths.DVC_LOCK) or {}).get("stages", {})
    needed = {Path(path) for path in read_params(paths.DVC_YAML)["stages"][stage].get("deps", ())}
    for writer, each in locked.items():
        for out in each.get("outs", ()):
            path = Path(out["path"])
            if "md5" in out and path.exists() and any(path == one or path in one.parents for one in needed):
                _check(path, out["md5"], writer)


def _check(path: Path, expected: str, writer: str) -> None:
    found = hash_of(path)
    if found == expected:
        return
    bad = _damaged(path, expected)
    copies = [str(copy) for copy in (cached(expected) for _, expected in bad) if copy.is_file()]
    raise DataError(
        f"{', '.join(str(file) for file, _ in bad[:3])}{', ...' if len(bad) > 3 else ''} is not what {writer} wrote "
        f"(MD5 {found}, in dvc.lock {expected}): it was damaged or changed, and DVC, which compares size and time, did "
        "not see it. Delete it, and its copy in DVC's cache, which may be damaged too, and get it again:\n"
        f"  rm -f {' '.join([*(str(file) for file, _ in bad), *copies])}\n"
        f"  dvc pull    # from a remote with `verify: true`; or `dvc repro {writer}` makes it again"
    )


def _damaged(path: Path, expected: str) -> list[tuple[Path, str]]:
    """The damaged files of an output, each with the MD5 that it should have: itself, or those of a folder."""
    listed = cached(expected)
    if not path.is_dir() or not listed.is_file():
        return [(path, expected)]
    entries = {path / each["relpath"]: each["md5"] for each in json.loads(listed.read_text(encoding="utf-8"))}
    bad = [(file, md5) for file, md5 in entries.items() if not file.is_file() or _md5(file) != md5]
    return bad or [(path, expected)]


def cached(md5: str) -> Path:
    """Where DVC's cache, if it is in its usual place, keeps a file or the list of a folder."""
    return Path(".dvc/cache/files/md5") / md5[:2] / md5[2:]


def hash_of(path: Path) -> str:
    """The MD5 that DVC gives a file, or a folder: that of the list of its files."""
    if path.is_file():
        return _md5(path)
    files = sorted(file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())
    entries = [{"md5": _md5(path / name), "relpath": name} for name in files]
    return hashlib.md5(json.dumps(entries, sort_keys=True).encode(), usedforsecurity=False).hexdigest() + ".dir"


def _md5(path: Path) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
