"""The Open Inference Protocol V2, spoken by Triton's own client and by hand."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tritonclient.http as triton

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fullcircle.base.checks import Column
    from fullcircle.scoring.bundle import Bundle
    from tests.serving.servers import Server

Rows = list[dict[str, Any]]
PATH = "/v2/models/departures"


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[Any]:
    made = triton.InferenceServerClient(f"127.0.0.1:{server.port}", network_timeout=60.0)
    yield made
    made.close()


def tensors(rows: Rows, inputs: dict[str, Column], *, binary: bool) -> list[Any]:
    made = []
    for name, column in inputs.items():
        values = [row[name] for row in rows]
        numeric = column.kind in ("number", "integer")
        if numeric:
            array = np.array([math.nan if value is None else value for value in values], float)
        else:
            array = np.array(["" if value is None else value for value in values], object)
        tensor = triton.InferInput(name, [len(values)], "FP64" if numeric else "BYTES")
        tensor.set_data_from_numpy(array, binary_data=binary)
        made.append(tensor)
    return made


@pytest.mark.parametrize("asks", [True, False])
def test_tritons_client_infers_a_thousand_rows_in_binary(
    asks: bool, client: Any, bundle: Bundle, rows: Rows, predicted: Rows
) -> None:
    wanted = [
        triton.InferRequestedOutput(name, binary_data=asks) for name in ("prediction", "probability_late", "error")
    ]
    found = client.infer(
        "departures", tensors(rows, bundle.scorer.plan.inputs, binary=True), outputs=wanted, request_id="r-1"
    )
    assert found.get_response()["id"] == "r-1"
    assert found.as_numpy("probability_late").tolist() == [row["probability_late"] for row in predicted]
    words = [word.decode() if isinstance(word, bytes) else word for word in found.as_numpy("prediction").tolist()]
    assert words == [row["prediction"] for row in predicted]


def test_tritons_client_infers_a_thousand_rows_in_json(
    client: Any, bundle: Bundle, rows: Rows, predicted: Rows
) -> None:
    """NaN is no JSON, which Triton's client writes for it; so the rows here have none."""
    inputs = bundle.scorer.plan.inputs
    whole = [at for at, row in enumerate(rows) if None not in row.values()]
    assert len(whole) > 50
    chosen = ([rows[at] for at in whole] * 20)[:1000]
    found = client.infer("departures", tensors(chosen, inputs, binary=False), model_version="0.1.0")
    late = ([predicted[at]["probability_late"] for at in whole] * 20)[:1000]
    assert found.as_numpy("probability_late").tolist() == late


def test_tritons_client_sees_server_and_model(client: Any, bundle: Bundle) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("departures")
    assert client.is_model_ready("departures", "0.1.0")
    assert not client.is_model_ready("departures", "9")
    assert client.get_server_metadata()["extensions"] == ["binary_tensor_data"]
    found = client.get_model_metadata("departures")
    assert found["versions"] == ["0.1.0"]
    assert {each["name"] for each in found["inputs"]} >= bundle.scorer.plan.inputs.keys()
    assert {each["name"]: each["datatype"] for each in found["outputs"]} == {
        "prediction": "BYTES", "probability_on_time": "FP64", "probability_late": "FP64", "error": "BYTES",
    }  # fmt: skip


def body(rows: Rows, inputs: dict[str, Column]) -> dict[str, Any]:
    return {
        "inputs": [
            {
                "name": name,
                "shape": [len(rows), 1],
                "datatype": "FP64" if column.kind in ("number", "integer") else "BYTES",
                "data": [row[name] for row in rows],
            }
            for name, column in inputs.items()
        ]
    }


def test_json_with_nulls(server: Server, bundle: Bundle, rows: Rows, predicted: Rows) -> None:
    assert any(None in row.values() for row in rows)
    reply = server.post(f"{PATH}/infer", body(rows, bundle.scorer.plan.inputs))
    assert reply.status == 200, reply.body
    outputs = {each["name"]: each["data"] for each in reply.json["outputs"]}
    assert outputs["probability_late"] == [row["probability_late"] for row in predicted]
    assert outputs["error"] == [""] * len(rows)


