"""`fullcircle who`: each answer about a record, by which version, who was champion then, and its outcome."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fullcircle.base.errors import DataError
from fullcircle.commands.logs import key_of, moment
from fullcircle.log.bundles import logged_bundles
from fullcircle.log.reading import block_named, block_of_request, outcomes_in, places_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import sqlalchemy as sql

    from fullcircle.log.bundles import LoggedBundle
    from fullcircle.log.reading import Block
    from fullcircle.registry.tags import Tags


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer about a record.

    `version`, `commit`: of the registered version, where the bundle has one. `data`: SHA-256 of each raw table that it
    learnt from. `champion`: the version in the last stage when it was made, where there was one. `outcome`: None where
    it is not known.
    """

    made: float
    prediction: str
    request: str | None
    answer: dict[str, Any]
    bundle: str
    version: str
    commit: str | None
    data: dict[str, str]
    champion: str | None
    outcome: tuple[str, datetime] | None


def who(engine: sql.Engine, named: Sequence[str], tags: Tags, stage: str) -> list[Answered]:
    """The answers about a record, in the order of time.

    `named`: NAME=VALUE of each column that identifies it, or one prediction id. `stage`: of the champion. Raises
    DataError where nothing was answered about it, ConfigError for names that are none.
    """
    bundles = logged_bundles(engine)
    if not bundles:
        raise DataError("no bundle has answered yet: the prediction log is empty")
    if len(named) == 1 and "=" not in named[0]:
        block, place = _by_prediction(engine, named[0])
        key = block.keys[place]
        places = [(block.id, place)] if key is None else places_of(engine, key)
    else:
        keys = dict.fromkeys(key_of(named, each) for each in bundles.values() if each.problem == tags.model)
        places = sorted(place for key in keys for place in places_of(engine, key))
    if not places:
        raise DataError(f"nothing was answered about {' '.join(named)}")
    found = [_answered(engine, block_named(engine, name), place, bundles, tags, stage) for name, place in places]
    return sorted(found, key=lambda answer: (answer.made, answer.prediction))


def _by_prediction(engine: sql.Engine, prediction: str) -> tuple[Block, int]:
    request, _, row = prediction.partition("/")
    block = block_of_request(engine, request)
    name = f"{request}/{row or 0}"
    if block is None or name not in block.predictions:
        raise DataError(f"there is no prediction {prediction}: it is the x-prediction-id of an answer, / and a row")
    return block, block.predictions.index(name)


def _answered(
    engine: sql.Engine, block: Block, place: int, bundles: dict[str, LoggedBundle], tags: Tags, stage: str
) -> Answered:
    request = block.request_of(place)
    made = block.made[request]
    logged = bundles.get(block.bundle)
    version = tags.of_bundle(block.bundle)
    champion = tags.in_stage(stage, datetime.fromtimestamp(made, UTC))
    data = {} if logged is None else {t: o.get("sha256", "") for t, o in logged.provenance.get("data", {}).items()}
    return Answered(
        made,
        block.predictions[place],
        block.requests[request],
        {name: values[place] for name, values in block.answer.items()},
        block.bundle,
        "?" if logged is None else logged.version,
        None if version is None else version.commit,
        data,
        None if champion is None else str(champion.version),
        outcomes_in(engine, block)[place],
    )


def summary(answers: Sequence[Answered]) -> str:
    """The answers, one paragraph each, and the outcome."""
    lines = []
    for each in answers:
        answer = ", ".join(f"{name} {_short(value)}" for name, value in each.answer.items())
        by = f"version {each.version}, bundle {each.bundle[:12]}"
        by += f", commit {each.commit[:7]}" if each.commit else ", not registered"
        data = ", ".join(f"{table} {sha[:8]}" for table, sha in each.data.items())
        lines += [
            f"{moment(each.made)}  {answer}",
            f"  by        {by}",
            f"  learnt    {data or 'not recorded'}",
            f"  champion  {each.champion or 'none'}",
            f"  id        {each.prediction}" + (f", request {each.request}" if each.request else ""),
        ]
    known = next((each.outcome for each in answers if each.outcome is not None), None)
    lines.append("outcome: " + ("not known" if known is None else f"{known[0]}, since {known[1]:%Y-%m-%d %H:%M:%S}"))
    return "\n".join(lines)


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
