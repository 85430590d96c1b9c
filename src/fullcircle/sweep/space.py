"""The search space: Hydra's override grammar, read by Hydra's parser -> Optuna's distributions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import TYPE_CHECKING, Any, TypeAlias

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, IntervalSweep, QuotedString, RangeSweep
from hydra.errors import HydraException
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from fullcircle.base.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from optuna.trial import BaseTrial

Distribution: TypeAlias = CategoricalDistribution | IntDistribution | FloatDistribution
DIGITS = 4  # significant digits of a number drawn from an interval, so that params.yaml holds the exact value


@dataclass(frozen=True, slots=True)
class Dimension:
    """One swept parameter: its `key` in params.yaml (or a group of conf/), and the `text` of its override."""

    key: str
    text: str
    distribution: Distribution

    @property
    def bounds(self) -> list[Any]:
        """The lowest and the highest value; all values of a choice."""
        if isinstance(self.distribution, CategoricalDistribution):
            return list(self.distribution.choices)
        return [self.distribution.low, self.distribution.high]

    @property
    def log(self) -> bool:
        """Whether the scale is logarithmic."""
        return bool(getattr(self.distribution, "log", False))

    def grid(self) -> list[Any]:
        """All values, in order. Raises ConfigError for an interval, which has infinitely many."""
        found = self.distribution
        if isinstance(found, CategoricalDistribution):
            return list(found.choices)
        if found.step is None:
            raise ConfigError(f"sweep.space.{self.key}: a grid needs choice or range, not `{self.text}`")
        steps = math.floor((found.high - found.low) / found.step + 1e-9)
        return [_rounded(found.low + i * found.step) for i in range(steps + 1)]


@dataclass(frozen=True, slots=True)
class Space:
    """`always`: searched in every trial. `conditional`: GROUP=CHOICE -> searched if the trial draws that choice."""

    always: tuple[Dimension, ...]
    conditional: dict[str, tuple[Dimension, ...]]

    @property
    def dimensions(self) -> list[Dimension]:
        """All dimensions; a key may occur under several choices."""
        return [*self.always, *(d for part in self.conditional.values() for d in part)]

    @property
    def texts(self) -> dict[str, str]:
        """Key -> the text of its override; both texts for a key of two choices."""
        texts: dict[str, list[str]] = {}
        for dimension in self.dimensions:
            texts.setdefault(dimension.key, []).append(dimension.text)
        return {key: " or ".join(dict.fromkeys(found)) for key, found in texts.items()}

    @property
    def log(self) -> tuple[str, ...]:
        """The keys with a logarithmic scale under every choice that has them."""
        linear = {d.key for d in self.dimensions if not d.log}
        return tuple(key for key in self.texts if key not in linear)

    def draw(self, trial: BaseTrial) -> dict[str, Any]:
        """A value for every key that the trial searches."""
        drawn = {d.key: _suggested(trial, d.key, d) for d in self.always}
        for key, value in list(drawn.items()):
            drawn |= {d.key: _suggested(trial, name, d) for name, d in self._of_choice(key, value)}
        return drawn

    def grid(self) -> list[dict[str, Any]]:
        """Every point, as parameters of Optuna. Raises ConfigError for an interval."""
        points = []
        for chosen in _products({d.key: d.grid() for d in self.always}):
            conditional = [pair for key, value in chosen.items() for pair in self._of_choice(key, value)]
            points += [chosen | more for more in _products({name: d.grid() for name, d in conditional})]
        return points

    def _of_choice(self, key: str, value: Any) -> list[tuple[str, Dimension]]:
        """The dimensions of one choice, with their names in Optuna: a key may have another range per choice."""
        condition = f"{key}={value}"
        return [(f"{condition}: {d.key}", d) for d in self.conditional.get(condition, ())]


def parse(space: dict[str, Any]) -> Space:
    """Parse `sweep.space`: key -> text, or GROUP=CHOICE -> a space for that choice. Raises ConfigError."""
    always = tuple(dimension(key, str(text)) for key, text in space.items() if not isinstance(text, dict))
    conditional = {
        condition: tuple(dimension(key, str(text)) for key, text in part.items())
        for condition, part in space.items()
        if isinstance(part, dict)
    }
    if not always:
        raise ConfigError("sweep.space is empty; name a parameter, such as `model.max_depth: range(3, 11)`")
    chosen = {f"{d.key}={value}" for d in always for value in d.bounds}
    if unknown := sorted(conditional.keys() - chosen):
        raise ConfigError(f"sweep.space.{unknown[0]}: no trial draws it; the choices are {', '.join(sorted(chosen))}")
    return Space(always, conditional)


def dimension(key: str, text: str) -> Dimension:
    """Parse one key and its text, such as `tag(log, interval(0.01, 0.3))`. Raises ConfigError with the key."""
    where = f"sweep.space.{key}: `{text}`"
    try:
        value = _parser().parse_override(f"{key}={text}").value()
    except HydraException as error:
        raise ConfigError(f"{where} cannot be read: {str(error).splitlines()[0]}") from None
    try:
        if isinstance(value, ChoiceSweep):
            return Dimension(key, text, CategoricalDistribution([_plain(v) for v in value.list]))
        if isinstance(value, RangeSweep):
            return Dimension(key, text, _range(value))
        if isinstance(value, IntervalSweep):
            return Dimension(key, text, _interval(value))
    except ValueError as error:
        raise ConfigError(f"{where}: {error}") from None
    raise ConfigError(f"{where} is a single value; write choice(…), range(…) or interval(…)")


def _range(value: RangeSweep) -> Distribution:
    values = [*value.range()]
    if not values:
        raise ValueError("is empty; a range excludes its second number")
    low, high, step, log = values[0], values[-1], value.step, "log" in value.tags
    if all(isinstance(v, int) for v in values):
        return IntDistribution(low, high, log=log, step=int(step))
    if log:
        raise ValueError("a range of fractions cannot be logarithmic; write tag(log, interval(…))")
    return FloatDistribution(float(low), float(high), step=float(step))


def _interval(value: IntervalSweep) -> Distribution:
    low: Any = value.start
    high: Any = value.end
    log = "log" in value.tags
    if low is None or high is None:
        raise ValueError("needs two bounds")
    if isinstance(low, float) or isinstance(high, float):
        return FloatDistribution(float(low), float(high), log=log)
    return IntDistribution(low, high, log=log)


def _plain(value: Any) -> Any:
    value = value.text if isinstance(value, QuotedString) else value
    if not isinstance(value, (bool, int, float, str)):
        raise ValueError(  # noqa: TRY004  reported with the key, as other wrong values are
            f"a choice must be a number, text, true or false, not {value}"
        )
    return value


def _suggested(trial: BaseTrial, name: str, dimension: Dimension) -> Any:
    found = dimension.distribution
    if isinstance(found, CategoricalDistribution):
        return trial.suggest_categorical(name, found.choices)
    if isinstance(found, IntDistribution):
        return trial.suggest_int(name, found.low, found.high, step=found.step, log=found.log)
    return _rounded(trial.suggest_float(name, found.low, found.high, step=found.step, log=found.log))


def _rounded(value: float) -> Any:
    return value if isinstance(value, int) else float(f"{value:.{DIGITS}g}")


def _products(values: dict[str, list[Any]]) -> Iterator[dict[str, Any]]:
    return (dict(zip(values, point, strict=True)) for point in product(*values.values()))


@cache
def _parser() -> OverridesParser:
    return OverridesParser.create()
