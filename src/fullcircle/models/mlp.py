"""mlp: a small neural network on features that it fills, scales and bounds itself, stopped early on validation rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from fullcircle.base.columns import Array
from fullcircle.models.loss import loss
from fullcircle.models.scaling import Scaling, scaling_of
from fullcircle.scoring.scorer import Part

if TYPE_CHECKING:
    from fullcircle.models import OnRound
    from fullcircle.models.configs import MLPConfig
    from fullcircle.models.sample import Sample

Layers: TypeAlias = tuple[tuple[Array, Array], ...]
REACH = 4.0  # deviations; what is further away counts as this far, or one odd value would throw a network anywhere


@dataclass(frozen=True, slots=True)
class FittedMLP:
    """The network after the first `rounds` of its passes.

    `passes`: its layers after each pass that is kept, weights float32 (inputs, outputs) and biases float32 (outputs,);
    between them max(0, x). Where fewer are kept than `rounds`, the last counts.
    """

    scaling: Scaling
    passes: tuple[Layers, ...]
    rounds: int
    parts: tuple[Part, ...] = (Part("margin", 1.0),)

    @property
    def layers(self) -> Layers:
        """Weights and biases of each layer."""
        return self.passes[min(self.rounds, len(self.passes)) - 1]

    def margin(self, X: Array) -> Array:
        """Log odds, one score per class, or a number: float64 (rows, outputs)."""
        return forward(self.layers, bounded(self.scaling, X))

    def importance(self) -> Array:
        """Size of the first layer's weights: comparable, for the features are on one scale."""
        size = np.asarray(np.abs(self.layers[0][0]).sum(axis=1))
        return size / size.sum() if size.any() else size

    def onnx(self) -> bytes:
        """A matrix product a layer, in double."""
        from onnx import TensorProto, helper

        nodes, constants = self.scaling.nodes("scaled")
        nodes.append(helper.make_node("Clip", ["scaled", "low", "high"], ["layer0"]))
        constants += [helper.make_tensor(n, TensorProto.DOUBLE, (), [v]) for n, v in (("low", -REACH), ("high", REACH))]
        for i, (weights, bias) in enumerate(self.layers):
            last = i == len(self.layers) - 1
            nodes += [
                helper.make_node("MatMul", [f"layer{i}", f"weights{i}"], [f"product{i}"]),
                helper.make_node("Add", [f"product{i}", f"bias{i}"], ["margin" if last else f"sum{i}"]),
                *([] if last else [helper.make_node("Relu", [f"sum{i}"], [f"layer{i + 1}"])]),
            ]
            constants += [
                helper.make_tensor(f"weights{i}", TensorProto.DOUBLE, weights.shape, weights.ravel()),
                helper.make_tensor(f"bias{i}", TensorProto.DOUBLE, bias.shape, bias),
            ]
        graph = helper.make_graph(
            nodes,
            "mlp",
            [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, len(self.scaling.fill)])],
            [helper.make_tensor_value_info("margin", TensorProto.DOUBLE, [None, len(self.layers[-1][1])])],
            constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], producer_name="fullcircle")
        model.ir_version = 8
        return bytes(model.SerializeToString())


def bounded(scaling: Scaling, X: Array) -> Array:
    """Features in standard units, none further than `REACH` from 0: float64 (rows, features)."""
    return np.asarray(np.clip(scaling(X), -REACH, REACH))


def forward(layers: Layers, x: Array) -> Array:
    """The last layer's sums, float64 (rows, outputs), for scaled features `x`."""
    for weights, bias in layers[:-1]:
        x = np.maximum(x @ weights.astype(np.float64) + bias, 0)
    weights, bias = layers[-1]
    return np.asarray(x @ weights.astype(np.float64) + bias)


def fit(config: MLPConfig, train: Sample, validation: Sample, threads: int, on_round: OnRound) -> FittedMLP:
    """Pass over training rows until `patience` passes have not improved the loss on validation rows; keep the best."""
    train = train.thinned(config.max_rows)
    scaling = scaling_of(train.X)
    x, x_validation = bounded(scaling, train.X), bounded(scaling, validation.X)
    network = _network(config, train)
    best, rounds = np.inf, 0
    passes: list[Layers] = []
    for done in range(1, config.max_rounds + 1):
        _one_pass(network, x, train)
        passes.append(_layers(network, x))
        on_validation = loss(forward(passes[-1], x_validation), validation.y, train.n_classes)
        on_round(float(network.loss_), on_validation)
        if on_validation < best:
            best, rounds = on_validation, done
        if done - rounds >= config.patience:
            break
    return FittedMLP(scaling, tuple(passes), rounds)


def refit(config: MLPConfig, sample: Sample, fitted: FittedMLP, threads: int) -> FittedMLP:
    """Pass over all rows, up to `config.max_rows`, as often as `fitted` did."""
    sample = sample.thinned(config.max_rows)
    scaling = scaling_of(sample.X)
    x, network = bounded(scaling, sample.X), _network(config, sample)
    for _ in range(fitted.rounds):
        _one_pass(network, x, sample)
    return FittedMLP(scaling, (_layers(network, x),), fitted.rounds)


def _network(config: MLPConfig, sample: Sample) -> Any:
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    return (MLPClassifier if sample.n_classes else MLPRegressor)(
        hidden_layer_sizes=(config.width,) * config.layers,
        alpha=config.l2,
        batch_size=min(max(config.batch, -(-len(sample.y) // config.steps)), len(sample.y)),
        learning_rate_init=config.learning_rate,
        random_state=config.seed,
    )


def _one_pass(network: Any, x: Array, sample: Sample) -> None:
    if sample.n_classes:
        network.partial_fit(x, sample.y.astype(np.int64), classes=np.arange(sample.n_classes))
    else:
        network.partial_fit(x, sample.y.astype(np.float64))


def _layers(network: Any, x: Array) -> Layers:
    """The network's layers as they are now. What never changes in `x` has no say, where it had a random one."""
    weights = [w.astype(np.float32) for w in network.coefs_]
    weights[0][x.max(axis=0) == x.min(axis=0)] = 0
    return tuple((w, b.astype(np.float32)) for w, b in zip(weights, network.intercepts_, strict=True))
