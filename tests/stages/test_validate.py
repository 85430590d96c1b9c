from __future__ import annotations

import hashlib
import json
import subprocess
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from fullcircle.base.columns import Columns, take
from fullcircle.base.errors import BundleError, ConfigError, DataError
from fullcircle.base.files import MANIFEST, seal
from fullcircle.base.typed import build, plain
from fullcircle.core import paths
from fullcircle.core.problem import Behaviour, Gate
from fullcircle.core.tables import read_typed, write_columns, write_json
from fullcircle.evaluation import baselines
from fullcircle.evaluation.champion import NO_CHAMPION
from fullcircle.evaluation.gates import GATED, OVER_CHAMPION
from fullcircle.evaluation.reports import TrainReport, ValidateReport
from fullcircle.evaluation.tasks import FILES, measured, task_metrics
from fullcircle.registry.errors import RegistryError
from fullcircle.registry.fetch import KEPT
from fullcircle.registry.publish import tag_version
from fullcircle.registry.tags import Note
from fullcircle.registry.versions import Fingerprint, Version
from fullcircle.scoring.scorer import Scorer
from fullcircle.scoring.verdict import Verdict
from fullcircle.stages import validate as module
from fullcircle.stages.validate import Requirements, ValidateConfig, Validated, champion_of, report, validate
from tests.stages.made import INPUTS, TASKS, Task, known

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONFIG = ValidateConfig(60, (), 0.95, 50, 5, 0)
TRAIN_SCORE = {"binary": 0.9, "multiclass": 0.5, "regression": 0.9}
FAR = Behaviour("further", "miles", "same", add=1.0)
HIGH = {
    "binary": [Gate("auc", min=0.99), Gate("brier", max=0.01), Gate("ece", max=0.0), Gate("over_rule", min=0.5)],
    "multiclass": [Gate("logloss", max=0.1), Gate("bacc", min=0.99), Gate("over_rule", min=0.5)],
    "regression": [Gate("r2", min=0.99), Gate("rmse", max=0.1), Gate("coverage", min=0.99), Gate("over_rule", min=0.5)],
}


def validated(name: str = "binary", *gates: Gate, test: Columns | None = None, **changes: Any) -> Validated:
    task = TASKS[name]
    requirements = Requirements(
        changes.pop("metric", task.metric), ("carrier",), changes.pop("behaviour", (task.later, FAR)), gates
    )
    rows = task.table(400, 11) if test is None else test
    champion, scorer = changes.pop("against", None), changes.pop("scorer", task.scorer)
    config = replace(CONFIG, **changes)
    return validate(scorer, rows, known(name), TRAIN_SCORE[name], config, requirements, champion)


def value_of(found: Validated, metric: str) -> float | None:
    return next(gate.value for gate in found.verdict.gates if gate.metric == metric)


@pytest.mark.parametrize("name", TASKS)
def test_metrics_are_those_of_the_scorer_on_the_test_rows(name: str) -> None:
    task, test = TASKS[name], TASKS[name].table(400, 11)
    predicted = task.scorer.predict({column: test[column] for column in INPUTS})
    assert validated(name).metrics == measured(predicted, test["target"], task.calibration, 5)
    assert set(validated(name).metrics) == set(task_metrics(len(task.calibration.classes)).NAMES)


@pytest.mark.parametrize("name", TASKS)
def test_a_good_enough_model_is_blessed(name: str) -> None:
    gates = (Gate("over_dummy", min=0.05), Gate("over_rule", min=0.0), Gate("over_champion", min=0.0))
    assert validated(name, *gates, Gate("direction", min=1.0), Gate("invariance", min=1.0)).verdict.status == "blessed"


@pytest.mark.parametrize(("name", "gate"), [(name, gate) for name, gates in HIGH.items() for gate in gates])
def test_a_gate_that_is_too_high_rejects_the_model(name: str, gate: Gate) -> None:
    verdict = validated(name, gate, Gate("over_dummy", min=0.0)).verdict
    assert verdict.status == "rejected"
    assert [g.metric for g in verdict.gates if g.status == "failed"] == [gate.metric]


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("metric", ["over_dummy", "train_gap", "slice_gap"])
def test_each_difference_can_reject_a_model_that_knows_nothing(name: str, metric: str) -> None:
    test = TASKS[name].table(400, 11)
    turned = test | {"delay": np.random.default_rng(0).permutation(test["delay"])}
    turned["delay"][test["carrier"] != "AA"] *= -1  # and it is at its worst where the carrier is another
    gate = Gate(metric, min=0.05) if metric == "over_dummy" else Gate(metric, max=0.01)
    assert validated(name, gate, test=turned).verdict.status == "rejected"


