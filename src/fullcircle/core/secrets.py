"""Secrets have no place in files that DVC and git store: what looks like one is refused, by its place or its name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

SECRET = re.compile(
    r"pass(word|wd|phrase)?$|^pwd$|token|secret|api[_-]?key|apikey|access[_-]?key|(^|[_-])auth([_-]|$)|authorization|bearer|cookie|credential"
    r"|^sig$|signature",
    re.IGNORECASE,
)
"""Names of parameters and headers whose values are secrets."""


def check_url(url: str) -> None:
    """Refuse a URL with a password or a secret parameter, without showing it. Raises ValueError."""
    after = url.partition("://")[2]
    try:
        password = urlsplit(url).password is not None
    except ValueError:  # a bracket, or a port that is none
        password = True
    # A password may contain / # or ?, behind which a URL's parser sees no user any more.
    if password or re.match(r"[^/?#@]*:[^@]*@", after):
        raise ValueError(
            "the url contains a password, which git would store: put it into an environment variable (*_env)"
        )
    names = [unquote(pair.partition("=")[0]) for pair in re.split("[?&;]", after)[1:]]
    if named := [name for name in names if is_secret(name)]:
        raise ValueError(
            f"the url has the parameter {named[0]}, a secret that git would store: put it into an environment "
            "variable, and name that in `password_env`, `headers_env` or `parameters_env`"
        )


def check_names(names: Iterable[str], what: str) -> None:
    """Refuse parameters or headers that are named like a secret. Raises ValueError."""
    if named := [name for name in names if is_secret(name)]:
        raise ValueError(
            f"{what} {named[0]} is a secret, which git would store: set an environment variable, and name it in "
            f"`{what}s_env`"
        )


def is_secret(name: str) -> bool:
    """Whether a parameter or header of this name is a secret.

    >>> [name for name in ("page", "X-Api-Key", "access_token", "pwd", "author") if is_secret(name)]
    ['X-Api-Key', 'access_token', 'pwd']
    """
    return SECRET.search(name) is not None


def from_environment(value: Any, key: str = "") -> str | None:
    """The key of the first text that takes a value of the environment (`${oc.env:X}`); None if there is none.

    `value`: nested dicts and lists. Hydra and DVC put the variable's value into params.yaml, which git stores.
    """
    if isinstance(value, dict):
        found = (from_environment(each, f"{key}.{name}" if key else str(name)) for name, each in value.items())
    elif isinstance(value, (list, tuple)):
        found = (from_environment(each, f"{key}[{i}]") for i, each in enumerate(value))
    else:
        return key if isinstance(value, str) and re.search(r"\$\{[^}]*\benv\s*:", value) else None
    return next((each for each in found if each is not None), None)
