"""The typed configuration of sources (`problem.sources`): where each table is read from.

Credentials are given by the name of an environment variable, never by value: DVC and git store the configuration.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from fullcircle.base.dialect import USUAL, Dialect
from fullcircle.core.secrets import check_names, check_url

Scalar: TypeAlias = str | bool | int | float
SUFFIXES = {
    "csv": (".csv", ".tsv", ".txt"),
    "parquet": (".parquet", ".pq"),
    "jsonl": (".jsonl", ".ndjson"),
    "excel": (".xlsx", ".xlsm"),
}
COMPRESSED = (".gz", ".bz2", ".xz", ".zip")


@dataclass(frozen=True, slots=True)
class Bundled:
    """A CSV file that an installed package ships. The package is not imported."""

    kind: Literal["bundled"]
    package: str
    version: str  # pinned: another installed version is an error, so that the data change only on purpose
    file: str  # path inside the package's distribution; may be compressed (.gz, .zip)
    beside: tuple[str, ...] = ()  # further files with the same number of rows, whose columns are appended
    dialect: Dialect = USUAL


@dataclass(frozen=True, slots=True)
class Storage:
    """Access to an object store or a web server; `*_env` are names of environment variables."""

    endpoint: str | None = None  # of an S3 service other than Amazon's
    region: str | None = None
    key_env: str | None = None
    secret_env: str | None = None
    token_env: str | None = None  # S3: session token; https: bearer token
    anonymous: bool = False

    def __post_init__(self) -> None:
        if self.endpoint is not None:
            check_url(self.endpoint)


@dataclass(frozen=True, slots=True)
class File:
    """Files: a path, a folder of Parquet parts, or a glob; local, `s3://` or `https://`.

    `as_of` replaces `{as_of}` in the path. `sha256`: of the file (for several: of their bytes, concatenated in order
    of name); a file with another hash is an error, so that the data change only on purpose.
    """

    kind: Literal["file"]
    path: str
    format: Literal["csv", "parquet", "jsonl", "excel"] | None = None  # None: by the suffix, without .gz
    dialect: Dialect = USUAL
    sheet: str | None = None  # of a workbook; None: the first
    as_of: str | None = None
    mode: Literal["full", "append"] = "full"
    watermark: str | None = None
    sha256: str | None = None
    storage: Storage = Storage()
    timeout: float = 60.0  # seconds without a response

    def __post_init__(self) -> None:
        _check_snapshot(self)
        check_url(self.path)
        if "{as_of}" in self.path and self.as_of is None:
            raise ValueError("the path has an {as_of}, but there is no as_of")
        if self.sha256 is not None and not re.fullmatch("[0-9a-f]{64}", self.sha256):
            raise ValueError("sha256 must be 64 hexadecimal digits, as `sha256sum` prints them")


@dataclass(frozen=True, slots=True)
class Sql:
    """Rows of a database, by SQLAlchemy: a `query` with `:name` parameters, or a whole `table`.

    `as_of` is passed as the parameter `:as_of`. `timeout`: seconds for the connection (at most 30), and for the
    statement.
    """

    kind: Literal["sql"]
    url: str | None = None  # without a password
    url_env: str | None = None
    password_env: str | None = None
    query: str | None = None
    table: str | None = None
    parameters: dict[str, Scalar] = field(default_factory=dict)
    as_of: str | None = None
    mode: Literal["full", "append"] = "full"
    watermark: str | None = None
    rows: int = 50_000  # per batch
    timeout: float = 3600.0

    def __post_init__(self) -> None:
        _check_snapshot(self)
        if (self.url is None) == (self.url_env is None):
            raise ValueError("set either `url` or `url_env`, the name of the environment variable with the url")
        if (self.query is None) == (self.table is None):
            raise ValueError("set either `query` or `table`")
        if self.url is not None:
            check_url(self.url)
        if self.rows < 1:
            raise ValueError(f"rows {self.rows} must be 1 or more")
        if "as_of" in self.parameters or "watermark" in self.parameters:
            raise ValueError("set :as_of and :watermark with as_of and watermark, not in parameters")


@dataclass(frozen=True, slots=True)
class Paging:
    """How an API splits its records into pages.

    `none`: one page. `page`, `offset`: the query parameter `parameter` counts up (from `first`) until a page is empty
    or `total` is reached. `cursor`: the response has the value of `parameter` for the next request at the JSON path
    `next`. `link`: the response has the next URL at `next`. `header`: the `Link` header has it.
    """

    kind: Literal["none", "page", "offset", "cursor", "link", "header"] = "none"
    parameter: str | None = None  # None: page, offset or cursor
    size: int | None = None  # rows per page; required for offset
    size_parameter: str | None = None  # None: `limit` for offset, otherwise the size is not sent
    first: int | None = None  # None: page 1, offset 0
    total: str | None = None  # JSON path of the number of pages (page) or rows (offset)
    next: str | None = None

    def __post_init__(self) -> None:
        if self.kind == "offset" and self.size is None:
            raise ValueError("paging by offset needs `size`, the number of rows per page")
        if self.kind in ("cursor", "link") and self.next is None:
            raise ValueError(f"paging by {self.kind} needs `next`, the JSON path of the next cursor or URL")


@dataclass(frozen=True, slots=True)
class Http:
    """Records of a paged JSON API. Objects inside a record become columns such as `owner_name`.

    `headers_env`: header -> name of the environment variable with its value, such as {Authorization: API_TOKEN};
    `parameters_env`: the same for parameters of the URL. Both are sent to the server of `url` only.
    `as_of` and the watermark are sent as `as_of_parameter` and `watermark_parameter`, if those are set.
    """

    kind: Literal["http"]
    url: str
    records: str = "$"  # JSON path of the list of records
    parameters: dict[str, Scalar] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    headers_env: dict[str, str] = field(default_factory=dict)
    parameters_env: dict[str, str] = field(default_factory=dict)
    paging: Paging = Paging()
    as_of: str | None = None
    as_of_parameter: str | None = None
    mode: Literal["full", "append"] = "full"
    watermark: str | None = None
    watermark_parameter: str | None = None
    retries: int = 5  # of a request with a temporary failure: 429, 5xx, an incomplete or no response
    wait: float = 30.0  # seconds between two attempts at most
    timeout: float = 30.0  # seconds without a response

    def __post_init__(self) -> None:
        _check_snapshot(self)
        check_url(self.url)
        check_names(self.parameters, "parameter")
        check_names(self.headers, "header")
        if self.url.split("://")[0] not in ("http", "https"):
            raise ValueError(f"url {self.url!r} must begin with http:// or https://")


Source: TypeAlias = Bundled | File | Sql | Http


def format_of(path: str) -> str | None:
    """The format of a file by its suffix; None if unknown."""
    return next(
        (form for form, suffixes in SUFFIXES.items() if uncompressed_name(path).lower().endswith(suffixes)), None
    )


def uncompressed_name(name: str) -> str:
    """The name without the suffix of a compressed file."""
    return next((name.removesuffix(suffix) for suffix in COMPRESSED if name.endswith(suffix)), name)


def of_new_rows(source: Source) -> Dialect:
    """The dialect of a CSV file of new rows, for a model trained on this source: that of the source if it is CSV.

    Of a CSV without a header, or one that a package ships, only `nulls` are used.
    """
    if isinstance(source, Bundled):
        return Dialect(nulls=source.dialect.nulls)
    if not isinstance(source, File) or (source.format or format_of(source.path) or "csv") != "csv":
        return Dialect(nulls=("",))
    return source.dialect if source.dialect.header else Dialect(nulls=source.dialect.nulls)


def _check_snapshot(source: File | Sql | Http) -> None:
    if source.as_of is not None and not re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z.:+_-]*", source.as_of):
        raise ValueError(f"as_of {source.as_of!r} must be letters, digits and . : + _ -, such as 2026-10-31")
    if source.mode == "append" and source.as_of is None:
        raise ValueError("mode append needs an as_of, the name of the snapshot")
    if source.watermark is not None and source.mode != "append":
        raise ValueError("a watermark needs mode append")
    if source.timeout <= 0:
        raise ValueError(f"timeout {source.timeout:g} must be above 0 seconds")