@pytest.mark.parametrize("name", TASKS)
def test_differences_are_in_the_primary_metric_and_positive_where_the_model_is_better(name: str) -> None:
    metric, test = TASKS[name].metric, TASKS[name].table(400, 11)
    gates = tuple(Gate(gated, max=0.9) for gated in ("over_dummy", "over_rule", "train_gap", "slice_gap"))
    found = validated(name, *gates)
    sign = -1 if metric == "logloss" else 1
    rule = known(name).rule
    assert rule is not None
    by_rule = measured(baselines.follow(rule, test), test["target"], TASKS[name].calibration, 5)[metric]
    dummy = measured(baselines.follow_dummy(known(name), test), test["target"], TASKS[name].calibration, 5)[metric]
    worst = min(sign * value for s in found.slices if (value := s.values[metric]) is not None)
    mine = found.metrics[metric]
    assert value_of(found, "over_rule") == pytest.approx(sign * (mine - by_rule))
    assert value_of(found, "over_dummy") == pytest.approx(sign * (mine - dummy))
    assert value_of(found, "train_gap") == pytest.approx(sign * (TRAIN_SCORE[name] - mine))
    assert value_of(found, "slice_gap") == pytest.approx(sign * mine - worst)


def test_the_dummy_knows_nothing() -> None:
    share = TASKS["binary"].table(400, 11)["target"].mean()
    found, guess = validated().dummy, known("binary").dummy[0]
    assert found["auc"] == 0.5
    assert found["brier"] == pytest.approx(share * (1 - share) + (share - guess) ** 2)
    assert validated("multiclass").dummy["auc"] == 0.5
    assert validated("regression").dummy["r2"] <= 0


def test_a_baseline_is_not_measured_by_the_interval_of_the_model() -> None:
    found = validated("regression")
    assert found.rule is not None
    assert set(found.dummy) == set(found.rule) == {"r2", "rmse", "mae", "medae"}
    assert {"coverage", "width", "bias"} < set(found.metrics)


def test_the_primary_metric_may_be_another() -> None:
    found = validated("regression", Gate("over_dummy", min=0.0), metric="mae")
    assert value_of(found, "over_dummy") == pytest.approx(found.dummy["mae"] - found.metrics["mae"])
    with pytest.raises(ConfigError, match=r"problem\.metric: auc: this task has no such metric"):
        validated("regression", metric="auc")


@pytest.mark.parametrize("name", TASKS)
def test_behaviour_decides_its_gates(name: str) -> None:
    turned = replace(TASKS[name].later, expect="down")
    found = validated(name, Gate("direction", min=1.0), Gate("invariance", min=1.0), behaviour=(turned, FAR))
    assert [g.status for g in found.verdict.gates] == ["failed", "passed"]


def test_a_gate_on_behaviour_without_checks_is_unknown() -> None:
    assert validated("binary", Gate("direction", min=1.0), behaviour=()).verdict.status == "unknown"


def test_a_gate_on_slices_of_which_none_is_large_enough_is_unknown() -> None:
    assert validated("binary", Gate("slice_gap", max=0.5), slice_rows=10_000).verdict.status == "unknown"


def test_a_gate_on_a_rule_is_unknown_where_there_is_none() -> None:
    task = TASKS["binary"]
    requirements = Requirements("auc", (), (), (Gate("over_rule", min=0.0), Gate("over_dummy", min=0.0)))
    without = baselines.Baselines(known("binary").dummy)
    found = validate(task.scorer, task.table(400, 11), without, 0.8, CONFIG, requirements)
    assert [gate.status for gate in found.verdict.gates] == ["unknown", "passed"]
    assert report(found, without, CONFIG, "auc").baselines.rule is None


