"""Checks of the problem's features against the schema: what a feature may use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fullcircle.base.errors import ConfigError
from fullcircle.features import HOMES, arguments, unknown
from fullcircle.features.encoders import ENCODINGS, Kind

if TYPE_CHECKING:
    from fullcircle.base.checks import Column
    from fullcircle.core.problem import Features, Lookup
    from fullcircle.core.schema import Schema


def check_features(features: Features, lookups: tuple[Lookup, ...], schema: Schema) -> None:
    """Refuse a feature of a column that does not exist or is not known at the moment of prediction.

    Also refuses created features that do not exist, encodings that do not fit a column's kind, and names that hide
    an input. Raises ConfigError.
    """
    looked_up = {name for lookup in lookups for name in lookup.columns.values()}
    if hidden := sorted(looked_up & schema.inputs.keys()):
        raise ConfigError(f"problem.lookups: {', '.join(hidden)} would hide an input of that name; give it another")
    if "target" in schema.inputs | dict.fromkeys(looked_up):
        raise ConfigError("an input or a looked-up column is named target, like the target itself; rename it")
    check_created(features.created, looked_up | schema.inputs.keys())
    keys = [
        (f"lookup in {lookup.table}", c) for lookup in lookups for c in (lookup.key, lookup.fallback) if c is not None
    ]
    pairs = (*features.ratios, *features.differences, *features.groups)
    uses = [(name, name) for name in features.columns] + [(n, a) for n in features.created for a in arguments(n)]
    uses += [(f"[{', '.join(pair)}]", name) for pair in pairs for name in pair if name not in features.created]
    uses = [(feature, column) for feature, column in uses if column not in looked_up] + keys
    for feature, column in uses:
        if column in schema.inputs:
            continue
        if column in schema.outcomes:
            raise ConfigError(f"problem.features: {feature} uses {column}, which is not known {schema.moment}")
        raise ConfigError(
            f"problem.features: {feature} uses {column}, which is no input. Inputs: {', '.join(schema.inputs)}"
        )
    for feature, column in keys:
        if schema.inputs[column].kind != "category":
            raise ConfigError(
                f"problem.lookups: {feature} goes by {column}, a {schema.inputs[column].kind}; it takes a category"
            )
    check_kinds(features, kinds_of(schema.inputs) | dict.fromkeys(looked_up, "number"))


def check_created(names: tuple[str, ...], columns: set[str]) -> None:
    """Refuse a created feature that is no function, is defined twice, or hides one of `columns`. Raises ConfigError."""
    if absent := unknown(names):
        raise ConfigError(f"problem.features.created: no such function: {absent}")
    if several := [f"{name} ({', '.join(HOMES[name])})" for name in names if len(HOMES[name]) > 1]:
        raise ConfigError(
            f"problem.features.created: more than one function of the name: {', '.join(several)}; rename one"
        )
    if hidden := sorted(columns & set(names)):
        raise ConfigError(f"problem.features.created: {', '.join(hidden)} would hide a column of that name; rename it")


def check_kinds(features: Features, kinds: dict[str, Kind]) -> None:
    """Refuse what a column's kind does not allow; a column without an entry in `kinds` (a created one) passes."""
    for name, encodings in features.encode.items():
        for encoding in encodings:
            if name in kinds and encoding not in ENCODINGS[kinds[name]]:
                allowed = ", ".join(ENCODINGS[kinds[name]])
                raise ConfigError(f"problem.features.encode.{name}: {encoding} is not for a {kinds[name]}: {allowed}")
    for where, pairs, wanted in (
        ("ratios", features.ratios, {("number", "number")}),
        ("differences", features.differences, {("number", "number"), ("time", "time")}),
        ("groups", features.groups, {("number", "category")}),
    ):
        for pair in pairs:
            found = tuple(kinds.get(name) for name in pair)
            if None not in found and found not in wanted:
                takes = " or ".join(f"a {first} and a {second}" for first, second in sorted(wanted))
                raise ConfigError(
                    f"problem.features.{where}: [{', '.join(pair)}] is a {found[0]} and a {found[1]}; it takes {takes}"
                )


def kinds_of(inputs: dict[str, Column]) -> dict[str, Kind]:
    """Kinds of inputs as encoders know them: an integer is a number."""
    return {name: "number" if column.kind == "integer" else column.kind for name, column in inputs.items()}
