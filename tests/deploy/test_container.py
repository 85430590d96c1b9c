"""The image: its lint, its locked requirements, its health check, and the script that builds it without Docker."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
import tomllib
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.deploy.files import DEPLOY, DOCKERFILE, ROOT, healthcheck, instruction, output, tool

CONTAINER = DEPLOY / "container"
SCRIPT = CONTAINER / "without-docker"


def text() -> str:
    return DOCKERFILE.read_text(encoding="utf-8")


def pins() -> list[tuple[str, str]]:
    """Name and version of each locked requirement."""
    text = (CONTAINER / "requirements.txt").read_text(encoding="utf-8")
    return re.findall(r"^([\w.-]+)==([\w.]+)", text, re.MULTILINE)


def names() -> list[str]:
    """What the service needs, as written by hand."""
    lines = (CONTAINER / "requirements.in").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if not line.startswith("#")]


def test_the_dockerfile_has_no_lint() -> None:
    output(tool("hadolint"), DOCKERFILE)


def test_the_image_runs_the_service_in_exec_form() -> None:
    assert json.loads(instruction("ENTRYPOINT")) == ["model"]
    assert json.loads(instruction("CMD")) == ["serve", "--host", "0.0.0.0"]  # noqa: S104


def test_the_image_does_not_run_as_root_by_default() -> None:
    assert instruction("USER") == "${RUN_AS}"
    assert re.findall(r"^ARG RUN_AS=(.*)$", text(), re.MULTILINE) == ["10001:10001"]


def test_keys_are_required_by_default() -> None:
    assert re.findall(r"^ARG NO_AUTH=(.*)$", text(), re.MULTILINE) == ['""']


def test_only_the_wheel_and_its_requirements_go_to_the_builder() -> None:
    lines = (CONTAINER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    allowed = {line.removeprefix("!") for line in lines if line.startswith("!")}
    copied = {path for line in re.findall(r"^COPY (?!--from)(.*) \S+$", text(), re.MULTILINE) for path in line.split()}
    assert "*" in lines
    assert allowed == copied


def test_the_image_runs_the_versions_that_are_tested() -> None:
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    locked = {(package["name"], package.get("version")) for package in lock["package"]}
    assert [pin for pin in pins() if pin not in locked] == [], "lock them again: see deploy/README.md"


def test_each_requirement_is_locked_with_hashes() -> None:
    locked = (CONTAINER / "requirements.txt").read_text(encoding="utf-8")
    assert set(names()) <= {name for name, _ in pins()}
    assert [block for block in re.split(r"\n(?=\w)", locked)[1:] if "--hash=sha256:" not in block] == []


def test_the_requirements_are_those_of_the_wheel() -> None:
    template = (ROOT / "src/fullcircle/packaging/wheel.py").read_text(encoding="utf-8")
    lists = re.findall(r"^(?:dependencies|serve|log) = (\[.*?\])$", template, re.MULTILINE | re.DOTALL)
    assert len(lists) == 3
    needed = [name for each in lists for name in re.findall(r'"([a-z][a-z0-9-]*)', each)]
    assert names() == sorted([*needed, "psycopg", "psycopg-binary"])


def test_the_image_installs_nothing_for_training() -> None:
    assert {"xgboost", "scikit-learn", "pandas", "pyarrow", "dvc"}.isdisjoint(name for name, _ in pins())


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
def test_the_health_check_reads_the_status(status: int, healthy: bool) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/health/live" else 404)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name in the base class
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        python, *arguments = healthcheck()
        done = subprocess.run(
            [sys.executable, *arguments],
            env=os.environ | {"AIP_HTTP_PORT": str(server.server_port)},
            capture_output=True,
            check=False,
        )
        server.shutdown()
    assert python == "python"
    assert (done.returncode == 0) == healthy, done.stderr.decode()


def test_the_script_parses() -> None:
    output("bash", "-n", SCRIPT)


def test_the_script_has_no_lint() -> None:
    output(tool("shellcheck"), SCRIPT)


def test_the_script_names_the_python_of_the_dockerfile() -> None:
    version, release = re.findall(r"python:([\d.]+)-slim-(\w+)", text())[0]
    assert f"python{version}-venv" in SCRIPT.read_text(encoding="utf-8")
    assert f" {release} " in SCRIPT.read_text(encoding="utf-8")
