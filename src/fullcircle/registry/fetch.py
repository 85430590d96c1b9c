"""Gets a version's files out of DVC's cache or remote, at the commit of its tag, and verifies them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from fullcircle.base.errors import BundleError
from fullcircle.base.files import verify
from fullcircle.core import paths
from fullcircle.registry.errors import RegistryError
from fullcircle.registry.tags import read_tags
from fullcircle.registry.versions import Version

if TYPE_CHECKING:
    from fullcircle.registry.tags import Registered

KEPT = Path(".dvc/tmp/fullcircle")
"""Where fetched versions are kept, by their bundle's id; DVC ignores this folder, and so does git."""


def fetch_path(root: Path, revision: str, path: Path, out: Path) -> None:
    """Write what DVC has at a path of a revision to `out`, which must not be there. Raises RegistryError."""
    from dvc.repo import Repo

    part = out.with_name(f".{out.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    try:
        Repo.get(str(root), path.as_posix(), out=str(part), rev=revision)
        part.rename(out)
    except Exception as error:  # DVC raises unrelated classes
        raise RegistryError(
            f"{path} of {revision} cannot be had from DVC's cache or remote: {error}. Whoever registered it must "
            "`dvc push`; see `dvc remote list`"
        ) from None
    finally:
        shutil.rmtree(part, ignore_errors=True)


def registered(root: Path, problem: str, version: str) -> Registered:
    """A registered version, by its number. Raises RegistryError."""
    tags = read_tags(root, problem)
    try:
        found = tags.version(Version.read(version))
    except ValueError as error:
        raise RegistryError(str(error)) from None
    if found is None:
        known = ", ".join(str(each.version) for each in tags.versions[-5:]) or "none"
        raise RegistryError(
            f"version {version} of {problem} is not registered here (git fetch --tags?); known: {known}"
        )
    return found


def kept(root: Path, version: Registered, path: Path) -> Path:
    """A copy of what DVC has at a path of a version, fetched once. Raises RegistryError."""
    if version.note is None:
        raise RegistryError(f"the tag {version.tag} does not record a bundle: it was not made by `fullcircle register`")
    place = root / KEPT / version.note.bundle / path.name
    if not place.is_dir():
        fetch_path(root, version.tag, path, place)
    return place


def fetch_bundle(root: Path, version: Registered) -> Path:
    """The folder of a version's bundle, verified: it is the one that the tag names. Raises RegistryError."""
    place = kept(root, version, paths.BUNDLE)
    wanted = version.note.bundle if version.note else ""
    try:
        found = verify(place)
    except BundleError as error:
        shutil.rmtree(place, ignore_errors=True)
        raise RegistryError(f"{version.tag} was damaged, and deleted: fetch it again. {error}") from None
    if found != wanted:
        shutil.rmtree(place, ignore_errors=True)
        raise RegistryError(f"the tag {version.tag} names bundle {wanted[:12]}, and its commit has {found[:12]}")
    return place
