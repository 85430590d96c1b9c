"""Secrets are refused where git would store them, and no message shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from fullcircle.base.errors import ConfigError, SourceError
from fullcircle.base.typed import build
from fullcircle.core.config import check_aliases, compose, read_params
from fullcircle.core.data import Data
from fullcircle.core.source import Source
from fullcircle.sources.errors import masked
from fullcircle.sources.location import source_of
from fullcircle.stages.package import PackageConfig
from tests import project

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Project

HIDDEN = "hunter2"
URLS = (
    f"postgresql://me:{HIDDEN}@db/shop",
    f"postgresql://me:/{HIDDEN}@db/shop",
    f"postgresql://me:a/{HIDDEN}@db/shop",
    f"postgresql://me:a#{HIDDEN}@db/shop",
    f"postgresql://me:a?{HIDDEN}@db/shop",
    f"postgresql://db/shop?user=me&password={HIDDEN}",
    f"postgresql://:{HIDDEN}@db/shop",
    f"https://me:{HIDDEN}@host/rows",
    f"https://host/rows?token={HIDDEN}",
    f"https://host/rows?page=1&api_key={HIDDEN}",
    f"https://host/rows?page=1;access_token={HIDDEN}#x",
    f"https://host/rows.csv?X-Amz-Signature={HIDDEN}",
    f"https://host/rows.csv?pass%77ord={HIDDEN}",
    f"s3://me:{HIDDEN}@bucket/rows.csv",
)
SAFE = (
    "postgresql://me@db:5432/shop",
    "https://host:8080/rows?page=1&author=x&keyword=y",
    "data/source/rows@2026.csv",
    "s3://bucket/a:b@c.csv",
)


def of_kind(url: str) -> dict[str, Any]:
    if url.startswith("postgresql"):
        return {"kind": "sql", "url": url, "table": "rows"}
    if url.startswith("https") and ".csv" not in url:
        return {"kind": "http", "url": url}
    return {"kind": "file", "path": url}


@pytest.mark.parametrize("url", URLS)
def test_a_secret_in_a_url_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(ConfigError, match="git would store") as caught:
        build(Source, of_kind(url), "problem.sources.rows")  # type: ignore[arg-type]
    assert HIDDEN not in str(caught.value)
    with pytest.raises(SourceError) as refused:
        source_of(f"{url}{'&' if '?' in url else '?'}table=rows" if url.startswith("postgresql") else url)
    assert HIDDEN not in str(refused.value)


@pytest.mark.parametrize("url", SAFE)
def test_a_url_without_a_secret_is_taken(url: str) -> None:
    build(Source, of_kind(url), "problem.sources.rows")  # type: ignore[arg-type]


@pytest.mark.parametrize("url", URLS)
def test_a_secret_in_the_message_of_a_driver_is_masked(url: str) -> None:
    assert HIDDEN not in masked(f"cannot connect to {url} (timeout)")
    assert "(timeout)" in masked(f"cannot connect to {url} (timeout)") or "@" in url


@pytest.mark.parametrize(
    ("key", "name", "message"),
    [
        ("headers", "X-Api-Key", "header X-Api-Key is a secret, .*`headers_env`"),
        ("headers", "authorization", "header authorization is a secret"),
        ("headers", "X-Auth-Key", "header X-Auth-Key is a secret"),
        ("headers", "Cookie", "header Cookie is a secret"),
        ("parameters", "token", "parameter token is a secret, .*`parameters_env`"),
    ],
)
def test_a_header_or_parameter_that_is_named_like_a_secret_is_refused(key: str, name: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        build(Source, {"kind": "http", "url": "https://host/rows", key: {name: HIDDEN}}, "s")  # type: ignore[arg-type]
    assert HIDDEN not in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        "${oc.env:HOME}",
        "${oc.env :HOME}",
        "${oc.decode:${oc.env:HOME}}",
        "a ${oc.env:HOME,none} b",
        "[1, '${oc.env:HOME}']",
    ],
)
def test_a_value_of_the_environment_is_kept_out_of_params_yaml(tmp_path: Path, value: str) -> None:
    conf = project.conf_in(tmp_path)
    with (conf / "problem/departures.yaml").open("a", encoding="utf-8") as file:
        file.write(f"\nclean: {{max_rejected: {value if value[0] == '[' else repr(value)}}}\n")
    with pytest.raises(ConfigError, match=r"clean\.max_rejected.* takes a value from the environment"):
        compose((), conf)


VARIABLE = "cross_fit: 1, few_levels: '${oc.decode:${oc.env:LEVELS}}'"


def test_the_first_stage_refuses_a_value_of_the_environment_too(copied: Project) -> None:
    copied.edit("conf/problem/departures.yaml", "cross_fit: 1", VARIABLE)
    done = copied.run("env", "LEVELS=7", "dvc", "exp", "run", check=False)
    assert done.returncode != 0
    assert "featurize.few_levels takes a value from the environment" in done.stdout
    assert "Traceback" not in done.stdout


def bomb() -> str:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("file", ["defaults.yaml", "problem/departures.yaml", "model/xgboost.yaml"])
def test_aliases_that_would_fill_the_memory_are_refused(tmp_path: Path, file: str) -> None:
    conf = project.conf_in(tmp_path)
    (conf / file).write_text(bomb(), encoding="utf-8")
    with pytest.raises(ConfigError, match=rf"{file}: its aliases .* stand for more than 100,000 values"):
        compose((), conf)


@pytest.mark.parametrize("text", [bomb(), "a: &a [*a]\n"])
def test_aliases_in_other_files_too(tmp_path: Path, text: str) -> None:
    (tmp_path / "homes.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="its aliases"):
        read_params(tmp_path / "homes.yaml")
    with pytest.raises(ConfigError, match="its aliases"):
        check_aliases(tmp_path)


def test_ordinary_aliases_are_taken(tmp_path: Path) -> None:
    (tmp_path / "homes.yaml").write_text("a: &a {x: 1}\nb: *a\n", encoding="utf-8")
    assert read_params(tmp_path / "homes.yaml") == {"a": {"x": 1}, "b": {"x": 1}}
    check_aliases(tmp_path)


@pytest.mark.parametrize("name", ["../stolen", "a/b", "", ".", "..", "a\\b", "a b", "-a", "x" * 200, "a\0"])
def test_a_table_whose_name_would_leave_its_folder_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="a name has letters, digits, _ and -, for it names files"):
        build(Data, {"tables": {name: {"key": [], "columns": {"a": {"kind": "number"}}}}}, "conf/data/x.yaml")


@pytest.mark.parametrize("name", ["flights", "Straße_2", "a-b"])
def test_an_ordinary_name_of_a_table_is_taken(name: str) -> None:
    build(Data, {"tables": {name: {"key": [], "columns": {"a": {"kind": "number"}}}}}, "conf/data/x.yaml")


@pytest.mark.parametrize("version", ["../1", "1/2", "", "x", "1" * 60])
def test_a_version_that_is_no_part_of_a_file_name_is_refused(version: str) -> None:
    with pytest.raises(ConfigError, match="must be a version of a Python package"):
        build(PackageConfig, {"version": version}, "package")


def test_a_source_of_a_table_that_leaves_the_folder_writes_nothing(copied: Project) -> None:
    params = yaml.safe_load((copied.folder / "params.yaml").read_text(encoding="utf-8"))
    for file in ("conf/data/departures.yaml", "params.yaml"):
        path = copied.folder / file
        path.write_text(path.read_text(encoding="utf-8").replace("airlines:", "../../../stolen:"), encoding="utf-8")
    assert params["problem"]["sources"]["airlines"]
    done = copied.run("python", "-m", "fullcircle.stages.ingest", check=False)
    assert done.returncode == 1
    assert "for it names files" in done.stdout
    assert not list(copied.folder.parent.rglob("stolen*"))
