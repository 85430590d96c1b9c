from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fullcircle.base.errors import BundleError, ConfigError
from fullcircle.serving import settings as module
from fullcircle.serving.command import parser, settings_of
from fullcircle.serving.settings import (
    PredictionSettings,
    Settings,
    check_keys,
    find_bundle,
    of_platform,
    read_settings,
)

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*module.PORTS, module.NO_AUTH, module.KEYS, "AZUREML_MODEL_DIR"):
        monkeypatch.delenv(name, raising=False)


def test_the_file_of_the_repository_has_every_setting_with_its_default() -> None:
    url = "sqlite:///data/log/predictions.sqlite"
    assert read_settings(ROOT / "conf/serving.yaml") == Settings(predictions=PredictionSettings(url))
    text = (ROOT / "conf/serving.yaml").read_text(encoding="utf-8")
    for name in (*Settings.__slots__, *module.Limits.__slots__, *module.StateSettings.__slots__):
        assert f"{name}:" in text or name in ("allow_unblessed", "no_auth")


def test_the_bundle_is_that_given_that_of_the_platform_or_the_packaged_one(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_bundle(None, None) == Path("dist/bundle")
    assert find_bundle(None, tmp_path) == tmp_path
    shutil.copytree(folder, tmp_path / "model")
    monkeypatch.setattr(module, "SAGEMAKER_MODEL", tmp_path / "model")
    assert find_bundle(None, folder) == tmp_path / "model"
    monkeypatch.setenv("AZUREML_MODEL_DIR", str(tmp_path / "none"))
    assert find_bundle(None, folder) == tmp_path / "model"
    shutil.copytree(folder, tmp_path / "azure/1/bundle")
    monkeypatch.setenv("AZUREML_MODEL_DIR", str(tmp_path / "azure"))
    assert find_bundle(None, folder) == tmp_path / "azure/1/bundle"
    assert find_bundle(folder, None) == folder
    shutil.copytree(folder, tmp_path / "azure/2/bundle")
    with pytest.raises(BundleError, match="holds 2 bundles"):
        find_bundle(None, None)


def test_a_platform_sets_the_port_on_every_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIP_HTTP_PORT", "7080")
    found = of_platform(Settings())
    assert (found.host, found.port) == ("0.0.0.0", 7080)  # noqa: S104
    monkeypatch.setenv("AIP_HTTP_PORT", "http")
    with pytest.raises(ConfigError, match="AIP_HTTP_PORT must be a port, and is 'http'"):
        of_platform(Settings())


def test_options_come_before_the_file_and_the_platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "serving.yaml"
    file.write_text("port: 1\nhost: ::1\nstate: {folder: a, stale_hours: {weather: 2}}\n")
    monkeypatch.setenv("SAGEMAKER_BIND_TO_PORT", "3")
    given = parser("serve").parse_args(["--config", str(file), "--port", "2", "--state", "b", "--no-auth"])
    found = settings_of(given)
    assert (found.port, found.state.folder, found.state.stale_hours, found.no_auth) == (2, "b", {"weather": 2}, True)


def test_keys_are_needed_on_other_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="needs keys"):
        check_keys(Settings(host="10.0.0.1"))
    check_keys(Settings(host="10.0.0.1", no_auth=True))
    check_keys(Settings(host="127.0.0.1"))
    monkeypatch.setenv(module.KEYS, " , ")
    with pytest.raises(ConfigError, match="needs keys"):
        check_keys(Settings(host="10.0.0.1"))
    monkeypatch.setenv(module.KEYS, "a")
    check_keys(Settings(host="10.0.0.1"))
