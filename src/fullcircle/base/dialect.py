"""How a CSV file is written: what `ingest` reads a source by, and the bundle the new rows."""

from __future__ import annotations

from dataclasses import dataclass


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
        if self.delimiter == self.decimal:
            raise ValueError(f"delimiter and decimal are both {self.delimiter!r}")
        if self.skip < 0:
            raise ValueError(f"skip {self.skip} is negative")


USUAL = Dialect()
