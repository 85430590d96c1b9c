"""The command behind `fullcircle score` and behind the wheel's own script."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..base.errors import FullCircleError
from .bundle import dialect_of, load
from .csvfile import score_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..base.dialect import Dialect
    from .batch import Summary
    from .scorer import Scorer

SHOWN = 5


def run(
    bundle: str | Path,
    source: str | Path,
    out: str | Path,
    score: Callable[[Scorer, Dialect, Path, Path], Summary] = score_file,
) -> None:
    """Score `source` into `out` and say what became of the rows; exit code 1 if none could be scored."""
    try:
        scorer = load(Path(bundle))
        summary = score(scorer, dialect_of(Path(bundle)), Path(source), Path(out))
    except FullCircleError as error:
        sys.exit(f"score: {error}")
    print(f"{summary.scored:,} rows scored into {out}")
    if summary.rejected:
        lines = [f"  {count:,} rows: {why}" for why, count in list(summary.reasons.items())[:SHOWN]]
        more = len(summary.reasons) - SHOWN
        lines += [f"  and {more:,} other reasons"] if more > 0 else []
        print(
            f"{summary.rejected:,} rows set aside into {summary.rejected_file}",
            *lines,
            sep="\n",
            file=sys.stderr,
        )
    if not summary.scored:
        sys.exit(1)
