"""Errors of readers: one SourceError with the name of the source and advice, without secrets."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus, unquote

from fullcircle.base.errors import FullCircleError, SourceError
from fullcircle.core.secrets import is_secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_IN_URL = re.compile(r"(://[^:/@\s]*:)\S+(@)")
_PARAMETER = re.compile(r"([?&;]([^=&;\s]+)=)([^&;\s'\"]+)")
_LONGEST = 600  # characters of a driver's message


@contextmanager
def source_errors(where: str, secrets: Iterable[str] = (), advice: str = "") -> Iterator[None]:
    """Convert exceptions of libraries to a SourceError that begins with `where` and ends with `advice`.

    Drivers raise exceptions of many types, so all are caught; those of this project pass unchanged.
    """
    try:
        yield
    except FullCircleError:
        raise
    except Exception as error:
        cause = getattr(error, "orig", None) or error  # SQLAlchemy wraps the driver's error
        text = " ".join(masked(str(cause) or type(cause).__name__, secrets).split())
        text = text if len(text) <= _LONGEST else text[:_LONGEST] + " ..."
        raise SourceError(f"{where} cannot be read: {text.rstrip('.')}." + (f" {advice}" if advice else "")) from None


def masked(text: str, secrets: Iterable[str] = ()) -> str:
    """The text with `***` for each secret, plain or URL-encoded, and for what looks like one in a URL."""
    forms = {form for secret in secrets if secret for form in (secret, quote(secret, safe=""), quote_plus(secret))}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, "***")
    text = _IN_URL.sub(r"\1***\2", text)
    return _PARAMETER.sub(lambda found: f"{found[1]}***" if is_secret(unquote(found[2])) else found[0], text)


def secret(variable: str, where: str) -> str:
    """The value of an environment variable. Raises SourceError if it is not set or empty."""
    value = os.environ.get(variable)
    if not value:
        raise SourceError(f"{where}: the environment variable {variable} of the source is not set. Set it.")
    return value


def missing_extra(where: str, package: str, extra: str) -> SourceError:
    """The error for a missing library that only some sources need."""
    return SourceError(f"{where} needs {package}, which is not installed. `uv sync --extra {extra}` installs it.")
