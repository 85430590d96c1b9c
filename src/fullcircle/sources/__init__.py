"""Sources: where data comes from. Each is one small reader behind the same shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from fullcircle.sources import bundled

if TYPE_CHECKING:
    from fullcircle.core.problem import Source


@dataclass(frozen=True, slots=True)
class Reading:
    """What a source gave: the table as read, and where it came from in words for the manifest."""

    table: pa.Table
    origin: str


READERS = {"bundled": bundled.read}


def read(source: Source) -> Reading:
    """Read a source whole. Raises SourceError, and then nothing has been read."""
    table, origin = READERS[source.kind](source)
    return Reading(table, origin)
