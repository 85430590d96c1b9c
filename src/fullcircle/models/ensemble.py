"""ensemble: the margins of several models, blended by weights that validation rows choose."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from fullcircle.core.threads import parallel_map_blas
from fullcircle.models import Fitted, model_of
from fullcircle.models.configs import MemberConfig
from fullcircle.models.loss import loss
from fullcircle.scoring.scorer import Part, blended

if TYPE_CHECKING:
    from collections.abc import Sequence

    import onnx

    from fullcircle.base.columns import Array
    from fullcircle.models import OnRound
    from fullcircle.models.configs import EnsembleConfig
    from fullcircle.models.sample import Sample


@dataclass(frozen=True, slots=True)
class Member:
    """A fitted model of the blend. `place`: its position among the members that were configured, from 0."""

    place: int
    config: MemberConfig
    fitted: Fitted
    weight: float


@dataclass(frozen=True, slots=True)
class FittedEnsemble:
    """The members that were picked, in the order of the configuration; their weights add up to 1."""

    members: tuple[Member, ...]
    rounds: int | None = None

    @property
    def parts(self) -> tuple[Part, ...]:
        """One part a member, of the member's weight."""
        return tuple(replace(part, weight=member.weight) for member in self.members for part in member.fitted.parts)

    def margin(self, X: Array) -> Array:
        """Weighted sum of the members' margins, float64 (rows, outputs)."""
        return blended(self.parts, [member.fitted.margin(X) for member in self.members])

    def importance(self) -> Array:
        """Weighted mean of the members' own measures, of those that have one."""
        total = np.asarray(sum(member.weight * member.fitted.importance() for member in self.members))
        return total / total.sum() if total.any() else total

    def onnx(self) -> bytes:
        """The members' graphs side by side, an output each. They are weighted by the scorer, in float64."""
        return merged([member.fitted.onnx() for member in self.members])


def fit(config: EnsembleConfig, train: Sample, validation: Sample, threads: int, on_round: OnRound) -> FittedEnsemble:
    """Fit each member as it would be fitted alone, then choose weights on validation rows; drop those of weight 0.

    Of more training rows than `config.max_rows`, as many are taken, evenly spaced. Members are fitted side by side,
    `threads` at a time, with a thread each: most are too small for two threads to be quicker than one.

    `on_round` is not called: members have rounds of their own, and an ensemble has none.
    """
    train = train.thinned(config.max_rows)

    def fit_one(member: MemberConfig) -> Fitted:
        return model_of(member).fit(member, replace(train, made={}), replace(validation, made={}), 1, unknown_names)

    fitted = parallel_map_blas(fit_one, config.members, threads)
    picked = weights_of(config, [estimator.margin(validation.X) for estimator in fitted], validation)
    members = [Member(place, config.members[place], fitted[place], weight) for place, weight in picked.items()]
    return FittedEnsemble(tuple(members))


def refit(config: EnsembleConfig, sample: Sample, fitted: FittedEnsemble, threads: int) -> FittedEnsemble:
    """Fit the picked members on all rows, up to `config.max_rows`; weights stay."""
    sample = sample.thinned(config.max_rows)

    def refit_one(member: Member) -> Member:
        again = model_of(member.config).refit(member.config, replace(sample, made={}), member.fitted, 1)
        return replace(member, fitted=again)

    return FittedEnsemble(tuple(parallel_map_blas(refit_one, fitted.members, threads)))


def weights_of(config: EnsembleConfig, margins: Sequence[Array], sample: Sample) -> dict[int, float]:
    """The weight of each member that is picked, by its place; `margins`: each member's of the rows of `sample`."""
    picked = pick(margins, sample.y, sample.n_classes, config.picks)
    return {place: count / config.picks for place, count in enumerate(picked) if count}


def pick(margins: Sequence[Array], y: Array, n_classes: int, picks: int) -> list[int]:
    """How often each of `margins`, float64 (rows, outputs), is picked for a mean that predicts `y` (rows,) well.

    Greedy selection with replacement (Caruana et al. 2004, Ensemble Selection from Libraries of Models): each of
    `picks` times the one is added whose mean with those picked before has the lowest loss of the task. A tie goes to
    the earlier; losses that differ after the twelfth decimal are a tie, for such bits depend on the machine.
    """
    counts, total = [0] * len(margins), np.zeros_like(margins[0])
    for size in range(1, picks + 1):
        losses = [round(loss((total + margin) / size, y, n_classes), 12) for margin in margins]
        best = losses.index(min(losses))
        counts[best] += 1
        total += margins[best]
    return counts


def merged(graphs: Sequence[bytes]) -> bytes:
    """One ONNX graph of several that take `features`: it gives the last output of each, in order.

    Each graph's names are prefixed by its position. Raises ValueError if two of them mean different versions of
    the same operators.
    """
    import onnx
    from onnx import helper

    models = [onnx.load_model_from_string(graph) for graph in graphs]
    versions: dict[str, int] = {}
    for opset in (opset for model in models for opset in model.opset_import):
        if versions.setdefault(opset.domain, opset.version) != opset.version:
            raise ValueError(f"members need versions {versions[opset.domain]} and {opset.version} of {opset.domain!r}")
    for position, model in enumerate(models):
        _prefix(model.graph, f"member{position}_")
    whole = helper.make_graph(
        [node for model in models for node in model.graph.node],
        "ensemble",
        [models[0].graph.input[0]],
        [model.graph.output[-1] for model in models],
        [constant for model in models for constant in model.graph.initializer],
    )
    opsets = [helper.make_opsetid(domain, version) for domain, version in sorted(versions.items())]
    model = helper.make_model(whole, opset_imports=opsets, producer_name="fullcircle")
    model.ir_version = max(model.ir_version for model in models)
    return bytes(model.SerializeToString())


def _prefix(graph: onnx.GraphProto, prefix: str) -> None:
    """Prefix every name but `features`; what has none, such as an input that is left out, gets none."""

    def renamed(name: str) -> str:
        return name if name in ("features", "") else prefix + name

    for node in graph.node:
        node.input[:], node.output[:] = map(renamed, node.input), map(renamed, node.output)
    for named in (*graph.node, *graph.initializer, *graph.output):
        named.name = renamed(named.name)


def unknown_names(train: float, validation: float) -> None:
    """An `on_round` that keeps nothing."""
