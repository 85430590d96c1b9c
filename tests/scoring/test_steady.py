"""A scorer that is loaded once answers many calls: from several threads, and in flat memory."""

from __future__ import annotations

import resource
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from fullcircle.base.columns import take
from tests.builders import MODELS, labelled, only_inputs, trained


@pytest.mark.parametrize("name", MODELS)
def test_eight_threads_get_the_same_bytes(name: str) -> None:
    scorer, columns = trained(name).scorer, only_inputs(labelled(400, seed=7))
    parts = [take(columns, np.arange(start, start + 25)) for start in range(0, 400, 25)]
    expected = [scorer.score(part).predicted.tobytes() for part in parts]
    with ThreadPoolExecutor(8) as pool:
        found = [*pool.map(lambda part: scorer.score(part).predicted.tobytes(), parts * 10)]
    assert found == expected * 10


def held() -> int:
    """Bytes of memory that this process has now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def test_many_calls_take_no_more_memory_than_some() -> None:
    scorer, columns = trained("xgboost").scorer, only_inputs(labelled(400, seed=7))

    def after(calls: int) -> int:
        for _ in range(calls):
            scorer.score(columns)
        return held()

    before = after(200)
    assert after(2_000) - before < 8 << 20  # a call that kept its matrix would take 50 MiB
