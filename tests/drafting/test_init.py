from __future__ import annotations

import csv
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from fullcircle import cli
from fullcircle.base.errors import ConfigError, DataError
from fullcircle.base.typed import build
from fullcircle.core.config import compose
from fullcircle.core.data import Data
from fullcircle.core.problem import Problem
from fullcircle.drafting.files import data_file, problem_file
from fullcircle.drafting.init import check_readable, init, name_of
from tests import project
from tests.drafting.made import customers, drafted
from tests.drafting.test_yaml import texts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from fullcircle.drafting.draft import Draft


def write(file: Path, columns: dict[str, Sequence[Any]]) -> None:
    with file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened)
        writer.writerow(columns)
        writer.writerows(["" if v is None else v for v in row] for row in zip(*columns.values(), strict=True))


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with conf/ and the customers' table, where the command is run."""
    monkeypatch.chdir(tmp_path)
    project.conf_in(tmp_path)
    write(tmp_path / "customers.csv", customers())
    return tmp_path


def read(text: str) -> Any:
    return yaml.load(text, Loader=yaml.CSafeLoader)


def written(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_run_that_was_killed_between_its_two_files_is_made_again(repository: Path) -> None:
    init("customers.csv", "churned", None)
    problem, data = repository / "conf/problem/customers.yaml", repository / "conf/data/customers.yaml"
    before = problem.read_bytes(), data.read_bytes()
    problem.unlink()
    data.write_text("unfinished", encoding="utf-8")
    init("customers.csv", "churned", None)
    assert (problem.read_bytes(), data.read_bytes()) == before


def test_a_description_of_data_that_another_problem_reads_is_not_overwritten(repository: Path) -> None:
    init("customers.csv", "churned", None)
    problem = repository / "conf/problem/customers.yaml"
    problem.rename(problem.with_name("other.yaml"))
    with pytest.raises(ConfigError, match=r"conf/data/customers\.yaml already exists"):
        init("customers.csv", "churned", None)


def test_a_draft_composes_and_matches_the_table(repository: Path) -> None:
    summary = init("customers.csv", "churned", None)
    params = read(compose(["problem=customers", "model=linear"], repository / "conf"))
    problem = build(Problem, params["problem"])
    data = build(Data, read((repository / problem.data).read_text(encoding="utf-8")))
    columns = data.tables["customers"].columns
    assert {name: (c.kind, c.role) for name, c in columns.items()} == {
        "customer_id": ("category", "record"),
        "age": ("integer", "input"),
        "city": ("category", "input"),
        "income": ("number", "input"),
        "country": ("category", "record"),
        "nothing": ("category", "record"),
        "remark": ("text", "input"),
        "churned": ("category", "outcome"),
    }
    assert problem.target.classes == ("no", "yes")
    assert problem.features.columns == ("age", "city", "income", "remark")
    assert (problem.metric, problem.row, data.tables["customers"].key) == ("auc", ("customer_id",), ("customer_id",))
    assert params["split"]["kind"] == "random"
    assert params["train"]["folds"] == 5
    first = problem.gates[0]
    assert first.metric == "auc"
    assert first.min is not None
    assert 0.5 < first.min < 0.95
    assert "binary: two values; “yes” is taken as the positive class" in summary
    assert "“customer_id” (each value occurs once: an identifier)" in summary
    assert "dvc exp run -S problem=customers" in summary


def test_every_guess_has_its_reason_as_a_comment(repository: Path) -> None:
    init("customers.csv", "churned", "churn")
    lines = (repository / "conf/data/churn.yaml").read_text(encoding="utf-8").splitlines()
    comments = {line.split(":")[0].strip(): line.split("# ", 1)[1] for line in lines if line.startswith("      ")}
    assert comments["income"].endswith("10 of 300 missing")
    assert comments["country"] == "constant: “AT” in every row"
    assert comments["churned"] == "the target"
    assert max(map(len, lines)) < 160


def test_a_leak_is_named_in_both_files_and_the_summary_and_remains_an_input(repository: Path) -> None:
    table = customers()
    table["refund"] = [12.5 if c == "yes" else None for c in table["churned"]]
    write(repository / "leaky.csv", table)
    summary = init("leaky.csv", "churned", None)
    problem = (repository / "conf/problem/leaky.yaml").read_text(encoding="utf-8")
    assert "leaks?       “refund” (AUC 1.000)" in summary
    assert "“refund” (AUC 1.000)" in problem
    assert "A LEAK? AUC 1.000 with only this column" in (repository / "conf/data/leaky.yaml").read_text(
        encoding="utf-8"
    )
    assert "refund" in build(Problem, read(problem)["problem"]).features.columns
    kept = build(Problem, read(problem)["problem"]).gates[0].min
    assert kept is not None
    assert kept < 0.95  # the leak does not raise the thresholds


def test_rows_without_a_target_raise_the_limit_of_rejected_rows() -> None:
    table = customers()
    table["churned"] = [None if i % 10 == 0 else c for i, c in enumerate(table["churned"])]
    found = read(problem_file(drafted(table, "churned")))
    assert found["clean"] == {"max_rejected": 0.11}


def test_a_table_with_dates_is_split_by_time() -> None:
    table = customers() | {"since": [f"{i % 28 + 1:02}.{i // 28 + 1:02}.2013" for i in range(300)]}
    draft = drafted(table, "churned")
    problem, data = read(problem_file(draft)), read(data_file(draft))
    assert problem["defaults"][0] == {"override /split": "time"}
    assert problem["problem"]["time"]["columns"] == ["since"]
    since = data["tables"]["t"]["columns"]["since"]
    assert since == {"kind": "time", "missing": "reject", "format": "%d.%m.%Y"}
    assert "folds" not in problem.get("train", {})


def test_a_regression_has_a_gate_for_its_interval() -> None:
    found = read(problem_file(drafted(customers(), "income")))
    target = build(Problem, found["problem"]).target
    assert (target.task, target.classes) == ("regression", ())
    assert [gate["metric"] for gate in found["problem"]["gates"][:2]] == ["r2", "coverage"]
    assert "slices" in found["problem"]


def test_several_classes_have_a_gate_for_the_log_loss() -> None:
    found = read(problem_file(drafted(customers(), "city")))
    assert sorted(found["problem"]["target"]["classes"]) == ["Graz", "Linz", "Wien"]
    assert found["problem"]["gates"][0]["metric"] == "logloss"
    assert 0 < found["problem"]["gates"][0]["max"] < 1.2


def test_rows_of_one_patient_are_in_one_split() -> None:
    table = customers() | {"patient_id": [f"P{i // 3}" for i in range(300)]}
    del table["customer_id"]
    found = read(problem_file(drafted(table, "churned")))
    assert found["defaults"][0] == {"override /split": "group"}
    assert found["problem"]["together"] == ["patient_id"]


def test_repeated_rows_are_counted_if_there_is_no_key() -> None:
    table: dict[str, Sequence[Any]] = {
        name: [*values, *values[:7]] for name, values in customers().items() if name not in ("customer_id", "remark")
    }
    draft = drafted(table, "churned")
    assert draft.repeated >= 7
    assert f"{draft.repeated} rows are equal to an earlier one" in data_file(draft)
    assert "key" not in read(data_file(draft))["tables"]["t"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["customers.csv", "--target", "chrned"], "has no column chrned\n  unknown column: chrned (did you mean"),
        (["customers.csv", "--target", "nothing"], "the target nothing is missing in all 300 rows"),
        (["customers.csv", "--target", "country"], "the target country is “AT” in every row"),
        (["customers.csv", "--target", "customer_id"], "a different value in each of 300 rows"),
        (["customers.csv", "--target", "churned", "--record", "agee"], "no column agee"),
        (["customers.csv", "--target", "churned", "--task", "ranking"], "--task 'ranking' is not one of binary"),
        (["customers.csv", "--target", "churned", "--name", "My Churn"], "'My Churn' must be lower-case letters"),
        (["customers.csv", "--target", "churned", "--name", "null"], "--name 'null' must be lower-case letters"),
        (["customers.csv", "--target", "churned", "--name", "departures"], "conf/data/departures.yaml already exists"),
        (["missing.csv", "--target", "churned"], "missing.csv: there is no file"),
    ],
)  # fmt: skip
def test_a_failed_draft_is_one_clear_error_and_writes_nothing(
    repository: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], error: str
) -> None:
    before = written(repository)
    monkeypatch.setattr(sys, "argv", ["fullcircle", "init", *arguments])
    message = str(cli.failure())
    assert message.startswith("fullcircle: ")
    assert error in message
    assert written(repository) == before


