"""List and open files, local or through fsspec; compressed files are decompressed."""

from __future__ import annotations

import bz2
import glob
import gzip
import lzma
import zipfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from fullcircle.base.errors import SourceError
from fullcircle.core.source import uncompressed_name
from fullcircle.sources.errors import missing_extra, secret, source_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fullcircle.core.source import Storage

_DECOMPRESS: dict[str, Callable[[BinaryIO], Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}


@dataclass(frozen=True, slots=True)
class Place:
    """Where files are: `system` is an fsspec file system, None for local files; `secrets` are masked in errors."""

    system: Any = None
    secrets: tuple[str, ...] = ()


def place_of(path: str, storage: Storage, timeout: float, where: str) -> Place:
    """The place of a path or URL. Raises SourceError if it is not accessible."""
    protocol, separator, _ = path.partition("://")
    if not separator:
        return Place()
    credentials = {
        name: secret(variable, where)
        for name, variable in (("key", storage.key_env), ("secret", storage.secret_env), ("token", storage.token_env))
        if variable is not None
    }
    with source_errors(
        where, credentials.values(), f"Is {protocol}:// a protocol of fsspec, and its library installed?"
    ):
        import fsspec

        if protocol in ("s3", "s3a"):
            options = _s3(storage, credentials, timeout, where)
        elif protocol in ("http", "https"):
            options = _web(credentials, timeout)
        else:
            options = dict(credentials)
        system = fsspec.filesystem(protocol, skip_instance_cache=True, **options)
    return Place(system, tuple(credentials.values()))


def listed(path: str, place: Place, suffixes: tuple[str, ...], where: str) -> list[str]:
    """The files of a path, folder or glob, in order of name. Raises SourceError if there are none."""
    with source_errors(where, place.secrets):
        if place.system is None:
            found = _local(path, suffixes)
        elif any(c in path for c in "*?["):
            found = place.system.glob(path)
        elif path.startswith(("http://", "https://")) or place.system.isfile(path):
            return [path]
        else:
            found = [name for name in place.system.find(path) if uncompressed_name(name).endswith(suffixes)]
    if not found:
        raise SourceError(f"{where}: there is no file. Check the path; a folder must hold {', '.join(suffixes)} files.")
    return sorted(found)


@contextmanager
def opened(name: str, place: Place, *, seekable: bool = False, decompress: bool = True) -> Iterator[BinaryIO]:
    """Open one file, decompressed by its suffix. `seekable`: for random access, as Parquet needs it."""
    with ExitStack() as stack:
        if place.system is None:
            file = cast("BinaryIO", stack.enter_context(Path(name).open("rb")))
        elif not seekable and name.startswith(("http://", "https://")):
            file = stack.enter_context(place.system.open(name, block_size=0))  # as a stream, not in ranges
        else:
            file = stack.enter_context(place.system.open(name))
        suffix = PurePosixPath(name).suffix if decompress else ""
        if suffix == ".zip":
            archive = stack.enter_context(zipfile.ZipFile(file))
            file = cast("BinaryIO", stack.enter_context(archive.open(_only(archive, name))))
        elif suffix in _DECOMPRESS:
            file = cast("BinaryIO", stack.enter_context(_DECOMPRESS[suffix](file)))
        yield file


def _only(archive: zipfile.ZipFile, name: str) -> str:
    members = [member for member in archive.namelist() if not member.endswith("/")]
    if len(members) != 1:
        raise SourceError(f"{name} holds {len(members)} files, e.g. {', '.join(members[:3])}; it must hold one")
    return members[0]


def _local(path: str, suffixes: tuple[str, ...]) -> list[str]:
    at = Path(path)
    if at.is_dir():
        return [str(p) for p in at.rglob("*") if p.is_file() and uncompressed_name(p.name).endswith(suffixes)]
    if at.is_file() or not glob.has_magic(path):
        return [path] if at.is_file() else []
    root = Path(at.anchor)  # "." of a relative path
    return [str(p) for p in root.glob(str(at.relative_to(at.anchor))) if p.is_file()]


def _s3(storage: Storage, credentials: dict[str, str], timeout: float, where: str) -> dict[str, Any]:
    try:
        import s3fs  # noqa: F401  fsspec's message recommends another command
    except ImportError:
        raise missing_extra(where, "s3fs", "s3") from None
    client = {"endpoint_url": storage.endpoint, "region_name": storage.region}
    return {
        "anon": storage.anonymous,
        "client_kwargs": {key: value for key, value in client.items() if value is not None},
        "config_kwargs": {"connect_timeout": timeout, "read_timeout": timeout, "retries": {"max_attempts": 3}},
        **credentials,
    }


def _web(credentials: dict[str, str], timeout: float) -> dict[str, Any]:
    import aiohttp

    waits = aiohttp.ClientTimeout(total=None, sock_connect=timeout, sock_read=timeout)
    headers = {"Authorization": f"Bearer {credentials['token']}"} if "token" in credentials else {}
    return {"client_kwargs": {"timeout": waits, "headers": headers}}
