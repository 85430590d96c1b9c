"""The command behind `fullcircle score` and behind the wheel's own script."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..base.errors import DataError, FullCircleError, listed
from .batch import Job
from .bundle import Bundle
from .csvfile import add_events, score_file
from .outputs import check_files

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..pointintime.state import State
    from .batch import Summary

SHOWN = 5


def run(
    bundle: str | Path,
    source: str | Path,
    out: str | Path,
    *,
    columns: str | None = None,
    events: Sequence[str] = (),
    ignore_extra: bool = False,
    score: Callable[[Job, Path, Path], Summary] = score_file,
) -> None:
    """Score `source` into `out` and report how many rows were scored; exit code 1 if none could be.

    `columns`: names, separated by commas, of columns to show beside the prediction. `events`: TABLE=FILE, past events
    and observations as CSV files, from which point-in-time columns are computed. `ignore_extra`: columns that the
    model does not take are ignored instead of refused.
    """
    try:
        sources = [Path(source), *(Path(given.partition("=")[2] or given) for given in events)]
        check_files(sources, Path(out), Path(bundle))
        loaded = Bundle.load(Path(bundle))
        state = state_of(loaded, events) if events else None
        names = None if columns is None else tuple(filter(None, columns.split(",")))
        summary = score(Job.of(loaded, names, state, ignore_extra=ignore_extra), Path(source), Path(out))
    except FullCircleError as error:
        sys.exit(f"score: {error}")
    except OSError as error:  # of reading, they are FullCircleErrors
        sys.exit(f"score: {out} cannot be written: {error.strerror or error}. It is as it was before.")
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
    if summary.outside:
        found = [f"{name} in {count:,} rows" for name, count in summary.outside.items()]
        print(f"outside what was seen in training: {listed(found, SHOWN)}", file=sys.stderr)
    if not summary.scored:
        sys.exit(1)


def state_of(bundle: Bundle, events: Sequence[str]) -> State:
    """A state that holds the rows of files, given as TABLE=FILE. Reports on stderr what was left out.

    Raises DataError and BundleError.
    """
    state = bundle.new_state(forget=False)
    for given in events:
        table, equals, file = given.partition("=")
        if not equals or not file:
            raise DataError(f"--events {given}: write it as TABLE=FILE, such as {state.spec.events}=past.csv")
        added = add_events(state, table, bundle.dialect, Path(file))
        for reason, count in added.rejected.items():
            print(f"{file}: {count:,} rows left out: {reason}", file=sys.stderr)
    return state
