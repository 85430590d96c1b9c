"""Clients and servers that need environments of their own: `make test-contracts` makes those and runs this."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.pipeline.graph import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.conftest import Project
    from tests.serving.servers import Server

Rows = list[dict[str, Any]]
ENVIRONMENTS = os.environ.get("FULLCIRCLE_CONTRACTS")
pytestmark = pytest.mark.skipif(ENVIRONMENTS is None, reason="`make test-contracts` makes the environments")

KSERVE = """
import asyncio, json, sys
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig

async def main(url, rows, kinds):
    client = InferenceRESTClient(RESTConfig(protocol="v2", timeout=60))
    assert await client.is_server_live(url)
    assert await client.is_server_ready(url)
    assert await client.is_model_ready(url, "departures")
    inputs = [
        InferInput(name, [len(rows)], kind, data=[row[name] for row in rows]) for name, kind in kinds.items()
    ]
    found = await client.infer(url, InferRequest("departures", inputs), model_name="departures")
    outputs = {each.name: each.data for each in found.outputs}
    print(json.dumps(outputs["probability_late"]))

asyncio.run(main(sys.argv[1], *json.load(sys.stdin)))
"""


def python(name: str) -> Path:
    return Path(str(ENVIRONMENTS)).absolute() / name / "bin/python"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_kserves_client(server: Server, bundle: Any, rows: Rows, predicted: Rows) -> None:
    kinds = {
        name: "FP64" if column.kind in ("number", "integer") else "BYTES"
        for name, column in bundle.scorer.plan.inputs.items()
    }
    whole = [at for at, row in enumerate(rows) if None not in row.values()]
    sent = json.dumps([[rows[at] for at in whole], kinds])
    done = subprocess.run(
        [python("kserve"), "-c", KSERVE, server.url], input=sent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [predicted[at]["probability_late"] for at in whole]


@contextmanager
def hosted(command: list[str], port: int, env: Mapping[str, str], log: Path) -> Iterator[str]:
    """Another server while the block runs; its URL, once it listens."""
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env={**os.environ, **env}, start_new_session=True)
    try:
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                assert process.poll() is None, log.read_text()
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, 15)
        process.wait(60)


def ask(url: str, value: Any) -> tuple[int, Any]:
    body = json.dumps(value).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310
    for _ in range(100):
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                if error.code != 502:  # a server that has not begun yet
                    return error.code, json.loads(error.read() or b"null")
        except OSError:
            pass
        time.sleep(0.2)
    raise AssertionError("no answer")


def test_mlflow_serves_an_export_with_the_same_answers(
    reproduced: Project, tmp_path: Path, rows: Rows, predicted: Rows
) -> None:
    reproduced.run("fullcircle", "export", "mlflow", str(tmp_path / "model"))
    port = free_port()
    env = {"PATH": f"{python('mlflow').parent}:{os.environ['PATH']}"}
    command = [str(python("mlflow").parent / "mlflow"), "models", "serve", "-m", str(tmp_path / "model")]
    command += ["-p", str(port), "--env-manager", "local"]
    with hosted(command, port, env, tmp_path / "log") as url:
        split = {"columns": [*rows[0]], "data": [[*row.values()] for row in rows]}
        for sent in ({"dataframe_records": rows}, {"dataframe_split": split}):
            status, found = ask(f"{url}/invocations", sent)
            assert status == 200, str(found)[-3000:]
            late = [row["probability_late"] for row in found["predictions"]]
            assert late == [row["probability_late"] for row in predicted]
        status, found = ask(f"{url}/invocations", {"dataframe_records": [rows[0], rows[1] | {"distance": 1e9}]})
        assert found["predictions"][1]["error"].startswith("distance not in")


def test_azures_server_hosts_the_score_file(
    folder: Path, reproduced: Project, tmp_path: Path, rows: Rows, predicted: Rows
) -> None:
    (wheel,) = (reproduced.folder / "dist/wheel").glob("*.whl")
    site = tmp_path / "site"
    subprocess.run(
        [sys.executable, "-m", "uv", "pip", "install", "-q", "--no-deps", "--target", site, wheel], check=True
    )
    shutil.copytree(folder, tmp_path / "model/bundle")
    port = free_port()
    env = {"PYTHONPATH": str(site), "SCORER": "departures_scorer", "AZUREML_MODEL_DIR": str(tmp_path / "model")}
    command = [str(python("azure").parent / "azmlinfsrv"), "--entry_script", str(ROOT / "deploy/azure/score.py")]
    with hosted([*command, "--port", str(port)], port, env, tmp_path / "log") as url:
        status, found = ask(f"{url}/score", {"instances": rows})
        assert status == 200, found
        assert [row["probability_late"] for row in found["predictions"]] == [p["probability_late"] for p in predicted]
        status, found = ask(f"{url}/score", {"instances": [rows[0] | {"distance": "far"}]})
        assert status == 422
        assert "distance is no number" in found["error"]
