"""The learning curve, logged by DVCLive while a model is fitted."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import count
from sqlite3 import OperationalError
from typing import TYPE_CHECKING

from fullcircle.base.errors import DataError
from fullcircle.base.files import write_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fullcircle.models import OnRound

SPLITS = ("train", "validation")


@contextmanager
def learning_curve(folder: Path) -> Iterator[OnRound]:
    """Yield a function that logs a round's losses into `folder`.

    DVCLive neither saves an experiment nor writes dvc.yaml: the pipeline declares its plots by hand. A model without
    rounds leaves the two files of the curve without rows, because DVC complains about a plot whose file is missing.
    """
    from dvclive.live import Live  # half a second of import, which no other stage needs

    try:
        made = Live(str(folder), save_dvc_exp=False, dvcyaml=None, report=None)
    except OperationalError as error:  # of DVC's database of what it has seen, which DVCLive opens
        raise DataError(f"DVC cannot write its own files: {error}. Make room, and run it again") from None
    with made as live:
        rounds = count()

        def on_round(train: float, validation: float) -> None:
            live.step = next(rounds)  # next_step would also write a summary each time: a second in all
            for split, loss in zip(SPLITS, (train, validation), strict=True):
                live.log_metric(split, float(f"{loss:.6g}"))

        yield on_round
    for split in SPLITS:
        file = folder / "plots" / "metrics" / f"{split}.tsv"
        if not file.exists():
            write_text(file, f"step\t{split}\n")