def test_dates_in_four_formats_are_one_clear_error_or_a_record_column(repository: Path) -> None:
    days = ["2013-01-02", "03.01.2013", "2013/01/04", "Jan 05, 2013"]
    write(repository / "mixed.csv", customers() | {"when": days * 75})
    with pytest.raises(DataError, match=r"mixed\.csv: column when holds dates in 4 formats"):
        init("mixed.csv", "churned", None)
    assert not (repository / "conf/problem/mixed.yaml").exists()
    assert "“when” (given by --record)" in init("mixed.csv", "churned", None, records=("when",))


def test_a_problem_is_overwritten_only_with_force(repository: Path) -> None:
    init("customers.csv", "churned", None)
    before = (repository / "conf/problem/customers.yaml").read_text(encoding="utf-8")
    with pytest.raises(ConfigError, match="already exists"):
        init("customers.csv", "income", None)
    assert (repository / "conf/problem/customers.yaml").read_text(encoding="utf-8") == before
    init("customers.csv", "income", None, force=True)
    assert "regression" in (repository / "conf/problem/customers.yaml").read_text(encoding="utf-8")


def test_drafting_twice_gives_the_same_bytes(repository: Path) -> None:
    init("customers.csv", "churned", None)
    first = [(repository / f"conf/{kind}/customers.yaml").read_bytes() for kind in ("problem", "data")]
    init("customers.csv", "churned", None, force=True)
    assert [(repository / f"conf/{kind}/customers.yaml").read_bytes() for kind in ("problem", "data")] == first


