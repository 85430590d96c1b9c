"""SageMaker, Vertex AI and Azure ML start the service in their own ways."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

from tests.serving.servers import JSON, refused, serving

if TYPE_CHECKING:
    from pathlib import Path

Rows = list[dict[str, Any]]
OPEN = {"FULLCIRCLE_NO_AUTH": "1"}


def free_port() -> str:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return str(found.getsockname()[1])


def test_sagemaker(folder: Path, rows: Rows, predicted: Rows) -> None:
    port = free_port()
    with serving(folder, env={"SAGEMAKER_BIND_TO_PORT": port, **OPEN}) as server:
        assert server.port == int(port)
        assert server.get("/ping").status == 200
        found = server.post("/invocations", {"instances": rows[:3]}).json["predictions"]
        assert [record["probability_late"] for record in found] == [p["probability_late"] for p in predicted[:3]]


def test_vertex_ai(folder: Path, rows: Rows, predicted: Rows) -> None:
    env = {
        "AIP_HTTP_PORT": free_port(),
        "AIP_HEALTH_ROUTE": "/v1/endpoints/1/deployedModels/2",
        "AIP_PREDICT_ROUTE": "/v1/endpoints/1/deployedModels/2:predict",
    }
    with serving(folder, env={**env, "FULLCIRCLE_API_KEYS": "k"}) as server:
        assert server.get(env["AIP_HEALTH_ROUTE"]).status == 200  # a probe has no key
        body = {"instances": rows[:3], "parameters": {"explain": True}}
        assert server.post(env["AIP_PREDICT_ROUTE"], body).status == 401
        reply = server.post(env["AIP_PREDICT_ROUTE"], body, JSON | {"Authorization": "Bearer k"})
        found = reply.json["predictions"]
        assert [record["probability_late"] for record in found] == [p["probability_late"] for p in predicted[:3]]
        assert "contributions" in found[0]


def test_azure_ml(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "azureml-models/departures/1/bundle")
    env = {"AZUREML_MODEL_DIR": str(tmp_path / "azureml-models")}
    with serving(None, env=env) as server:
        assert server.get("/health/live").status == server.get("/health/ready").status == 200
    shutil.copytree(folder, tmp_path / "azureml-models/departures/2/bundle")
    assert "holds 2 bundles" in refused(None, env=env)


def test_sigterm_lets_requests_in_flight_end(folder: Path, rows: Rows) -> None:
    """A request whose body is still on its way when SIGTERM comes is answered; then the process ends."""
    body = json.dumps({"rows": rows * 4}).encode()
    head = f"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with serving(folder) as server:
        connection = socket.create_connection(("127.0.0.1", server.port))
        connection.sendall(head.encode() + body[:1000])
        while "fullcircle_requests_in_flight 2.0" not in server.get("/metrics").body.decode():
            time.sleep(0.01)
        ended: list[str] = []
        stopping = threading.Thread(target=lambda: ended.append(server.stop()))
        stopping.start()
        while True:  # until it takes no more connections
            try:
                socket.create_connection(("127.0.0.1", server.port)).close()
            except OSError:
                break
        connection.sendall(body[1000:])
        answer = b""
        while part := connection.recv(1 << 20):
            answer += part
        connection.close()
        stopping.join(30)
        assert answer.startswith(b"HTTP/1.1 200")
        assert b'"scored":4000' in answer
        assert server.process.returncode in (0, -signal.SIGTERM)
        assert '"status": 200' in ended[0]
