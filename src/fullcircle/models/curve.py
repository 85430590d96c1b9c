"""The learning curve, logged by DVCLive while a model is fitted."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fullcircle.models import OnRound


@contextmanager
def learning_curve(folder: Path) -> Iterator[OnRound]:
    """Give a function that logs a round's log losses into `folder`.

    DVCLive neither saves an experiment nor writes dvc.yaml: the pipeline declares its plots by hand.
    """
    from dvclive.live import Live

    with Live(str(folder), save_dvc_exp=False, dvcyaml=None, report=None) as live:
        rounds = count()

        def on_round(train: float, validation: float) -> None:
            live.step = next(rounds)  # next_step would also write a summary each time: a second in all
            live.log_metric("train", float(f"{train:.6g}"))
            live.log_metric("validation", float(f"{validation:.6g}"))

        yield on_round
