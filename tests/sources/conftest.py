from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sources.postgres import binaries, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.sources.postgres import Server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    if binaries() is None:
        pytest.skip("there is no PostgreSQL: `make install`, or `apt-get install postgresql`")
    with running() as started:
        yield started
