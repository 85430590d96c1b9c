from __future__ import annotations

import csv
import io
import json
import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from fullcircle.scoring.rows import to_columns
from tests.serving.servers import JSON, Server

if TYPE_CHECKING:
    from collections.abc import Callable

    from fullcircle.scoring.bundle import Bundle

Rows = list[dict[str, Any]]


def without(record: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in names}


def test_answers_are_the_scorers_to_the_last_bit(server: Server, bundle: Bundle, rows: Rows, predicted: Rows) -> None:
    reply = server.post("/predict", {"rows": rows})
    assert reply.status == 200
    found = reply.json
    names = [*predicted[0]]
    assert [{name: record[name] for name in names} for record in found["predictions"]] == predicted
    assert [record["row"] for record in found["predictions"]] == [*range(len(rows))]
    assert (found["rows"], found["scored"], found["set_aside"]) == (len(rows), len(rows), [])
    assert found["bundle"] == {"problem": "departures", "version": "0.1.0", "id": bundle.id}
    assert found["decision"]["positive"] == "late"
    assert reply.headers["x-bundle"].startswith("departures 0.1.0 ")


def lists_of(rows: Rows) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


FORMS: dict[str, Callable[[Rows], Any]] = {
    "rows": lambda rows: {"rows": rows},
    "a list": lambda rows: rows,
    "instances": lambda rows: {"instances": rows, "parameters": {}},
    "dataframe_records": lambda rows: {"dataframe_records": rows},
    "dataframe_split": lambda rows: {
        "dataframe_split": {"columns": [*rows[0]], "data": [[*row.values()] for row in rows]}
    },
    "inputs by column": lambda rows: {"inputs": lists_of(rows)},
    "inputs as records": lambda rows: {"inputs": rows},
    "shuffled keys": lambda rows: {
        "rows": [dict(reversed(row.items())) if i % 2 else row for i, row in enumerate(rows)]
    },
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("path", ["/predict", "/invocations"])
def test_rows_may_come_in_any_form(path: str, form: str, server: Server, rows: Rows, predicted: Rows) -> None:
    reply = server.post(path, FORMS[form](rows[:50]))
    assert reply.status == 200, reply.body
    names = [*predicted[0]]
    assert [{name: record[name] for name in names} for record in reply.json["predictions"]] == predicted[:50]


def as_csv(rows: Rows, *, header: bool = True) -> bytes:
    file = io.StringIO()
    writer = csv.writer(file)
    if header:
        writer.writerow(rows[0])
    writer.writerows(["" if value is None else value for value in row.values()] for row in rows)
    return file.getvalue().encode()


@pytest.mark.parametrize("path", ["/predict", "/invocations"])
def test_csv_comes_and_goes(path: str, server: Server, rows: Rows, predicted: Rows) -> None:
    wants = {"Content-Type": "text/csv", "Accept": "text/csv"}
    reply = server.post(path, as_csv(rows), wants)
    assert reply.status == 200, reply.body
    assert reply.headers["content-type"].startswith("text/csv")
    found = [*csv.DictReader(io.StringIO(reply.body.decode()))]
    assert [float(line["probability_late"]) for line in found] == [row["probability_late"] for row in predicted]
    assert {line["error"] for line in found} == {""}
    bare = server.post(path, as_csv(rows, header=False), {"Content-Type": "text/csv; header=absent"})
    assert [r["probability_late"] for r in bare.json["predictions"]] == [row["probability_late"] for row in predicted]


def test_json_lines(server: Server, rows: Rows, predicted: Rows) -> None:
    body = b"\n".join(json.dumps(row).encode() for row in rows[:9])
    reply = server.post("/invocations", body, {"Content-Type": "application/jsonlines"})
    assert [r["probability_late"] for r in reply.json["predictions"]] == [
        row["probability_late"] for row in predicted[:9]
    ]


def test_some_rows_are_scored_and_others_set_aside_with_reasons(server: Server, rows: Rows, predicted: Rows) -> None:
    sent = [dict(row) for row in rows[:6]]
    sent[1]["distance"] = 1e9
    sent[2]["distance"] = "far"
    sent[3]["carrier"] = None
    del sent[4]["dest"]
    reply = server.post("/predict", {"rows": sent})
    assert reply.status == 200
    found = reply.json
    assert (found["rows"], found["scored"]) == (6, 2)
    assert [record["row"] for record in found["predictions"]] == [0, 5]
    assert [record["probability_late"] for record in found["predictions"]] == [
        predicted[at]["probability_late"] for at in (0, 5)
    ]
    reasons = {each["row"]: each["reasons"] for each in found["set_aside"]}
    assert reasons.keys() == {1, 2, 3, 4}
    assert reasons[1].startswith("distance not in ")
    assert reasons[2] == "distance is no number"
    assert reasons[3] == "carrier is missing"
    assert reasons[4] == "dest is not given; null stands for no value"
    aligned = server.post("/invocations", {"instances": sent}).json["predictions"]
    assert [("error" in record) for record in aligned] == [False, True, True, True, True, False]


def test_the_record_comes_back_as_it_was_sent(server: Server, rows: Rows) -> None:
    identity = {"time_hour": "2013-03-20T10:00:00", "flight": 1707, "minute": 30}
    found = server.post("/predict", {"rows": [rows[0] | identity]}).json
    assert identity.items() <= found["predictions"][0].items()


ERRORS: dict[str, tuple[Any, int, str]] = {
    "no JSON": (b"{", 400, "the body is no JSON"),
    "no UTF-8": (b'{"rows": "\xff"}', 400, "no UTF-8"),
    "too deep": (b"[" * 100_000, 400, "too deep"),
    "NaN": (b'{"rows": [{"distance": NaN}]}', 400, "NaN is no JSON"),
    "Infinity": (b'{"rows": [{"distance": -Infinity}]}', 400, "Infinity is no JSON"),
    "a key twice": (b'{"rows": [{"distance": 1, "distance": 2}]}', 400, "a key twice: distance"),
    "a huge integer": (b'{"rows": [{"distance": ' + b"9" * 5000 + b"}]}", 400, "more than 4,300 digits"),
    "no form": ({"lines": []}, 400, "under one of rows"),
    "another key": ({"rows": [], "model": "x"}, 400, "not known: model"),
    "no rows": ({"rows": []}, 422, "there are no rows"),
    "no records": ({"rows": [1]}, 422, "row 0 is no object"),
    "rows is no list": ({"rows": {}}, 400, "must be a list"),
    "an empty record": ({"rows": [{}]}, 422, "missing columns"),
    "ragged lists": ({"inputs": {"distance": [1, 2], "carrier": ["AA"]}}, 422, "different lengths"),
    "a ragged split": ({"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}}, 422, "a list of 1 values"),
    "explain is no boolean": ({"rows": [], "explain": 1}, 400, "explain must be true or false"),
    "many names": ({"rows": [{f"{i}-{k}": 1 for k in range(200)} for i in range(300)]}, 413, "cells"),
}


@pytest.mark.parametrize("what", ERRORS)
@pytest.mark.parametrize("path", ["/predict", "/invocations"])
def test_what_cannot_be_read_is_an_error_in_words(path: str, what: str, server: Server) -> None:
    body, status, words = ERRORS[what]
    reply = server.post(path, body)
    assert (reply.status, words in reply.error) == (status, True), reply.body


VALUES: dict[str, tuple[str, Any, str]] = {
    "an unknown level": ("origin", "XXX", "origin not one of EWR, JFK, LGA"),
    "a number where a level is": ("origin", 5, "origin not one of EWR, JFK, LGA"),
    "text where a number is": ("distance", "far", "distance is no number"),
    "beyond float64": ("distance", "1e999", "distance not in "),
    "a large integer": ("distance", 10**400, "distance not in "),
    "a list": ("distance", [1], "distance is no number"),
    "null where none may be": ("distance", None, "distance is missing"),
    "a fraction": ("month", 1.5, "month not in "),
}


@pytest.mark.parametrize("what", VALUES)
def test_a_value_that_is_refused_has_one_answer_on_every_route(what: str, server: Server, rows: Rows) -> None:
    column, value, words = VALUES[what]
    sent = rows[0] | {column: value}
    replies = [
        server.post("/predict", {"rows": [sent]}),
        server.post("/invocations", {"instances": [sent]}),
        server.post("/invocations", {"dataframe_records": [sent]}),
    ]
    if not isinstance(value, list):  # in V2 a list of one is that one
        tensors = [
            {"name": name, "shape": [1], "datatype": "BYTES" if isinstance(v, str) else "FP64", "data": [v]}
            for name, v in sent.items()
        ]
        reply = server.post("/v2/models/departures/infer", {"inputs": tensors})
        assert (reply.status, words in reply.error) == (422, True), reply.body
        replies.append(reply)
    for reply in replies:
        assert reply.status == 422
        assert words in reply.error
        assert reply.json["set_aside"][0]["reasons"].startswith(words)
        assert str(value)[:20] not in reply.error or column == "origin" or value in (None, 1.5, [1])


def test_other_columns_are_named(server: Server, rows: Rows) -> None:
    fewer = [without(row, ("distance",)) for row in rows[:2]]
    assert "missing columns: distance" in server.post("/predict", {"rows": fewer}).error
    more = [row | {"distanse": 1} for row in rows[:2]]
    reply = server.post("/predict", {"rows": more})
    assert (reply.status, "unknown column: distanse" in reply.error) == (422, True)
    assert server.post("/predict?ignore_extra=true", {"rows": more}).status == 200
    assert server.post("/predict", {"rows": more, "ignore_extra": True}).status == 200


def test_too_many_rows(server: Server, rows: Rows) -> None:
    reply = server.post("/predict", {"rows": [rows[0]] * 10_001})
    assert (reply.status, "10,001 rows are more than 10,000" in reply.error) == (413, True)


def test_many_rows_are_scored_in_parts(server: Server, rows: Rows, predicted: Rows) -> None:
    found = server.post("/predict", {"rows": rows * 5}).json
    assert [r["probability_late"] for r in found["predictions"]] == [r["probability_late"] for r in predicted] * 5


def test_requests_in_flight_together_get_their_own_answers(server: Server, rows: Rows, predicted: Rows) -> None:
    found: dict[int, list[float]] = {}

    def ask(begin: int) -> None:
        sent = [rows[at % len(rows)] for at in range(begin, begin + 1 + begin % 7)]
        answer = server.post("/predict", {"rows": sent}).json
        found[begin] = [record["probability_late"] for record in answer["predictions"]]

    threads = [threading.Thread(target=ask, args=(begin,)) for begin in range(0, 960, 20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 48
    for begin, answers in found.items():
        assert answers == [predicted[at]["probability_late"] for at in range(begin, begin + 1 + begin % 7)]
    text = server.get("/metrics").body.decode()
    lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")
    assert float(lines["fullcircle_batch_rows_count"]) > 0
    assert float(lines['fullcircle_rows_total{outcome="scored"}']) >= 48


def test_contributions_add_up_to_the_margin(server: Server, bundle: Bundle, rows: Rows) -> None:
    answer = server.post("/predict?explain=true", {"rows": rows[:5]})
    assert answer.status == 200
    columns = to_columns(rows[:5], bundle.scorer.plan.inputs)
    margins = bundle.scorer.margins(columns)[:, 0]
    for record, margin in zip(answer.json["predictions"], margins.tolist(), strict=True):
        found = record["contributions"]
        assert found["inputs"].keys() == bundle.scorer.plan.inputs.keys()
        assert found["margin"] == margin
        assert found["base"] + sum(found["inputs"].values()) == pytest.approx(margin, abs=1e-9)
        sizes = np.abs([*found["inputs"].values()])
        assert (np.diff(sizes) <= 0).all()
    assert "log odds" in answer.json["contributions_in"]
    assert server.post("/predict?explain=true", {"rows": rows[:101]}).status == 413


def test_an_input_that_the_model_ignores_contributes_nothing(server: Server, bundle: Bundle, rows: Rows) -> None:
    unused = next(name for name in bundle.scorer.plan.inputs if name == "year")
    found = server.post("/predict?explain=true", {"rows": rows[:1]}).json["predictions"][0]["contributions"]["inputs"]
    assert found[unused] == 0


def test_the_description_has_an_example_that_works(server: Server) -> None:
    found = server.get("/openapi.json").json
    example = found["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]["example"]
    assert server.post("/predict", example).status == 200
    tensors = found["paths"]["/v2/models/departures/infer"]["post"]["requestBody"]["content"]["application/json"][
        "example"
    ]
    assert server.post("/v2/models/departures/infer", tensors).status == 200
    row = found["components"]["schemas"]["Row"]["properties"]
    assert row["origin"]["enum"] == ["EWR", "JFK", "LGA"]
    assert row["distance"]["minimum"] == 10


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/ping", "/v2/health/ready", "/docs", "/", "/state"])
def test_what_can_be_fetched(path: str, server: Server) -> None:
    assert server.get(path).status == 200


def test_unknown_paths_and_methods(server: Server) -> None:
    assert server.get("/nothing").status == 404
    reply = server.get("/predict")
    assert (reply.status, reply.headers["allow"]) == (405, "POST")
    assert server.post("/predict", b"x", {"Content-Type": "text/plain"}).status == 415
    assert server.request("POST", "/predict", b"{}").status == 415
    assert server.post("/predict?what=1", {"rows": []}, JSON).status == 400
