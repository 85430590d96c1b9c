"""What a request can do wrong, and the status of each kind of error."""

from __future__ import annotations

from ..base.errors import BundleError, DataError, FullCircleError, UnavailableError


class RequestError(FullCircleError):
    """A request that is not answered. `set_aside`: rows and why, where no row could be scored."""

    status = 400

    def __init__(self, message: str, set_aside: list[dict[str, object]] | None = None) -> None:
        super().__init__(message)
        self.set_aside = set_aside or []


class NotAllowedError(RequestError):
    """No valid key."""

    status = 401


class NotFoundError(RequestError):
    """There is no such thing here: a path, a model, a version, a table."""

    status = 404


class LateError(RequestError):
    """The body did not arrive in time."""

    status = 408


class TooLargeError(RequestError):
    """A body or a number of rows above the limit."""

    status = 413


class MediaTypeError(RequestError):
    """A body of a type that is not read here."""

    status = 415


class RowsError(RequestError):
    """Rows of other columns, or of which none can be scored."""

    status = 422


class BusyError(RequestError):
    """Too many requests at once, or an answer that took too long: try again."""

    status = 503


def status_of(error: FullCircleError) -> int:
    """The status of an error: 4xx where the request is wrong, 5xx where the service or its model is."""
    if isinstance(error, RequestError):
        return error.status
    if isinstance(error, DataError):
        return RowsError.status
    if isinstance(error, UnavailableError):
        return BusyError.status
    return 500 if isinstance(error, BundleError) else 400
