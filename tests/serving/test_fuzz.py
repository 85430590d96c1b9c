"""Many requests that are wrong, from the service's own description and from a fuzzer of bytes. None may harm it."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from fullcircle.serving.app import create_app
from fullcircle.serving.settings import Settings
from tests.serving.fuzzing import Fuzzer, fuzz

if TYPE_CHECKING:
    from pathlib import Path

    from fullcircle.scoring.bundle import Bundle
    from tests.serving.servers import Server

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def test_every_route_answers_as_it_is_described(server: Server) -> None:
    """Without schemathesis' plugin for pytest, which does not work with pytest 9.1."""
    described = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
    operations = [found.ok() for found in described.get_all_operations() if isinstance(found, Ok)]
    assert len(operations) > 12
    for operation in operations:

        @settings(max_examples=25, deadline=None, database=None, suppress_health_check=[*HealthCheck])
        @given(case=operation.as_strategy())
        def answers(case: Any) -> None:
            case.call_and_validate(checks=CHECKS)

        answers()


@pytest.fixture(scope="module")
def fuzzer(bundle: Bundle) -> Fuzzer:
    assert bundle.golden is not None
    return Fuzzer(dict(bundle.golden.rows[0]), "departures", ("flights", "weather"), 1)


def test_no_request_harms_the_service(server: Server, fuzzer: Fuzzer) -> None:
    sent, failures = fuzz(server.port, fuzzer, 1500)
    assert (sent, failures) == (1500, [])
    assert server.get("/health/ready").status == 200
    assert "Traceback" not in server.written()


def test_the_fuzzer_reaches_what_lies_behind_the_first_checks(server: Server, fuzzer: Fuzzer) -> None:
    seen = Counter(
        server.request(r.method, r.path, r.body, r.headers).status for r in (fuzzer.request() for _ in range(400))
    )
    assert seen.keys() >= {200, 400, 404, 405, 413, 415, 422} - {413}
    assert seen[200] > 20


def test_a_handler_that_is_broken_is_caught(folder: Path, fuzzer: Fuzzer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same fuzzer, on a service whose checks of values raise an error that nothing expects."""
    app = create_app(folder, Settings(log="errors"))

    def broken(*_: object, **__: object) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr("fullcircle.serving.v2.count_of", broken)
    configured = uvicorn.Config(app, port=0, log_level="critical", lifespan="on")
    server = uvicorn.Server(configured)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    while not server.started:
        pass
    try:
        port = server.servers[0].sockets[0].getsockname()[1]
        _, failures = fuzz(port, fuzzer, 200)
    finally:
        server.should_exit = True
        thread.join()
    assert failures
    assert all("/infer" in failure.sent.path and failure.why.startswith("500 ") for failure in failures)
    assert all("ZeroDivisionError" not in failure.why for failure in failures)
