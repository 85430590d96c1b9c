from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fullcircle.core import paths
from fullcircle.core.tables import read_columns
from fullcircle.packaging.golden import records, spaced
from fullcircle.scoring.bundle import Bundle
from tests.serving.servers import ENVIRONMENT, Server, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Project


@pytest.fixture(scope="session")
def folder(reproduced: Project) -> Path:
    ENVIRONMENT["PYTHONPATH"] = str(reproduced.folder / "src")
    return reproduced.folder / paths.BUNDLE


@pytest.fixture(scope="session")
def bundle(folder: Path) -> Bundle:
    return Bundle.load(folder)


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Server]:
    with serving(folder) as made:
        yield made


@pytest.fixture(scope="session")
def rows(reproduced: Project, bundle: Bundle) -> list[dict[str, Any]]:
    """A thousand test rows as JSON values, with all inputs."""
    inputs = bundle.scorer.plan.inputs
    return records(spaced(read_columns(reproduced.folder / paths.TEST, [*inputs]), 1000), inputs)


@pytest.fixture(scope="session")
def predicted(bundle: Bundle, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the scorer predicts of `rows`."""
    scored = bundle.score(rows)
    assert len(scored.kept) == len(rows)
    columns = {name: values.tolist() for name, values in scored.columns.items()}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