@pytest.mark.parametrize("metric", ["acu", "AUC", "over_dumy", ""])
def test_a_gate_on_an_unknown_metric_is_refused(metric: str) -> None:
    with pytest.raises(ConfigError, match=rf"(?s)problem\.gates: unknown value: {metric}.*known: auc, .*slice_gap"):
        validated("binary", Gate(metric, min=0.1))


@pytest.mark.parametrize("name", TASKS)
def test_every_metric_and_every_other_value_can_be_gated(name: str) -> None:
    names = (*task_metrics(len(TASKS[name].calibration.classes)).NAMES, *GATED)
    unknown = [
        g.metric for g in validated(name, *(Gate(n, min=0.0) for n in names)).verdict.gates if g.status == "unknown"
    ]
    assert unknown == [*OVER_CHAMPION]


def test_rows_that_break_a_rule_are_counted_and_not_evaluated() -> None:
    test = TASKS["binary"].table(400, 11)
    broken = {name: values.copy() for name, values in test.items()}
    broken["miles"][:3], broken["delay"][3] = -1, 1000
    found = validated(test=broken)
    assert found.rejected == {"delay not in -100..100": 1, "miles not in 0..5000": 3}
    assert found.metrics == validated(test=take(test, np.arange(4, 400))).metrics


def test_where_the_scorer_takes_no_row_there_is_nothing_to_evaluate() -> None:
    test = TASKS["binary"].table(40, 11)
    with pytest.raises(DataError, match=r"takes none of 40 test rows: \{'miles not in 0..5000': 40\}. Correct `clean`"):
        validated(test=test | {"miles": np.full(40, -1.0)})


@pytest.mark.parametrize("name", TASKS)
def test_intervals_hold_the_metrics_and_are_repeatable(name: str) -> None:
    found, metric = validated(name), TASKS[name].metric
    low, high = found.intervals[metric]
    assert low < found.metrics[metric] < high
    assert found.intervals == validated(name).intervals
    assert found.intervals != validated(name, seed=1).intervals


def test_whole_days_are_drawn() -> None:
    test = TASKS["binary"].table(400, 11)
    days = {name: np.tile(values, 6) for name, values in test.items()} | {"number": np.tile(np.arange(400.0), 6)}
    by_day, by_row = (validated(test=days, resample_by=by) for by in (("number",), ()))
    widths = [high - low for low, high in (found.intervals["brier"] for found in (by_day, by_row))]
    assert widths[0] > 1.5 * widths[1]


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("rows", [1, 2, 6, 20])
def test_few_test_rows_are_evaluated_as_far_as_they_go(name: str, rows: int) -> None:
    test = take(TASKS[name].table(400, 11), np.arange(rows))
    found = validated(name, Gate("over_dummy", min=-0.9), test=test, bins=15, slice_rows=500)
    assert np.isfinite(found.metrics["mae" if name == "regression" else "brier"])
    assert (rows > 1) or np.isnan(list(found.intervals.values())).all()
    json.dumps(plain(found.verdict))


@pytest.mark.parametrize("name", ["binary", "multiclass"])
def test_test_rows_of_one_class_leave_a_gate_on_ranking_unknown(name: str) -> None:
    test = TASKS[name].table(400, 11)
    found = validated(name, Gate("auc", min=0.5), test=take(test, test["target"] == 1), metric="brier")
    assert found.verdict.status == "unknown"


def test_validating_changes_neither_rows_nor_scorer() -> None:
    test, scorer = TASKS["binary"].table(400, 11), TASKS["binary"].scorer
    before, model = {name: values.copy() for name, values in test.items()}, scorer.model
    validated(test=test)
    assert scorer.model == model
    assert all(repr(test[name].tolist()) == repr(before[name].tolist()) for name in test)


@pytest.mark.parametrize(
    ("name", "field"), [("binary", "positive"), ("multiclass", "shares"), ("regression", "deviation")]
)
def test_the_report_shows_what_was_evaluated_and_how(name: str, field: str) -> None:
    metric = TASKS[name].metric
    found = report(validated(name), known(name), CONFIG, metric)
    assert (found.task, found.metric, found.distribution.rows) == (name, metric, 400)
    assert getattr(found.distribution, field)
    assert (found.threshold is not None) == (name == "binary")
    rule = known(name).rule
    assert rule is not None
    assert found.baselines.rule is not None
    assert found.baselines.rule_column == rule.column == "delay"
    assert metric in found.baselines.dummy
    assert metric in found.baselines.rule
    assert [b.passed for b in found.behaviour] == [True, True]
    assert [s.level for s in found.slices] == ["AA", "B6", "UA"]
    assert all(next(iter(s.values)) == metric for s in found.slices)


