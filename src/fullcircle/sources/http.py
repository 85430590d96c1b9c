"""http: records of a paged JSON API, by dlt's RESTClient, which implements paging and retries."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fullcircle.base.errors import SourceError
from fullcircle.sources.errors import masked, missing_extra, secret, source_errors
from fullcircle.sources.records import batches_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa
    from dlt.sources.helpers.rest_client.paginators import BasePaginator

    from fullcircle.base.checks import Column
    from fullcircle.core.source import Http, Paging, Scalar
    from fullcircle.sources import Mark

_ADVICE = "Try the URL with curl or in a browser; retries, wait and timeout are set in the problem's sources."


def read(
    source: Http, columns: dict[str, Column] | None, after: Mark | None = None
) -> tuple[Iterator[pa.RecordBatch], str]:
    """Batches of the records of all pages, and the URL as text. Raises SourceError, also while reading.

    `after` is sent as `watermark_parameter`, if that is set.
    """
    where = masked(source.url)
    try:
        import dlt  # noqa: F401
    except ImportError:
        raise missing_extra(where, "dlt", "http") from None
    secrets = {header: secret(variable, where) for header, variable in source.headers_env.items()}
    given = {name: secret(variable, where) for name, variable in source.parameters_env.items()}
    parameters: dict[str, Scalar] = {**source.parameters, **given}
    if source.as_of is not None and source.as_of_parameter is not None:
        parameters[source.as_of_parameter] = source.as_of
    if after is not None and source.watermark_parameter is not None:
        parameters[source.watermark_parameter] = after.isoformat() if isinstance(after, datetime) else after
    paging = source.paging
    if paging.size is not None and paging.size_parameter is not None:
        parameters[paging.size_parameter] = paging.size
    origin = where + (f", as of {source.as_of}" if source.as_of else "")
    hidden = (*secrets.values(), *given.values())
    return _batches(source, parameters, secrets, hidden, where, columns), masked(origin, hidden)


def _batches(
    source: Http,
    parameters: dict[str, Scalar],
    secrets: dict[str, str],
    hidden: tuple[str, ...],
    where: str,
    columns: dict[str, Column] | None,
) -> Iterator[pa.RecordBatch]:
    from dlt.sources.helpers.requests import Client

    client = Client(
        request_timeout=source.timeout,
        raise_for_status=False,  # the RESTClient raises, after the retries
        request_max_attempts=source.retries + 1,
        request_backoff_factor=min(1.0, source.wait),
        request_max_retry_delay=source.wait,
        retry_condition=lambda response, _: response is not None and response.ok and not _is_json(response),
    )
    with source_errors(where, hidden, _ADVICE), client.session as opened:
        session: Any = opened
        if hidden:
            session.rebuild_auth = partial(_check_redirect, source.url, where)
        yield from batches_of(_records(source, parameters, secrets, where, session), columns, where)


def _records(
    source: Http, parameters: dict[str, Scalar], secrets: dict[str, str], where: str, session: Any
) -> Iterator[dict[str, Any]]:
    """Records page by page. Raises SourceError for missing, repeated or incomplete pages."""
    from dlt.common import jsonpath
    from dlt.common.configuration.specs import RuntimeConfiguration
    from dlt.sources.helpers.rest_client.client import RESTClient

    rest = RESTClient(source.url, {**source.headers, **secrets}, session=session, config=RuntimeConfiguration())
    previous: list[Any] = []
    received = 0
    response: Any = None
    pages = rest.paginate(
        params=parameters,
        paginator=_paginator(source.paging),
        data_selector=source.records,
        hooks={"response": [_check_response]},
    )
    for number, page in enumerate(pages, 1):
        response = page.response.json()
        if not jsonpath.find_values(source.records, response):
            raise SourceError(f"{where}: page {number} has nothing at {source.records}: {str(response)[:80]!r}")
        if page and list(page) == previous:
            raise SourceError(
                f"{where}: page {number} repeats the page before it. Does the API support the parameter for the "
                "next page? See `paging` of the source."
            )
        previous = list(page)
        yield from previous
        received += len(previous)
        if (secrets or source.parameters_env) and _server(str(page.request.url)) != _server(source.url):
            raise SourceError(
                f"{where}: page {number} leads to {urlsplit(str(page.request.url)).netloc}, another server, to which "
                "credentials are not sent. Use that server in the source's url."
            )
    if source.paging.kind == "offset" and source.paging.total is not None:
        total = jsonpath.find_values(source.paging.total, response)
        if total and int(total[0]) != received + (source.paging.first or 0):
            raise SourceError(f"{where}: {received:,} records were received, but the API reports {int(total[0]):,}")


def _check_redirect(url: str, where: str, request: Any, _response: Any) -> None:
    """Refuse a redirect to another server: requests would send it all headers but Authorization."""
    if _server(request.url) != _server(url):
        raise SourceError(
            f"{where} redirects to {urlsplit(request.url).netloc}, another server, to which credentials are not sent. "
            "Use that server in the source's url."
        )


def _server(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _check_response(response: Any, *_: Any, **__: Any) -> None:
    _ = response.content  # read before an error is raised, otherwise the connection stays open
    response.raise_for_status()


def _is_json(response: Any) -> bool:
    try:
        response.json()
    except ValueError:
        return False
    return True


def _paginator(paging: Paging) -> BasePaginator:
    from dlt.sources.helpers.rest_client import paginators

    if paging.kind == "page":
        return paginators.PageNumberPaginator(
            base_page=1 if paging.first is None else paging.first,
            page_param=paging.parameter or "page",
            total_path=paging.total,
        )
    if paging.kind == "offset":
        return paginators.OffsetPaginator(
            limit=paging.size or 0,
            offset=paging.first or 0,
            offset_param=paging.parameter or "offset",
            limit_param=paging.size_parameter or "limit",
            total_path=paging.total,
        )
    if paging.kind == "cursor":
        return paginators.JSONResponseCursorPaginator(paging.next or "", paging.parameter or "cursor")
    if paging.kind == "link":
        return paginators.JSONLinkPaginator(paging.next or "")
    return paginators.HeaderLinkPaginator() if paging.kind == "header" else paginators.SinglePagePaginator()
