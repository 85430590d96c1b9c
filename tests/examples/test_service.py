"""All 55,403 test flights through every route of the service: the numbers are the scorer's, to the last bit."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tritonclient.http as triton

from fullcircle.base.columns import Columns, take
from fullcircle.core import paths
from fullcircle.core.tables import read_columns
from fullcircle.packaging.golden import records
from fullcircle.scoring.bundle import Bundle
from tests.serving.servers import Server, serving
from tests.serving.test_v2 import tensors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Project

Rows = list[dict[str, Any]]
PART = 5000  # rows of a request
LATE = "probability_late"


@pytest.fixture(scope="module")
def bundle(flights: Project) -> Bundle:
    return Bundle.load(flights.folder / paths.BUNDLE)


@pytest.fixture(scope="module")
def server(flights: Project) -> Iterator[Server]:
    with serving(flights.folder / paths.BUNDLE, env={"PYTHONPATH": str(flights.folder / "src")}) as made:
        yield made


@pytest.fixture(scope="module")
def test_rows(flights: Project, bundle: Bundle) -> Columns:
    return read_columns(flights.folder / paths.TEST, [*bundle.scorer.plan.inputs])


@pytest.fixture(scope="module")
def rows(test_rows: Columns, bundle: Bundle) -> Rows:
    return records(test_rows, bundle.scorer.plan.inputs)


@pytest.fixture(scope="module")
def wanted(test_rows: Columns, bundle: Bundle) -> list[float]:
    found: list[float] = bundle.score(test_rows).columns[LATE].tolist()
    assert len(found) == 55_403
    return found


def library(_: Server, bundle: Bundle, rows: Rows) -> list[float]:
    return list(bundle.score(rows).columns[LATE].tolist())


def predict(server: Server, _: Bundle, rows: Rows) -> list[float]:
    return [record[LATE] for record in server.post("/predict", {"rows": rows}).json["predictions"]]


def as_csv(server: Server, _: Bundle, rows: Rows) -> list[float]:
    """SageMaker's other form."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(rows[0])
    writer.writerows(["" if value is None else value for value in row.values()] for row in rows)
    reply = server.post("/invocations", file.getvalue().encode(), {"Content-Type": "text/csv", "Accept": "text/csv"})
    return [float(line[LATE]) for line in csv.DictReader(io.StringIO(reply.body.decode()))]


def sagemaker(server: Server, _: Bundle, rows: Rows) -> list[float]:
    return [record[LATE] for record in server.post("/invocations", {"instances": rows}).json["predictions"]]


def mlflow(server: Server, _: Bundle, rows: Rows) -> list[float]:
    split = {"columns": [*rows[0]], "data": [[*row.values()] for row in rows]}
    return [record[LATE] for record in server.post("/invocations", {"dataframe_split": split}).json["predictions"]]


def v2_json(server: Server, bundle: Bundle, rows: Rows) -> list[float]:
    inputs = [
        {
            "name": name,
            "shape": [len(rows)],
            "datatype": "FP64" if column.kind in ("number", "integer") else "BYTES",
            "data": [row[name] for row in rows],
        }
        for name, column in bundle.scorer.plan.inputs.items()
    ]
    outputs = server.post("/v2/models/flights/infer", {"inputs": inputs}).json["outputs"]
    return list(next(each["data"] for each in outputs if each["name"] == LATE))


def v2_binary(server: Server, bundle: Bundle, rows: Rows) -> list[float]:
    client = triton.InferenceServerClient(f"127.0.0.1:{server.port}", network_timeout=60.0)
    found = client.infer("flights", tensors(rows, bundle.scorer.plan.inputs, binary=True))
    client.close()
    return list(found.as_numpy(LATE).tolist())


@pytest.mark.parametrize("way", [library, predict, as_csv, sagemaker, mlflow, v2_json, v2_binary])
def test_every_route_gives_the_scorers_numbers(
    way: Callable[[Server, Bundle, Rows], list[float]], server: Server, bundle: Bundle, rows: Rows, wanted: list[float]
) -> None:
    found = [value for at in range(0, len(rows), PART) for value in way(server, bundle, rows[at : at + PART])]
    assert found == wanted


def test_from_events_alone_day_by_day(flights: Project, bundle: Bundle) -> None:
    """Each day the next day's timetable, its flights and weather are sent, then its rows as a caller knows them."""
    spec, folder = bundle.state, flights.folder
    assert spec is not None
    assert spec.observations is not None
    kept = read_columns(folder / paths.KEPT)
    weather = read_columns(folder / paths.raw("weather"), [*spec.observation_columns])
    known = bundle.scorer.plan.inputs | spec.event_columns
    known = {n: c for n, c in known.items() if n not in {*spec.outputs, "dep_delay"}}
    first = np.datetime64("2013-10-30", "D")
    by_day, weather_day = (t["time_hour"].astype("datetime64[D]") for t in (kept, weather))
    asked, different = 0, 0
    with serving(folder / paths.BUNDLE, env={"PYTHONPATH": str(folder / "src")}) as server:
        for day in range(65):
            at = first + np.timedelta64(day, "D")
            flown, seen = take(kept, by_day == at), take(weather, weather_day == at)
            for table, rows, columns in (
                ("weather", seen, spec.observation_columns),
                ("flights", flown, spec.event_columns),
            ):
                if sent := records(rows, columns):
                    assert server.post(f"/events/{table}", {"rows": sent}).status == 200
            planned = records(take(kept, by_day == at + np.timedelta64(1, "D")), spec.event_columns)
            if sent := [row | {"dep_delay": None} for row in planned]:
                assert server.post("/events/flights", {"rows": sent}).status == 200
            rows = take(flown, (flown["month"] >= 11))
            if day < 2 or not (sent := records(rows, known)):
                continue
            scored = bundle.score({name: rows[name] for name in bundle.scorer.plan.inputs})
            found = [record[LATE] for record in server.post("/predict", {"rows": sent}).json["predictions"]]
            asked += len(found)
            different += sum(a != b for a, b in zip(found, scored.columns[LATE].tolist(), strict=True))
    assert (asked, different) == (55_403, 0)