def run_stage(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, config: ValidateConfig, gates: list[dict[str, Any]]
) -> None:
    """Run the stage in `folder`, the current one, on the test rows of a task."""
    task = TASKS[name]
    problem: dict[str, Any] = {
        "name": "flights",
        "metric": task.metric,
        "slices": ["carrier"],
        "behaviour": [plain(task.later)],
        "gates": gates,
    }
    problem |= {"decision": "Which?", "sign_off": {"role": "? who is responsible"}}
    paths.PARAMS.write_text(json.dumps({"validate": asdict(config), "problem": problem}), encoding="utf-8")
    paths.SCORER.mkdir(parents=True)
    task.scorer.save(paths.SCORER)
    write_columns(paths.TEST, task.table(400, 11))
    write_json(paths.BASELINES, asdict(known(name)))
    write_json(paths.TRAIN_REPORT, plain(TrainReport(TRAIN_SCORE[name], {}, "delay", task.calibration, {})))
    monkeypatch.setattr(module, "load", lambda kind, key: _load(kind, key, folder))
    module.main()


@pytest.mark.parametrize("name", TASKS)
def test_the_stage_reads_test_rows_and_writes_every_file_of_every_task(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = TASKS[name]
    monkeypatch.chdir(tmp_path)
    run_stage(tmp_path, monkeypatch, name, CONFIG, [])
    for file, columns in FILES.items():
        lines = (paths.ON_TEST / f"{file}.csv").read_text(encoding="utf-8").splitlines()
        assert lines[0] == ",".join(columns)
        assert (len(lines) > 1) == (
            file in ("calibration", "residuals") if name == "regression" else file != "residuals"
        )
    metrics = json.loads(paths.TEST_METRICS.read_text(encoding="utf-8"))
    assert metrics[task.metric] == pytest.approx(validated(name).metrics[task.metric], rel=1e-5)
    written = read_typed(ValidateReport, paths.TEST_REPORT)
    assert written.task == name
    assert written.metrics == metrics
    assert json.loads(paths.VERDICT.read_text(encoding="utf-8")) == {
        "status": "draft",
        "gates": [],
        "unfinished": ["sign_off.role"],
    }


def _load(kind: Any, key: str, folder: Path) -> Any:
    """As `load` does, but of this folder: what it has read of another stays in memory."""
    part = json.loads((folder / paths.PARAMS).read_text(encoding="utf-8"))
    for name in key.split("."):
        part = part[name]
    return build(kind, part, key)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"interval": 1.0}, "interval 1 is outside"),
        ({"interval": 0.0}, "interval 0 is outside"),
        ({"resamples": 19}, "resamples must be at least 20"),
        ({"bins": 1}, "bins 2"),
        ({"slice_rows": 0}, "slice_rows 1"),
        ({"resample_by": "day"}, "resample_by: expected a list"),
        ({"resample": 3}, r"resample \(did you mean resamples\?\)"),
    ],
)
def test_a_configuration_out_of_range_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(ValidateConfig, asdict(CONFIG) | change, "validate")


def noisy(name: str = "binary", share: float = 1.0) -> Task:
    """The same task with a model that goes by `miles` too, which have nothing to do with its target."""
    task = TASKS[name]
    weights = tuple((first, 0.0005 * share * (i + 1)) for i, (first, _) in enumerate(task.weights))
    return replace(task, weights=weights)


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("gate", OVER_CHAMPION)
def test_a_challenger_that_is_better_than_the_champion_is_blessed(name: str, gate: str) -> None:
    found = validated(name, Gate(gate, min=0.0), against=noisy(name).scorer, champion="1.2.0")
    assert found.verdict.status == "blessed"
    assert (value_of(found, gate) or 0) > 0


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("gate", OVER_CHAMPION)
def test_a_challenger_that_is_worse_than_the_champion_is_rejected(name: str, gate: str) -> None:
    found = validated(name, Gate(gate, min=0.0), scorer=noisy(name).scorer, against=TASKS[name].scorer)
    assert found.verdict.status == "rejected"
    assert (value_of(found, gate) or 0) < 0


