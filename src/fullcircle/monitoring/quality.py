"""Quality of the data of a window: nulls, values that training did not have, rows set aside; each against chance."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from fullcircle.base.columns import Array
from fullcircle.monitoring.bins import NULL, OUTSIDE
from fullcircle.monitoring.draws import (
    DRAWS,
    compare,
    distance,
    drawn_shares,
    noise_of,
    note_of,
    plan_draws,
    row_spread,
    seeded,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fullcircle.monitoring.baseline import Baseline
    from fullcircle.monitoring.window import Window

MOST_REASONS = 20
RECORDS = 4  # deviations of the pooled distance of values outside that count as one


@dataclass(frozen=True, slots=True)
class Measure:
    """One share of rows. `name`: of the column, or the reason.

    `what`: `null`; `unknown`, a level that no training row had; `outside`, a number below the least or above the
    largest of training; `set aside`, a row that the scorer refused. `share`, `usual`: of the window and of training,
    0 to 1; none of the training rows is refused, for `clean` has removed those. A row of training counts as unknown or
    outside if its value is in its own group only: so many are to be expected of a new group. `unusual`: above what
    chance does, with `p_value` of all measures together. `examples`: unknown levels, the most frequent first.
    """

    name: str
    what: Literal["null", "unknown", "outside", "set aside"]
    rows: int
    share: float
    usual: float
    p_value: float
    unusual: bool
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Quality:
    """The quality of a window: `rows` that were scored, and rows `set_aside`. `measures`: the least likely first."""

    rows: int
    set_aside: int
    measures: tuple[Measure, ...]
    note: str = ""

    @property
    def unusual(self) -> tuple[Measure, ...]:
        """The measures that are unusual."""
        return tuple(measure for measure in self.measures if measure.unusual)


@dataclass(frozen=True, slots=True)
class _Found:
    """A measure and the shares that chance draws, float64 (draws,)."""

    name: str
    what: Literal["null", "unknown", "outside", "set aside"]
    rows: int
    of: int
    usual: float
    drawn: Array
    examples: tuple[str, ...] = ()


def quality(
    baseline: Baseline,
    window: Window,
    reasons: Sequence[str] = (),
    *,
    false_alarm: float,
    seed: int,
    draws: int = DRAWS,
) -> Quality:
    """Compare the shares of null, unknown and outside values and of refused rows with the baseline.

    `reasons`: one per row that was set aside, as `Scored.reasons` has them; a row may have several, joined by `; `.
    `false_alarm`: the probability that a window of usual quality has an unusual measure. Raises ConfigError as
    `draws.compare` does.
    """
    found = [
        *(_of_inputs(baseline, window, draws, seed) if window.rows else ()),
        *_of_reasons(baseline, window, reasons, draws, seed),
    ]
    if not found:
        return Quality(window.rows, len(reasons), ())
    base = int(next(iter(baseline.train.values())).total.sum())
    share = np.array([measure.rows / measure.of for measure in found])
    usual = np.array([measure.usual for measure in found])
    effect = distance(_pair(share), _pair(usual))
    drawn = np.stack([distance(_pair(measure.drawn), _pair(measure.usual)) for measure in found])
    least = np.array([row_spread(measure.of, base) for measure in found])
    records = np.array([measure.what == "outside" for measure in found])
    if records.any():  # a column has two records, which say little of the next one: those of all columns say more
        least[records] = np.maximum(least[records], RECORDS * np.sqrt((drawn[records].std(axis=1) ** 2).mean()))
    p_value = compare(effect, drawn, least, false_alarm).p_value
    measures = [
        Measure(
            m.name,
            m.what,
            m.rows,
            float(share[i]),
            m.usual,
            float(p_value[i]),
            bool(p_value[i] <= false_alarm),
            m.examples,
        )
        for i, m in enumerate(found)
    ]
    order = sorted(measures, key=lambda m: (m.p_value, -m.share, m.name, m.what))
    return Quality(window.rows, len(reasons), tuple(order), note_of(next(iter(baseline.train.values()))))


def _pair(share: Array | float) -> Array:
    """A share and its rest, float64 (..., 2)."""
    return np.stack([np.asarray(share), 1 - np.asarray(share)], axis=-1)


def _of_inputs(baseline: Baseline, window: Window, draws: int, seed: int) -> list[_Found]:
    plan = plan_draws(next(iter(baseline.train.values())), window.groups, draws, seeded(seed, "groups of inputs"))
    found = []
    for name, base in baseline.train.items():
        tally, total = window.inputs[name], max(1, int(base.total.sum()))
        shares = drawn_shares(plan, base, seeded(seed, f"input {name}"))
        usual = base.total / total
        rows = int(tally.counts[NULL])
        found.append(_Found(name, "null", rows, window.rows, float(usual[NULL]), shares[:, NULL]))
        if base.bins.kind in ("number", "category"):
            rows, what = int(tally.counts[OUTSIDE]), "unknown" if base.bins.kind == "category" else "outside"
            examples = tally.outside if what == "unknown" else ()
            found.append(
                _Found(name, what, rows, window.rows, float(usual[OUTSIDE]), shares[:, OUTSIDE], examples)  # type: ignore[arg-type]
            )
    return found


def _of_reasons(baseline: Baseline, window: Window, reasons: Sequence[str], draws: int, seed: int) -> list[_Found]:
    """Refused rows by reason: no row of the baseline has one, so chance is what half a row of it would do."""
    if not reasons:
        return []
    rows = window.rows + len(reasons)
    base = int(next(iter(baseline.train.values())).total.sum())
    counts = Counter(reason for text in reasons for reason in dict.fromkeys(text.split("; ")))
    effective = max(1, min(2**50, round(1 / noise_of(rows, base))))
    found = []
    for reason, count in counts.most_common(MOST_REASONS):
        drawn = seeded(seed, f"reason {reason}").binomial(effective, 0.5 / (base + 1), draws) / effective
        found.append(_Found(reason, "set aside", count, rows, 0.0, drawn))
    return found
