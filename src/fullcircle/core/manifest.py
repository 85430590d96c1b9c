"""The manifest that `ingest` writes next to the raw tables: what was read of each, and from where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Part:
    """One snapshot of a table in mode append; `watermark` is the largest value read up to it, as text."""

    as_of: str
    rows: int
    sha256: str
    origin: str
    watermark: str | None = None

    @property
    def file(self) -> str:
        """Name of the Parquet file; a colon is not allowed in file names everywhere."""
        return f"{self.as_of.replace(':', '-')}.parquet"


@dataclass(frozen=True, slots=True)
class RawTable:
    """One table as it was read.

    `origin`: where from, in words. `sha256`: of the Parquet file, or of the hashes of all parts. `schema`: column ->
    Arrow type. In mode append also `request`, the settings that every snapshot must share, and `parts`, oldest first.
    """

    origin: str
    rows: int
    sha256: str
    schema: dict[str, str]
    request: dict[str, Any] | None = None
    parts: tuple[Part, ...] = ()

    RENAMED: ClassVar[dict[str, str]] = {"asked": "request"}