def test_a_challenger_that_is_better_elsewhere_and_worse_in_one_slice_is_rejected() -> None:
    test = TASKS["binary"].table(400, 11)
    b6 = test["carrier"] == "B6"
    test["miles"] = np.where(b6, 5000 * test["target"], test["miles"])  # for B6 `miles` give the target away,
    test["delay"] = np.where(b6, -test["delay"], test["delay"])  # and `delay`, by which the challenger goes, misleads
    gates = (Gate("over_champion", min=-0.9), Gate("over_champion_slice", min=-0.05))
    found = validated("binary", *gates, test=test, against=noisy(share=2.0).scorer)
    assert [gate.status for gate in found.verdict.gates] == ["passed", "failed"]
    assert found.verdict.status == "rejected"
    assert found.compared is not None
    assert found.compared.worst is not None
    assert found.compared.worst.level == "B6"
    assert {s.level for s in found.compared.slices if (s.over or 0) > 0} == {"AA", "UA"}


def test_a_challenger_whose_interval_reaches_below_zero_is_rejected_though_it_is_better() -> None:
    gates = (Gate("over_champion", min=0.0), Gate("over_champion_low", min=0.0))
    found = validated("binary", *gates, against=noisy(share=0.05).scorer)
    assert found.verdict.status == "rejected"
    assert [gate.status for gate in found.verdict.gates] == ["passed", "failed"]
    assert (value_of(found, "over_champion") or 0) > 0 > (value_of(found, "over_champion_low") or 0)


@pytest.mark.parametrize("gate", OVER_CHAMPION)
def test_without_a_champion_its_gates_are_passed_over_and_the_verdict_says_so(gate: str) -> None:
    verdict = validated("binary", Gate(gate, min=0.0)).verdict
    assert (verdict.status, verdict.gates[0].status) == ("blessed", "unknown")
    assert verdict.gates[0].reason == NO_CHAMPION == "no champion is registered"


def test_a_champion_with_another_schema_is_passed_over_with_the_reason() -> None:
    made = TASKS["binary"].scorer
    other = Scorer(replace(made.plan, inputs=INPUTS | {"gate": INPUTS["carrier"]}), made.spec, made.model)
    found = validated("binary", Gate("over_champion", min=0.0), against=other, champion="1.2.0")
    assert found.verdict.status == "blessed"
    assert "missing columns: gate" in found.verdict.gates[0].reason
    assert found.compared is not None
    assert (found.compared.version, found.compared.overall) == ("1.2.0", None)


def test_what_a_comparison_leaves_unknown_makes_the_verdict_unknown() -> None:
    gates = (Gate("over_champion", min=0.0), Gate("over_champion_low", min=0.0))
    test = TASKS["binary"].table(400, 11) | {"day": np.ones(400)}  # one group: there is no interval
    found = validated("binary", *gates, test=test, resample_by=("day",), against=noisy().scorer)
    assert [gate.status for gate in found.verdict.gates] == ["passed", "unknown"]
    assert (found.verdict.status, found.verdict.gates[1].reason) == ("unknown", "")


def test_all_else_is_the_same_with_a_champion_and_without() -> None:
    one, other = validated("binary"), validated("binary", against=noisy().scorer, champion="1.2.0")
    assert (one.metrics, one.intervals, one.slices) == (other.metrics, other.intervals, other.slices)
    assert report(one, known("binary"), CONFIG, "auc").champion is None
    assert "champion" not in plain(report(one, known("binary"), CONFIG, "auc"))


def test_the_report_holds_the_comparison(tmp_path: Path) -> None:
    found = validated("binary", against=noisy().scorer, champion="1.2.0")
    write_json(tmp_path / "report.json", plain(report(found, known("binary"), CONFIG, "auc")))
    champion = read_typed(ValidateReport, tmp_path / "report.json").champion
    assert champion is not None
    assert champion.overall is not None
    assert (champion.version, champion.rows, champion.reason) == ("1.2.0", 400, "")
    assert champion.overall.over == pytest.approx(
        value_of(validated("binary", Gate("over_champion", min=0.0), against=noisy().scorer), "over_champion"), rel=1e-5
    )
    assert [s.level for s in champion.slices] == ["AA", "B6", "UA"]


