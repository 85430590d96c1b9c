from __future__ import annotations

import csv
import json
import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest

from fullcircle.base.columns import Columns, take
from fullcircle.base.errors import BundleError, DataError
from fullcircle.base.files import MANIFEST, seal
from fullcircle.core import paths
from fullcircle.core.tables import read_columns, read_json
from fullcircle.pointintime.recent import due_at
from fullcircle.scoring import bundle as module
from fullcircle.scoring.bundle import Bundle
from fullcircle.scoring.reference import Levels, Numbers

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Project

DAY = ("2013-03-20T00", "2013-03-21T00")  # UTC


@pytest.fixture(scope="module")
def bundle(reproduced: Project) -> Bundle:
    return Bundle.load(reproduced.folder / paths.BUNDLE)


@pytest.fixture(scope="module")
def kept(reproduced: Project) -> Columns:
    """Flights of a day and of the two days before it, with what `clean` knew of each."""
    columns = read_columns(reproduced.folder / paths.KEPT)
    start, end = (np.datetime64(moment, "s") for moment in DAY)
    return take(columns, (columns["time_hour"] >= start - np.timedelta64(2, "D")) & (columns["time_hour"] < end))


def of_the_day(kept: Columns) -> np.ndarray:
    return np.asarray(kept["time_hour"] >= np.datetime64(DAY[0], "s"))


def test_a_bundle_is_one_object(reproduced: Project, bundle: Bundle) -> None:
    folder = reproduced.folder / paths.BUNDLE
    manifest = (folder / MANIFEST).read_bytes()
    assert len(bundle.id) == 64
    assert bundle.id == seal(folder)
    assert (folder / MANIFEST).read_bytes() == manifest
    assert (bundle.about.problem, bundle.about.task, bundle.version) == ("departures", "binary", "0.1.0")
    assert bundle.about.identity == ("time_hour", "origin", "carrier", "flight", "hour", "minute")
    assert bundle.verdict.status == read_json(reproduced.folder / paths.VERDICT)["status"]
    assert bundle.provenance.data["flights"].rows == 5_400
    assert bundle.provenance.commit is None
    assert bundle.state is not None
    assert bundle.reference.inputs.keys() == bundle.scorer.plan.inputs.keys()
    assert isinstance(bundle.reference.inputs["carrier"], Levels)
    distance = bundle.reference.inputs["distance"]
    assert isinstance(distance, Numbers)
    assert sum(distance.counts) == distance.rows
    assert len(distance.counts) == len(distance.edges) + 1


def test_a_bundle_of_another_format_is_refused(reproduced: Project, tmp_path: Path) -> None:
    shutil.copytree(reproduced.folder / paths.BUNDLE, tmp_path / "bundle")
    about = json.loads((tmp_path / "bundle" / module.ABOUT).read_text())
    (tmp_path / "bundle" / module.ABOUT).write_text(json.dumps(about | {"format": 99}))
    with pytest.raises(BundleError, match=r"bundle\.json: its SHA-256 is another"):
        Bundle.load(tmp_path / "bundle")
    seal(tmp_path / "bundle")
    with pytest.raises(BundleError, match="is of format 99, and this version reads format 1"):
        Bundle.load(tmp_path / "bundle")


def test_a_prediction_carries_the_identity_of_its_record(bundle: Bundle, kept: Columns) -> None:
    rows = take(kept, np.arange(50))
    rows["distance"] = rows["distance"].copy()
    rows["distance"][7] = 1.0
    inputs = {name: rows[name] for name in (*bundle.scorer.plan.inputs, "flight", "time_hour")}
    scored = bundle.score(inputs)
    assert list(scored.record) == ["time_hour", "origin", "carrier", "flight"]
    assert scored.record["flight"].tolist() == np.delete(rows["flight"], 7).tolist()
    assert scored.reasons == ["distance not in 10..6000"]


def test_scored_from_events_alone_rows_get_the_same_predictions(bundle: Bundle, kept: Columns) -> None:
    assert bundle.state is not None
    state, day = bundle.new_state(forget=False), of_the_day(kept)
    state.add("flights", kept)
    computed = bundle.state.outputs
    rows = take({name: values for name, values in kept.items() if name not in computed}, day)
    asked = {n: rows[n] for n in (*bundle.state.needed, *(i for i in bundle.scorer.plan.inputs if i not in computed))}
    expected = bundle.scorer.score({name: kept[name][day] for name in bundle.scorer.plan.inputs})
    brought = {name: kept[name][day] for name in computed if name in bundle.state.observation_columns}
    scored = bundle.score(asked | brought, state)
    assert scored.predicted.tolist() == expected.predicted.tolist()


