"""How a CSV file is written: what `ingest` reads a source by, and the bundle the new rows."""

from __future__ import annotations

import io
from dataclasses import dataclass

FURTHEST = 1_000_000  # lines before the header


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a CSV file is written.

    `names`: of the columns; without them the header names them, and where there is no header, the table's columns
    in the order of conf/data/. `encoding`: a name that Python knows, such as `latin-1`, `cp1252`, `utf-16`.
    """

    delimiter: str = ","
    quote: str = '"'  # "" where nothing is quoted
    decimal: str = "."
    encoding: str = "utf-8"
    nulls: tuple[str, ...] = ("", "NA")
    skip: int = 0  # lines before the header, or before the first row
    header: bool = True
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, value in (("delimiter", self.delimiter), ("decimal", self.decimal)):
            if len(value) != 1:
                raise ValueError(f"{name} {value!r} must be one character")
        if len(self.quote) > 1:
            raise ValueError(f'quote {self.quote!r} must be one character, or "" where nothing is quoted')
        if any(sign in "\0\r\n" for sign in (self.delimiter, self.decimal, *self.quote)):
            raise ValueError("a line break or a null character can be no delimiter, quote or decimal")
        if self.delimiter == self.quote:
            raise ValueError(f"delimiter and quote are both {self.delimiter!r}")
        if self.delimiter == self.decimal:
            raise ValueError(f"delimiter and decimal are both {self.delimiter!r}")
        if not 0 <= self.skip <= FURTHEST:
            raise ValueError(f"skip {self.skip} is outside 0..{FURTHEST}")
        if not is_encoding(self.encoding):
            raise ValueError(f"there is no encoding {self.encoding!r}. Python's names are meant, such as latin-1.")


def is_encoding(name: str) -> bool:
    """Whether Python reads text in the encoding `name`.

    >>> is_encoding("latin-1"), is_encoding("latin-99"), is_encoding("base64")
    (True, False, False)
    """
    try:
        io.TextIOWrapper(io.BytesIO(), name)  # refuses those between bytes and bytes too
    except (LookupError, ValueError):
        return False
    return True


USUAL = Dialect()
