"""`fullcircle replay`: scores logged requests again with the bundles that answered, and compares to the last bit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fullcircle.commands.logs import moment
from fullcircle.log.reading import blocks, columns_of

if TYPE_CHECKING:
    from collections.abc import Callable

    import sqlalchemy as sql

    from fullcircle.log.reading import Block
    from fullcircle.scoring.bundle import Bundle


@dataclass(slots=True)
class Replayed:
    """Rows that were answered the same, and rows that were not; and rows that could not be scored, by reason.

    `other`: the first few answers that differ, in words.
    """

    same: int = 0
    different: int = 0
    bundles: dict[str, int] = field(default_factory=dict)
    not_scored: dict[str, int] = field(default_factory=dict)
    other: list[str] = field(default_factory=list)


def replay(engine: sql.Engine, start: float, stop: float, bundle_of: Callable[[str], Bundle | str]) -> Replayed:
    """Score the requests made in a span of time again. `bundle_of`: bundle id -> bundle, or why it is not available."""
    result = Replayed()
    loaded: dict[str, Bundle | str] = {}
    for block in blocks(engine, start, stop):
        if block.bundle not in loaded:
            loaded[block.bundle] = bundle_of(block.bundle)
        bundle, count = loaded[block.bundle], len(block.keys)
        result.bundles[block.bundle] = result.bundles.get(block.bundle, 0) + count
        if isinstance(bundle, str):
            result.not_scored[bundle] = result.not_scored.get(bundle, 0) + count
            continue
        redacted = [name for name in bundle.scorer.plan.inputs if name not in block.inputs]
        if redacted:
            why = f"{', '.join(redacted)} is not in the log (redacted)"
            result.not_scored[why] = result.not_scored.get(why, 0) + count
        elif count:
            _compare(block, bundle, result)
    return result


def _compare(block: Block, bundle: Bundle, result: Replayed) -> None:
    scored = bundle.scorer.score(columns_of(block, bundle.scorer.plan.inputs))
    found = {name: values.tolist() for name, values in scored.columns.items()}
    answered = {at: place for place, at in enumerate(scored.kept.tolist())}
    for at, name in enumerate(block.predictions):
        was = {column: values[at] for column, values in block.answer.items()}
        now = {column: found[column][answered[at]] for column in found} if at in answered else None
        if was == now:
            result.same += 1
            continue
        result.different += 1
        if len(result.other) < 5:
            when = moment(block.made[block.request_of(at)])
            result.other.append(f"{name}, {when}: {_short(was)} then, {_short(now)} now")


def _short(answer: dict[str, object] | None) -> str:
    return "set aside" if answer is None else ", ".join(f"{name} {value}" for name, value in answer.items())


def summary(found: Replayed, day: str) -> str:
    """The result of a replay, in words."""
    total = sum(found.bundles.values())
    if not total:
        return f"{day}: nothing was answered"
    named = ", ".join(f"{name[:12]} ({count:,})" for name, count in found.bundles.items())
    lines = [f"{day}: {total:,} answers by {len(found.bundles)} bundle{'s' * (len(found.bundles) > 1)}: {named}"]
    scored = found.same + found.different
    if scored:
        lines.append(f"{found.same:,} of {scored:,} that were scored again are the same to the last bit")
    lines += [f"  {line}" for line in found.other]
    lines += [f"{count:,} were not scored again: {why}" for why, count in found.not_scored.items()]
    return "\n".join(lines)
