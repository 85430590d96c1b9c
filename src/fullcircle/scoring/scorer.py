"""The scorer: raw input columns in, calibrated predictions out. What was validated is, byte for byte, what answers."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import onnxruntime

from ..base.arrays import as_columns
from ..base.checks import Checked, Checks, nulls
from ..base.columns import Array, Columns, rows, take
from ..base.errors import BundleError, ConfigError, DataError, FullCircleError, difference
from ..base.files import read_json, write_text
from ..base.threads import parallel_map
from ..base.typed import build, plain
from ..features.plan import PLAN, Plan, write_plan
from ..features.transform import Transform
from .graph import check_graph
from .predictions import Calibration, log_odds, outputs_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FORMAT = 3
SPEC, MODEL = "scorer.json", "model.onnx"
BATCH = 16384  # rows; bounds the memory of one call
CELLS = 2**26  # numbers of a layer of the graph; likewise


@dataclass(frozen=True, slots=True)
class Part:
    """One output of the ONNX graph: a `margin`, or a `probability` (of the positive class, or one per class).

    `weight`: what its margin counts for in the model's, above 0 and up to 1.
    """

    output: Literal["margin", "probability"]
    weight: float

    def __post_init__(self) -> None:
        if not 0 < self.weight <= 1:
            raise ValueError(f"weight {self.weight:g} is outside 0..1, or 0")


@dataclass(frozen=True, slots=True)
class ScorerSpec:
    """How the model's outputs become a forecast.

    `parts`: the last outputs of the ONNX graph, in order; the model's margin is the weighted sum of theirs.
    `answer`: what the margin means.
    """

    format: int
    parts: tuple[Part, ...]
    calibration: Calibration

    def __post_init__(self) -> None:
        if self.format != FORMAT:
            raise BundleError(f"the scorer is of format {self.format}, and this version reads format {FORMAT}")
        if not abs(sum(part.weight for part in self.parts) - 1) < 1e-9:
            raise ValueError(f"the weights of the parts must add up to 1: {[part.weight for part in self.parts]}")


@dataclass(frozen=True, slots=True)
class Scored:
    """Rows that were scored. `kept`: their positions; all others are of these rows, in the same order.

    `predicted`: float64 (rows, outputs). `columns`: the prediction in words: `prediction` first, then probabilities or
    the ends of an interval. `record`: columns that identify the rows. `reasons`: why each row that is not among `kept`
    was set aside, in the order of the rows. `inputs`: what was scored, as it was before the checks: scored again, it
    gives the same predictions.
    """

    kept: Array
    predicted: Array
    columns: dict[str, Array]
    reasons: list[str]
    record: Columns = field(default_factory=dict)
    inputs: Columns = field(default_factory=dict)


class Scorer:
    """A model with its features and its calibration. Made by `train`, loaded from a folder or a bundle."""

    def __init__(self, plan: Plan, spec: ScorerSpec, model: bytes) -> None:
        self.plan, self.spec, self.model = plan, spec, model
        self._checks, self._transform = Checks(plan.inputs), Transform(plan)
        self._kinds = {name: column.kind for name, column in plan.inputs.items()}
        self._outputs_per_row = outputs_of(len(spec.calibration.classes))
        widest = check_graph(model, len(plan.selected))
        self._batch = max(1, CELLS // widest)
        options = onnxruntime.SessionOptions()
        # One thread: sums over trees in another order are other sums. Batches may run side by side instead.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime raises its own unrelated classes
            raise BundleError(f"the model is no ONNX graph that ONNX Runtime can load: {error}") from None
        self._input = self._session.get_inputs()[0].name
        self._outputs = [output.name for output in self._session.get_outputs()][-len(spec.parts) :]
        if len(self._outputs) < len(spec.parts) or not spec.parts:
            raise BundleError(f"the model has {len(self._outputs)} outputs, and the scorer reads {len(spec.parts)}")
        if other := {o.type for o in self._session.get_outputs()} - {"tensor(float)", "tensor(double)"}:
            raise BundleError(f"the model gives {', '.join(sorted(other))}, and predictions are numbers")

    @classmethod
    def load(cls, folder: Path) -> Scorer:
        """Load from a folder that holds the three files. A bundle's sums are checked by `files.verify` first."""
        try:
            plan = build(Plan, read_json(folder / PLAN), str(folder / PLAN))
            spec = build(ScorerSpec, read_json(folder / SPEC), str(folder / SPEC))
            model = (folder / MODEL).read_bytes()
        except ConfigError as error:
            raise BundleError(str(error)) from None
        except OSError as error:
            raise BundleError(f"{folder / MODEL} cannot be read: {error.strerror}") from None
        try:
            scorer = cls(plan, spec, model)
            scorer._try_two_rows()
        except FullCircleError:
            raise
        except Exception as error:  # the three files may fail to fit each other in any way
            raise BundleError(
                f"{folder / PLAN}, {SPEC} and {MODEL} do not fit each other: {type(error).__name__}: {error}"
            ) from None
        return scorer

    def _try_two_rows(self) -> None:
        """Score two rows of nulls, whatever comes out."""
        with np.errstate(all="ignore"):
            margin = self.margin(self._transform({name: nulls(c, 2) for name, c in self.plan.inputs.items()}))
            self.spec.calibration.columns(self.spec.calibration.predict(margin))

    def save(self, folder: Path) -> None:
        """Write the three files."""
        write_plan(folder, self.plan)
        write_text(folder / SPEC, json.dumps(plain(self.spec), indent=2) + "\n")
        (folder / MODEL).write_bytes(self.model)

    def check(self, columns: Columns) -> Checked:
        """Check the columns' names, then each row. Raises DataError for missing or unknown columns.

        Those that the plan ignores are left out.
        """
        return self._checks(self._inputs_of(columns))

    def _inputs_of(self, columns: Columns) -> Columns:
        if columns.keys() == self.plan.inputs.keys():
            return as_columns(columns, self._kinds)
        columns = {name: values for name, values in columns.items() if name not in self.plan.ignored}
        if differs := difference(self.plan.inputs, columns):
            raise DataError(f"these are not the columns that the model takes\n  {differs}")
        return as_columns(columns, self._kinds)

    def score(self, columns: Columns, threads: int = 1) -> Scored:
        """Check and score raw input columns; rows that fail a check are set aside with their reasons.

        `columns`: NumPy arrays of one length, as `base.arrays.as_column` takes them. Raises DataError for others.
        """
        columns = self._inputs_of(columns)
        if self._checks.passed(columns):
            predicted = self.predict(columns, threads)
            words = self.spec.calibration.columns(predicted)
            return Scored(np.arange(rows(columns)), predicted, words, [], inputs=columns)
        checked = self._checks(columns)
        kept = np.flatnonzero(~checked.rejected)
        predicted = self.predict(take(checked.columns, kept), threads)
        words = self.spec.calibration.columns(predicted)
        return Scored(kept, predicted, words, checked.reasons(), inputs=take(columns, kept))

    def predict(self, columns: Columns, threads: int = 1) -> Array:
        """Calibrated prediction, float64 (rows, outputs), for rows that passed their checks.

        `threads`: batches of rows that are scored in parallel; a row's prediction does not depend on it.
        """
        count = rows(columns)
        size = min(BATCH, self._batch)
        if count <= size:
            return self._predict_batch(columns)
        batches = [{name: values[i : i + size] for name, values in columns.items()} for i in range(0, count, size)]
        return np.concatenate(parallel_map(self._predict_batch, batches, threads))

    def margins(self, columns: Columns) -> Array:
        """The model's margin, float64 (rows, outputs), for rows that passed their checks."""
        return self.margin(self._transform(columns))

    def _predict_batch(self, columns: Columns) -> Array:
        margin = self.margins(columns)
        predicted = self.spec.calibration.predict(margin)
        _check_finite(margin)
        _check_finite(predicted)
        return predicted

    def margin(self, matrix: Array) -> Array:
        """The model's margin, float64 (rows, outputs), of a float32 feature matrix (rows, features)."""
        if not len(matrix):
            return np.zeros((0, self._outputs_per_row))
        try:
            found = self._session.run(self._outputs, {self._input: matrix})
        except Exception as error:  # ONNX Runtime raises its own unrelated classes
            raise BundleError(f"ONNX Runtime cannot run the model: {error}") from None
        margins = []
        for part, output in zip(self.spec.parts, found, strict=True):
            values = _checked_output(output, len(matrix), self._outputs_per_row)
            margins.append(values if part.output == "margin" else margin_of(values))
        return blended(self.spec.parts, margins)