def test_outside_a_repository_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "customers.csv", customers())
    with pytest.raises(ConfigError, match="Run it in the root of the repository"):
        init("customers.csv", "churned", None)
    assert written(tmp_path) == {"customers.csv"}


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ("a/Churn 2013.csv", "churn_2013"),
        ("2013.csv.gz", "table_2013"),
        ("null.parquet", "table_null"),
        ("日本.csv", "table"),
        ("https://host/api/orders?page=1", "orders"),
    ],
)
def test_the_default_name_is_valid_for_files_and_the_command_line(data: str, name: str) -> None:
    assert name_of(data) == name


def attempt(table: dict[str, Sequence[Any]], target: str) -> Draft | None:
    """A draft that can be written; None if it is refused."""
    try:
        draft = drafted(table, target)
        check_readable(problem_file(draft), data_file(draft), "t.csv")
    except DataError:
        return None
    return draft


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(texts, min_size=4, max_size=4, unique=True), st.lists(texts, min_size=2, max_size=3, unique=True))
def test_any_name_of_a_column_or_class_survives_a_round_trip_or_is_refused(
    names: list[str], classes: list[str]
) -> None:
    rows = 120
    table: dict[str, Sequence[Any]] = {
        names[0]: [i * 7 % 50 + 0.5 for i in range(rows)],
        names[1]: [classes[i % 2] for i in range(rows)],
        names[2]: [f"{i % 3} level" for i in range(rows)],
        names[3]: [classes[i % len(classes)] for i in range(rows)],
    }
    draft = attempt(table, names[3])
    assume(draft is not None)
    assert draft is not None
    problem, data = problem_file(draft), data_file(draft)
    built = build(Problem, read(problem)["problem"])
    assert [*build(Data, read(data)).tables["t"].columns] == names
    assert set(built.features.columns) <= set(names)
    assert set(built.target.classes) <= set(classes)
    assert built.target.name == names[3]


@pytest.mark.parametrize("name", ["${oc.env:HOME}", "???", "x\x85"])
def test_a_column_name_that_hydra_would_change_is_refused(repository: Path, name: str) -> None:
    write(repository / "odd.csv", customers() | {name: [1, 2, 3] * 100})
    before = written(repository)
    with pytest.raises(DataError, match=r"odd\.csv: “.*is not allowed in conf/.*Rename it"):
        init("odd.csv", "churned", None)
    assert written(repository) == before


def test_odd_names_compose_unchanged(repository: Path) -> None:
    odd = ["n", "on", "1e5", "null", "Größe (cm)", "a: b", "#", "日本", "a\nb", "{x}", "~", "'", '"', "\\", " x "]
    write(
        repository / "odd.csv",
        {name: [(i * (k + 3)) % 23 for i in range(300)] for k, name in enumerate(odd)} | customers(),
    )
    init("odd.csv", "churned", None)
    params = read(compose(["problem=odd", "model=linear"], repository / "conf"))
    assert build(Problem, params["problem"]).features.columns[: len(odd)] == tuple(odd)
