"""What `score` costs besides the model: its time over that of ONNX Runtime alone on the ready matrix."""

from __future__ import annotations

import statistics
import time
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import onnxruntime

from benchmarks.measure import Figure
from fullcircle.base.columns import Array, Columns, take
from fullcircle.core import paths
from fullcircle.core.tables import read_columns
from fullcircle.features.transform import apply
from fullcircle.scoring.bundle import Bundle

if TYPE_CHECKING:
    from collections.abc import Callable

LIMITS = {1: 10.0, 100: 1.5, 10_000: None}
TURNS = 7  # in which both are timed, one after the other
SECONDS = 0.3  # of each


def measure() -> list[Figure]:
    """Time both by turns, on test rows of the flights. `dvc repro` makes the bundle."""
    scorer = Bundle.load(paths.BUNDLE).scorer
    test = read_columns(paths.TEST, list(scorer.plan.inputs))
    session = onnxruntime.InferenceSession(scorer.model, _one_thread(), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    figures = []
    for rows, limit in LIMITS.items():
        chunks = [take(test, np.arange(i * rows, (i + 1) * rows)) for i in range(min(50, 50_000 // rows))]
        ready = [apply(scorer.plan, chunk) for chunk in chunks]
        run = partial(_run, session, name)
        turns = [(_seconds(scorer.score, chunks), _seconds(run, ready)) for _ in range(TURNS)]
        ratios = [ours / theirs for ours, theirs in turns]
        ours, theirs = (statistics.median(side) * 1e3 for side in zip(*turns, strict=True))
        detail = f"{TURNS} turns: {min(ratios):.2f} to {max(ratios):.2f}; {ours:.3f} ms against {theirs:.3f} ms"
        value = statistics.median(ratios)
        figures.append(
            Figure(
                f"`score` of {rows:,} rows / ONNX Runtime on the ready matrix, time",
                value,
                "" if limit is None else f"<= {limit:g}",
                limit is None or value <= limit,
                detail,
            )
        )
    return figures


def _run(session: onnxruntime.InferenceSession, name: str, matrix: Array) -> object:
    return session.run(None, {name: matrix})


def _one_thread() -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return options


def _seconds(function: Callable[..., object], arguments: list[Columns] | list[Array]) -> float:
    """Seconds per call, the arguments in turn."""
    calls, start = 0, time.perf_counter()
    while time.perf_counter() - start < SECONDS:
        for argument in arguments:
            function(argument)
        calls += len(arguments)
    return (time.perf_counter() - start) / calls


if __name__ == "__main__":
    for figure in measure():
        print(figure)
