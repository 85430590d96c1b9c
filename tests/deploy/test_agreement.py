"""Ports, paths, limits and names of environment variables are the same in all deployment files, and in the service."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from fullcircle.serving.guard import OPEN
from fullcircle.serving.settings import KEYS, NO_AUTH, PORTS, Settings, read_settings
from tests.deploy.files import (
    BASE,
    DEPLOY,
    DOCKERFILE,
    KSERVE,
    NGINX,
    container,
    directives,
    healthcheck,
    instruction,
    read_yaml,
)

if TYPE_CHECKING:
    from pathlib import Path

PORT = Settings().port
LIMITS = Settings().limits
FLAGS = {"--host", "--port", "--workers", "--config", "--state", "--allow-unblessed", "--no-auth"}
PROBES = {"startupProbe": "/health/ready", "readinessProbe": "/health/ready", "livenessProbe": "/health/live"}
PROBES_V2 = {"readinessProbe": "/v2/health/ready", "livenessProbe": "/v2/health/live"}
WORKLOADS = [BASE / "deployment.yaml", KSERVE]
TELEMETRY = "ORT_DISABLE_TELEMETRY"


def environment(file: Path) -> dict[str, Any]:
    """Name -> value of the container's environment variables."""
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in container(read_yaml(file))["env"]}


def text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def seconds(name: str) -> int:
    """A time in nginx's configuration, the largest where there are several."""
    return max(map(int, re.findall(rf"^ +{name} (\d+)s;", text(NGINX), re.MULTILINE)))


def test_all_files_name_the_port_of_the_service() -> None:
    (unit,) = directives("ExecStart")
    found = {
        "Dockerfile": instruction("EXPOSE"),
        "HEALTHCHECK": re.findall(r"AIP_HTTP_PORT\", (\d+)", healthcheck()[-1])[0],
        "systemd": re.findall(r"--port (\d+)", unit)[0],
        "bind": re.findall(r"tcp:(\d+)", directives("SocketBindAllow")[0])[0],
        "nginx": re.findall(r"server 127\.0\.0\.1:(\d+);", text(NGINX))[0],
    }
    for file in WORKLOADS:
        found[f"{file.stem} port"] = str(container(read_yaml(file))["ports"][0]["containerPort"])
        found[f"{file.stem} --port"] = (arguments := container(read_yaml(file))["args"])[arguments.index("--port") + 1]
    assert {where: port for where, port in found.items() if port != str(PORT)} == {}


@pytest.mark.parametrize(("file", "probes"), [(WORKLOADS[0], PROBES), (KSERVE, PROBES_V2)])
def test_probes_read_the_paths_of_the_service(file: Path, probes: dict[str, str]) -> None:
    found = {name: value["httpGet"] for name, value in container(read_yaml(file)).items() if name.endswith("Probe")}
    assert {name: get["path"] for name, get in found.items()} == probes
    (port,) = container(read_yaml(file))["ports"]
    assert {get["port"] for get in found.values()} == {port.get("name", PORT)}


def test_probes_need_no_key() -> None:
    assert {*PROBES.values(), *PROBES_V2.values()} <= OPEN


def test_the_health_check_of_the_image_is_the_liveness_probe() -> None:
    assert f"{PROBES['livenessProbe']}'" in healthcheck()[-1]


def test_prometheus_reads_the_named_port() -> None:
    monitor = read_yaml(DEPLOY / "kubernetes/components/servicemonitor/servicemonitor.yaml")
    (endpoint,) = monitor["spec"]["endpoints"]
    (port,) = read_yaml(BASE / "service.yaml")["spec"]["ports"]
    (listening,) = container(read_yaml(BASE / "deployment.yaml"))["ports"]
    assert (endpoint["port"], endpoint["path"]) == (port["name"], "/metrics")
    assert port["targetPort"] == listening["name"]
    keys = environment(BASE / "deployment.yaml")[KEYS]["secretKeyRef"]
    assert endpoint["authorization"]["credentials"]["name"] == keys["name"]


def test_the_service_has_the_flags() -> None:
    (unit,) = directives("ExecStart")
    commands = [unit, instruction("CMD"), *(str(container(read_yaml(file))["args"]) for file in WORKLOADS)]
    assert all("serve" in command for command in commands)
    assert {flag for command in commands for flag in re.findall(r"--[a-z-]+", command)} <= FLAGS


def test_the_mounted_settings_are_those_that_are_read() -> None:
    pods = read_yaml(BASE / "deployment.yaml")["spec"]["template"]["spec"]
    (generated,) = read_yaml(BASE / "kustomization.yaml")["configMapGenerator"]
    (volume,) = [each for each in pods["volumes"] if "configMap" in each]
    arguments = container(read_yaml(BASE / "deployment.yaml"))["args"]
    mounts = {
        each["name"]: each["mountPath"] for each in container(read_yaml(BASE / "deployment.yaml"))["volumeMounts"]
    }
    assert volume["configMap"]["name"] == generated["name"]
    assert arguments[arguments.index("--config") + 1] == f"{mounts[volume['name']]}/{generated['files'][0]}"
    assert read_settings(BASE / "serving.yaml").workers == 1


def test_a_shutdown_has_time_to_drain() -> None:
    grace = read_yaml(BASE / "deployment.yaml")["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    (stop,) = directives("TimeoutStopSec")
    drain = max(LIMITS.drain_seconds, read_settings(BASE / "serving.yaml").limits.drain_seconds)
    assert min(grace, int(stop)) >= drain + 10


def test_nginx_waits_as_long_as_the_service() -> None:
    assert re.findall(r"client_max_body_size (\d+)m;", text(NGINX)) == [str(LIMITS.body_bytes // 2**20)]
    assert seconds("client_header_timeout") == LIMITS.head_seconds
    assert seconds("client_body_timeout") == LIMITS.body_seconds
    assert seconds("proxy_read_timeout") > LIMITS.answer_seconds


def test_keys_come_from_a_secret() -> None:
    assert list(environment(BASE / "deployment.yaml")[KEYS]) == ["secretKeyRef"]
    assert NO_AUTH not in environment(BASE / "deployment.yaml")
    assert environment(KSERVE)[NO_AUTH] == "1"


def test_the_image_sets_what_the_service_reads() -> None:
    names = re.findall(r"^(?:ENV|   ) ([A-Z_]+)=", text(DOCKERFILE), re.MULTILINE)
    assert {NO_AUTH, PORTS[0]} <= set(names)


def test_onnx_runtime_reports_nothing() -> None:
    assert re.search(rf"^ +{TELEMETRY}=1 ", text(DOCKERFILE), re.MULTILINE)
    assert f"{TELEMETRY}=1" in " ".join(directives("Environment")).split()
    assert [environment(file).get(TELEMETRY) for file in WORKLOADS] == ["1", "1"]
