"""What readers of sources say when they fail: one error that names the source and what to do, and no secret."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from fullcircle.base.errors import FullCircleError, SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_IN_URL = re.compile(r"(://[^:/@\s]*:)[^@/\s]+(@)")
_LONGEST = 600  # characters of what a driver says


@contextmanager
def source_errors(where: str, secrets: Iterable[str] = (), advice: str = "") -> Iterator[None]:
    """Turn what a library raises into a SourceError that begins with `where` and ends with `advice`.

    Drivers raise what they like, so all of it is taken; what this project raises passes as it is.
    """
    try:
        yield
    except FullCircleError:
        raise
    except Exception as error:
        said = getattr(error, "orig", None) or error  # SQLAlchemy wraps what the driver says
        text = " ".join(masked(str(said) or type(said).__name__, secrets).split())
        text = text if len(text) <= _LONGEST else text[:_LONGEST] + " ..."
        raise SourceError(f"{where} cannot be read: {text.rstrip('.')}." + (f" {advice}" if advice else "")) from None


def masked(text: str, secrets: Iterable[str] = ()) -> str:
    """Return the text with every secret, as it is or as a URL writes it, and every password of a URL as `***`."""
    forms = {form for secret in secrets if secret for form in (secret, quote(secret, safe=""), quote_plus(secret))}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, "***")
    return _IN_URL.sub(r"\1***\2", text)


def secret(variable: str, where: str) -> str:
    """The value of an environment variable. Raises SourceError if it is not set or empty."""
    value = os.environ.get(variable)
    if not value:
        raise SourceError(f"{where}: the environment variable {variable}, which the source names, is not set. Set it.")
    return value


def missing_extra(where: str, package: str, extra: str) -> SourceError:
    """The error for a library that only some sources need."""
    return SourceError(f"{where} needs {package}, which is not installed. `uv sync --extra {extra}` installs it.")
