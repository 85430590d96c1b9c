"""The prediction log as commands open it, and a record as a person names it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fullcircle.base import cells
from fullcircle.base.errors import ConfigError
from fullcircle.log.database import connect
from fullcircle.serving.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlalchemy as sql

    from fullcircle.log.bundles import LoggedBundle


def open_log(url: str | None = None) -> sql.Engine:
    """The log at a URL; by default that of conf/serving.yaml. Raises ConfigError where there is none."""
    if url is not None:
        return connect(url)
    settings = read_settings(None).predictions
    if not settings.on:
        raise ConfigError("there is no prediction log: set predictions.url in conf/serving.yaml, or give --log")
    return connect(settings.url or "", settings.url_env)


def key_of(named: Sequence[str], bundle: LoggedBundle) -> str:
    """The key of a record, from NAME=VALUE of each column that identifies it. Raises ConfigError for others."""
    pairs = dict(each.split("=", 1) for each in named if "=" in each)
    if pairs.keys() != {*bundle.identity} or len(pairs) < len(named):
        wanted = " ".join(f"{name}=..." for name in bundle.identity)
        raise ConfigError(f"name a record of {bundle.problem} as {wanted or 'REQUEST/ROW'}, or by its prediction id")
    (key,) = bundle.keys({name: [pairs[name]] for name in bundle.identity})
    if key is None:
        raise ConfigError(f"{' '.join(named)}: a value cannot be read as what its column is")
    return key


def moment(seconds: float) -> str:
    """A moment as commands show it, in UTC.

    >>> moment(0.25)
    '1970-01-01 00:00:00'
    """
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")


def moment_of(text: str) -> float:
    """A moment in ISO 8601, in seconds since 1970; UTC where it has no offset. Raises ConfigError."""
    try:
        return cells.moment_of(text).replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise ConfigError(f"{text!r} is no time: write it as 2013-11-05T06:00") from None


def day_of(text: str) -> float:
    """The first second of a day, such as 2013-11-05, in seconds since 1970 (UTC). Raises ConfigError."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise ConfigError(f"{text!r} is no day: write it as 2013-11-05") from None