def test_a_row_without_a_moment_is_set_aside_with_its_reason(bundle: Bundle, kept: Columns) -> None:
    assert bundle.state is not None
    state = bundle.new_state(forget=False)
    rows = take({n: v for n, v in kept.items() if n not in bundle.state.outputs}, np.arange(4))
    asked = {
        n: rows[n] for n in (*bundle.state.needed, *rows) if n in bundle.scorer.plan.inputs or n in bundle.state.needed
    }
    asked["minute"], asked["distance"] = asked["minute"].copy(), asked["distance"].copy()
    asked["minute"][1], asked["distance"][3] = 99.0, 1.0
    scored = bundle.score(asked, state)
    assert scored.kept.tolist() == [0, 2]
    assert scored.reasons == ["minute not in 0..59", "distance not in 10..6000"]
    with pytest.raises(DataError, match="missing columns: minute"):
        bundle.score({name: values for name, values in asked.items() if name != "minute"}, state)


def write(path: Path, columns: Columns) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for row in zip(*columns.values(), strict=True):
            writer.writerow(["" if v is None or v != v else v for v in row])


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_tomorrows_timetable_is_scored_from_files_of_events(
    reproduced: Project, bundle: Bundle, kept: Columns, tmp_path: Path
) -> None:
    """What a person would do: past flights, observations and tomorrow's timetable as CSV, and no code."""
    assert bundle.state is not None
    spec, day = bundle.state, of_the_day(kept)
    past = take(kept, ~day)
    weather = read_columns(reproduced.folder / paths.raw("weather"))
    moment = due_at(kept, spec.moment)[day].min() - 2 * 3600
    near = np.abs(weather["time_hour"].astype(np.int64) - moment) < 3 * 86_400
    write(tmp_path / "past.csv", {name: past[name] for name in spec.event_columns})
    write(tmp_path / "obs.csv", take(weather, near))
    new = {n: kept[n][day] for n in kept if n not in spec.outputs and not n.startswith(("dep_", "arr_", "air_"))}
    write(tmp_path / "new.csv", new)
    done = reproduced.run(
        "fullcircle", "score", "dist/bundle", str(tmp_path / "new.csv"), str(tmp_path / "out.csv"),
        "--events", f"flights={tmp_path / 'past.csv'}", "--events", f"weather={tmp_path / 'obs.csv'}",
    )  # fmt: skip
    assert f"{day.sum():,} rows scored" in done.stdout
    out = read(tmp_path / "out.csv")
    assert list(out[0])[:7] == ["row", "time_hour", "origin", "carrier", "flight", "hour", "minute"]
    assert [float(row["flight"]) for row in out] == kept["flight"][day].tolist()
    # Flights before anything of the day was known are those that a batch of the same knowledge scores.
    first = due_at(kept, spec.moment)[day] - 2 * 3600 <= due_at(kept, spec.moment)[day].min() - 1800
    assert first.sum() > 2
    expected = bundle.scorer.score({n: kept[n][day][first] for n in bundle.scorer.plan.inputs}).predicted[:, 0]
    found = np.array([float(row["probability_late"]) for row in out])[first]
    assert np.abs(found - expected).max() <= 5.1e-7  # the file holds six decimals


def test_the_columns_to_show_can_be_chosen(reproduced: Project, bundle: Bundle, kept: Columns, tmp_path: Path) -> None:
    write(tmp_path / "in.csv", {n: kept[n][:3] for n in (*bundle.scorer.plan.inputs, "flight")})
    command = ["fullcircle", "score", "dist/bundle", str(tmp_path / "in.csv"), str(tmp_path / "out.csv")]
    reproduced.run(*command)
    assert list(read(tmp_path / "out.csv")[0])[:5] == ["row", "origin", "carrier", "flight", "prediction"]
    reproduced.run(*command, "--columns", "flight,dest")
    assert list(read(tmp_path / "out.csv")[0])[:4] == ["row", "flight", "dest", "prediction"]
    done = reproduced.run(*command, "--columns", "gate", check=False)
    assert done.returncode == 1
    assert "has no column gate to show" in done.stdout


@pytest.mark.parametrize(
    ("given", "message"),
    [("past.csv", "write it as TABLE=FILE"), ("planes=past.csv", "there is no table planes of events or observations")],
)
def test_events_of_another_table_are_refused(
    reproduced: Project, kept: Columns, tmp_path: Path, given: str, message: str
) -> None:
    write(tmp_path / "in.csv", take(kept, np.arange(2)))
    out = str(tmp_path / "out.csv")
    done = reproduced.run(
        "fullcircle", "score", "dist/bundle", str(tmp_path / "in.csv"), out, "--events", given, check=False
    )
    assert done.returncode == 1
    assert message in done.stdout
    assert "Traceback" not in done.stdout
