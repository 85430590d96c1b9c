"""The V2 protocol over gRPC, spoken by Triton's own client."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import tritonclient.grpc as triton
from tritonclient.utils import InferenceServerException

from tests.serving.servers import serving
from tests.serving.test_v2 import tensors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fullcircle.scoring.bundle import Bundle

Rows = list[dict[str, Any]]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def client(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    port = free_port()
    config = tmp_path_factory.mktemp("grpc") / "serving.yaml"
    config.write_text(f"grpc_port: {port}\nlimits: {{rows: 1000}}\n")
    with serving(folder, "--config", str(config), env={"FULLCIRCLE_API_KEYS": "k"}) as server:
        assert server.get("/health/ready").status == 200  # its lifespan has begun, and gRPC with it
        made = triton.InferenceServerClient(f"127.0.0.1:{port}")
        yield made
        made.close()


KEY = {"authorization": "Bearer k"}


def grpc_tensors(rows: Rows, bundle: Bundle) -> list[Any]:
    made = []
    for each in tensors(rows, bundle.scorer.plan.inputs, binary=True):
        tensor = triton.InferInput(each.name(), each.shape(), each.datatype())
        values = [row[each.name()] for row in rows]
        numeric = each.datatype() == "FP64"
        array = [np.nan if value is None else value for value in values] if numeric else [v or "" for v in values]
        tensor.set_data_from_numpy(np.array(array, float if numeric else object))
        made.append(tensor)
    return made


def test_a_thousand_rows(client: Any, bundle: Bundle, rows: Rows, predicted: Rows) -> None:
    found = client.infer("departures", grpc_tensors(rows, bundle), request_id="7", headers=KEY)
    assert found.as_numpy("probability_late").tolist() == [row["probability_late"] for row in predicted]
    assert [word.decode() for word in found.as_numpy("prediction")] == [row["prediction"] for row in predicted]
    assert found.get_response().id == "7"


def test_server_and_model(client: Any, bundle: Bundle) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("departures", headers=KEY)
    assert client.get_server_metadata(headers=KEY).name == "fullcircle"
    found = client.get_model_metadata("departures", "0.1.0", headers=KEY)
    assert {each.name for each in found.inputs} >= bundle.scorer.plan.inputs.keys()


def test_errors_have_their_words_and_codes(client: Any, bundle: Bundle, rows: Rows) -> None:
    with pytest.raises(InferenceServerException, match="a key is needed") as refused:
        client.infer("departures", grpc_tensors(rows[:1], bundle))
    assert "UNAUTHENTICATED" in refused.value.status()
    with pytest.raises(InferenceServerException, match="there is no such model"):
        client.infer("arrivals", grpc_tensors(rows[:1], bundle), headers=KEY)
    with pytest.raises(InferenceServerException, match="missing columns"):
        client.infer("departures", grpc_tensors(rows[:1], bundle)[1:], headers=KEY)
    with pytest.raises(InferenceServerException, match="distance not in"):
        client.infer("departures", grpc_tensors([rows[0] | {"distance": 1e9}], bundle), headers=KEY)
    with pytest.raises(InferenceServerException, match="1,001 rows are more than 1,000"):
        client.infer("departures", grpc_tensors(rows + rows[:1], bundle), headers=KEY)