def test_nested_data_and_a_row_that_is_set_aside(server: Server, bundle: Bundle, rows: Rows, predicted: Rows) -> None:
    sent = body([rows[0], rows[1] | {"distance": 1e9}], bundle.scorer.plan.inputs)
    for tensor in sent["inputs"]:
        tensor["data"] = [[value] for value in tensor["data"]]
    outputs = {each["name"]: each["data"] for each in server.post(f"{PATH}/infer", sent).json["outputs"]}
    assert outputs["probability_late"] == [predicted[0]["probability_late"], None]
    assert outputs["prediction"] == [predicted[0]["prediction"], None]
    assert outputs["error"][0] == ""
    assert outputs["error"][1].startswith("distance not in")


def test_a_binary_text_that_the_source_has_for_null_is_null(
    client: Any, server: Server, bundle: Bundle, rows: Rows
) -> None:
    inputs = bundle.scorer.plan.inputs
    name = next(n for n, c in inputs.items() if c.kind == "category" and c.missing == "keep")
    nothing = server.post("/predict", {"rows": [rows[0] | {name: None}]}).json["predictions"][0]["probability_late"]
    for word in ("", "NA"):
        found = client.infer("departures", tensors([rows[0] | {name: word}], inputs, binary=True))
        assert found.as_numpy("probability_late").tolist() == [nothing]


def tensor(**changes: Any) -> dict[str, Any]:
    return {"name": "distance", "shape": [1], "datatype": "FP64", "data": [1.0]} | changes


WRONG: dict[str, tuple[Any, int, str]] = {
    "no inputs": ({}, 400, '"inputs"'),
    "empty inputs": ({"inputs": []}, 400, '"inputs"'),
    "no name": ({"inputs": [tensor(name=1)]}, 400, "a name of its own"),
    "one name twice": ({"inputs": [tensor(), tensor()]}, 400, "a name of its own"),
    "another datatype": ({"inputs": [tensor(datatype="FP8")]}, 400, "must be one of BOOL"),
    "a matrix": ({"inputs": [tensor(shape=[1, 2])]}, 422, "must be [rows]"),
    "a shape that is none": ({"inputs": [tensor(shape="1")]}, 422, "must be [rows]"),
    "another number of values": ({"inputs": [tensor(shape=[2])]}, 422, "2 values"),
    "text for a number": ({"inputs": [tensor(data=["far"])]}, 422, "is no FP64"),
    "true for a number": ({"inputs": [tensor(data=[True])]}, 422, "is no FP64"),
    "no data": ({"inputs": [tensor(data=None)]}, 400, "must be a list"),
    "no rows": ({"inputs": [tensor(shape=[0], data=[])]}, 422, "there are no rows"),
    "missing columns": ({"inputs": [tensor()]}, 422, "missing columns"),
    "another output": ({"inputs": [tensor()], "outputs": [{"name": "x"}]}, 400, "there are these outputs"),
    "a binary size without data": (
        {"inputs": [tensor(parameters={"binary_data_size": 8})]}, 400, "not as long as"),
    "a binary size that is none": (
        {"inputs": [tensor(parameters={"binary_data_size": -1})]}, 400, "binary_data_size must be"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_request_is_an_error_in_words(what: str, server: Server) -> None:
    value, status, words = WRONG[what]
    reply = server.post(f"{PATH}/infer", value)
    assert (reply.status, words in reply.error) == (status, True), reply.body


@pytest.mark.parametrize(
    "data",
    [b"", b"\x05\0\0\0ab", b"\xff\xff\xff\xff", struct.pack("<I", 2) + b"\xff\xfe", struct.pack("<I", 1) + b"a" + b"x"],
)
def test_binary_data_that_do_not_fit(data: bytes, server: Server) -> None:
    parameters = f'"parameters": {{"binary_data_size": {len(data)}}}'
    head = f'{{"inputs": [{{"name": "carrier", "shape": [1], "datatype": "BYTES", {parameters}}}]}}'.encode()
    headers = {"Inference-Header-Content-Length": str(len(head))}
    reply = server.post(f"{PATH}/infer", head + data, headers)
    assert (reply.status, "carrier" in reply.error) == (422, True)
    for length in ("x", "-1", "99999999999"):
        assert server.post(f"{PATH}/infer", head + data, {"Inference-Header-Content-Length": length}).status == 400


def test_another_model_or_version_is_not_there(server: Server) -> None:
    assert server.get("/v2/models/arrivals").status == 404
    assert server.get(f"{PATH}/versions/9").status == 404
    assert server.get(f"{PATH}/versions/0.1.0").status == 200
    assert server.post("/v2/models/arrivals/infer", {}).status == 404