def registry(root: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], None]) -> None:
    """A repository with version 1.2.0 of flights, whose bundle `make` writes: it was fetched before."""
    root.mkdir(exist_ok=True)
    for command in (["init", "-q"], ["config", "user.name", "A"], ["config", "user.email", "a@b.c"]):
        subprocess.run(["git", "-C", str(root), *command], check=True)
    subprocess.run(["git", "-C", str(root), "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    place = root / "bundle"
    place.mkdir()
    make(place)
    identifier = hashlib.sha256((place / MANIFEST).read_bytes()).hexdigest() if (place / MANIFEST).is_file() else "0"
    note = Note("flights", identifier, Fingerprint("s", "r", "d"), "p", "c", "blessed", "auc")
    tag_version(root, Version(1, 2, 0), note)
    kept = root / KEPT / identifier / "bundle"
    kept.parent.mkdir(parents=True)
    place.rename(kept)
    monkeypatch.chdir(root)


def sealed(folder: Path) -> None:
    noisy().scorer.save(folder)
    seal(folder)


def of_another_format(folder: Path) -> None:
    noisy().scorer.save(folder)
    spec = json.loads((folder / "scorer.json").read_text(encoding="utf-8"))
    (folder / "scorer.json").write_text(json.dumps(spec | {"format": 2}), encoding="utf-8")
    seal(folder)


def test_the_champion_is_the_registered_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registry(tmp_path, monkeypatch, sealed)
    champion = champion_of("flights", "1.2.0")
    assert champion is not None
    assert champion.model == noisy().scorer.model


def test_without_a_version_there_is_no_champion() -> None:
    assert champion_of("flights", None) is None


def test_a_champion_that_is_not_registered_fails_the_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registry(tmp_path, monkeypatch, sealed)
    with pytest.raises(RegistryError, match=r"version 1\.3\.0 of flights is not registered here"):
        champion_of("flights", "1.3.0")


def test_a_damaged_champion_fails_the_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registry(tmp_path, monkeypatch, sealed)
    (found,) = (tmp_path / KEPT).glob("*/bundle/model.onnx")
    found.write_bytes(b"another model")
    with pytest.raises(RegistryError, match=r"(?s)flights@v1\.2\.0 was damaged.*model\.onnx: its SHA-256 is another"):
        champion_of("flights", "1.2.0")
    assert not found.exists()


def test_a_champion_of_another_format_fails_the_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registry(tmp_path, monkeypatch, of_another_format)
    with pytest.raises(BundleError, match=r"(?s)bundle of flights 1\.2\.0 cannot be used: .*is of format 2.*or null"):
        champion_of("flights", "1.2.0")


def test_the_stage_compares_with_the_registered_champion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def of_more_columns(folder: Path) -> None:
        made = noisy().scorer  # it takes `day` too, which the new model does not, and the test rows have
        Scorer(replace(made.plan, inputs=INPUTS | {"day": INPUTS["miles"]}), made.spec, made.model).save(folder)
        seal(folder)

    registry(tmp_path, monkeypatch, of_more_columns)
    run_stage(
        tmp_path, monkeypatch, "binary", replace(CONFIG, champion="1.2.0"), [{"metric": "over_champion", "min": 0.0}]
    )
    champion = read_typed(ValidateReport, paths.TEST_REPORT).champion
    assert champion is not None
    assert (champion.version, champion.rows, champion.rejected, champion.reason) == ("1.2.0", 400, {}, "")
    verdict = read_typed(Verdict, paths.VERDICT)
    assert champion.overall is not None
    assert (verdict.gates[0].status, verdict.gates[0].value) == ("passed", champion.overall.over)


@pytest.mark.parametrize("version", ["1.2", "v1.2.0", "latest", "1.2.0; rm", ""])
def test_a_champion_that_is_no_version_is_refused(version: str) -> None:
    with pytest.raises(ConfigError, match=r"champion '.*' must be a registered version, such as 1\.2\.0, or null"):
        build(ValidateConfig, asdict(CONFIG) | {"champion": version}, "validate")