def _checked_output(output: Array, count: int, outputs: int) -> Array:
    if output.ndim != 2 or len(output) != count:
        raise BundleError(f"the model gives an array of shape {output.shape} for {count:,} rows")
    if output.shape[1] != outputs:
        raise BundleError(f"the model gives {output.shape[1]} numbers per row, and its calibration needs {outputs}")
    return np.asarray(output, dtype=np.float64)


def _check_finite(values: Array) -> None:
    if not math.isfinite(values.sum()) and not np.isfinite(values).all():
        wrong = np.flatnonzero(~np.isfinite(values).all(axis=1))
        raise BundleError(
            f"the model gives NaN or infinity for {len(wrong):,} of {len(values):,} rows, the first of them row "
            f"{wrong[0] + 1:,}: {values[wrong[0]].tolist()}. No prediction was made; the model is to be made again."
        )


def margin_of(probability: Array) -> Array:
    """The margin of probabilities (rows, outputs): log odds of a single output, else logarithms, from 1e-7 up."""
    return log_odds(probability) if probability.shape[1] == 1 else np.log(np.maximum(probability, 1e-7))


def blended(parts: Sequence[Part], margins: Sequence[Array]) -> Array:
    """Weighted sum of the parts' margins, float64, added up in their order: in another it is another sum."""
    first, *others = (part.weight * margin for part, margin in zip(parts, margins, strict=True))
    return np.asarray(sum(others, start=first))
