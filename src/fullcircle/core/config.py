"""Configuration: composes params.yaml from conf/, and loads a stage's part of it as a frozen dataclass."""

from __future__ import annotations

import contextlib
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, overload

import yaml

from fullcircle.base.errors import ConfigError
from fullcircle.base.typed import build
from fullcircle.core import paths
from fullcircle.core.secrets import from_environment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

T = TypeVar("T")
MOST_VALUES = 100_000  # of a configuration, with aliases written out
HINTS = {
    paths.PARAMS.name: " `fullcircle params` composes it.",
    paths.DVC_LOCK.name: (
        " DVC was killed while it wrote it, or a merge left marks in it: `git checkout HEAD -- dvc.lock` brings back "
        "the committed one, and `dvc repro` renews it."
    ),
}
"""What to do about a file that cannot be read."""


@overload
def load(kind: type[T], key: str, params: Any = None) -> T: ...
@overload
def load(kind: object, key: str, params: Any = None) -> Any: ...  # a union is no type to mypy
def load(kind: Any, key: str, params: Any = None) -> Any:
    """The part of params.yaml under `key` (dots go deeper) as a `kind`. Raises ConfigError, naming the key."""
    part = read_params() if params is None else params
    for name in key.split("."):
        if not isinstance(part, dict) or name not in part:
            raise ConfigError(f"{paths.PARAMS}: no key {key}. `fullcircle params` composes it from {paths.CONF}/.")
        part = part[name]
    return build(kind, part, key)


def load_file(kind: type[T], path: Path) -> T:
    """A YAML file of conf/ that is not part of params.yaml, as a `kind`. Raises ConfigError, naming file and key."""
    return build(kind, read_params(path), str(path))


@cache
def read_params(path: Path = paths.PARAMS) -> Any:
    """The content of params.yaml, untyped."""
    try:
        read = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        _check_size(read, path)
        return read
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        hint = HINTS.get(path.name, "")
        raise ConfigError(f"{path} cannot be read: {error}.{hint}") from None


def compose(overrides: Sequence[str] = (), conf: Path = paths.CONF, name: str = "config") -> str:
    """Compose the configuration; return it as YAML, byte for byte what `dvc exp run` writes to params.yaml.

    `name`: of the file in `conf` to begin with. Hydra is imported here (and by sweeps), because no stage needs it.
    Raises ConfigError.
    """
    if (kept := conf / "tuned" / "choices").exists():
        raise ConfigError(
            f"{kept} is no longer read: write its choices into the defaults list of conf/problem/NAME.yaml, where "
            "`fullcircle adopt` now keeps them for each problem, and delete it"
        )
    from hydra import compose as hydra_compose
    from hydra import initialize_config_dir
    from hydra.errors import HydraException, MissingConfigException
    from omegaconf import OmegaConf
    from omegaconf.errors import InterpolationResolutionError, OmegaConfBaseException

    try:
        check_aliases(conf)
        with initialize_config_dir(str(conf.resolve()), version_base=None):
            composed = hydra_compose(config_name=name, overrides=list(overrides))
        if key := from_environment(OmegaConf.to_container(composed)):
            raise ConfigError(
                f"{conf}: {key} takes a value from the environment, and {paths.PARAMS}, which git stores, would hold "
                "it. Name the variable instead, as the keys that end in _env do"
            )
        OmegaConf.resolve(composed)
    except InterpolationResolutionError as error:
        raise ConfigError(
            f"{conf}: a choice needs a key that the problem does not have. {str(error).splitlines()[0]}. "
            "Add it in conf/problem/, or choose otherwise, such as another split."
        ) from None
    except MissingConfigException as error:
        raise ConfigError(_missing(conf, error.missing_cfg_file, error.options)) from None
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError(f"{conf}: {error}") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError(_unreadable(conf, error)) from None
    return str(OmegaConf.to_yaml(composed))


def check_aliases(conf: Path) -> None:
    """Refuse a file whose aliases, written out, would fill the memory. Raises ConfigError."""
    for file in conf.rglob("*.yaml"):
        text = file.read_text(encoding="utf-8", errors="replace")
        if "&" in text and "*" in text:
            with contextlib.suppress(yaml.YAMLError):  # reported by Hydra, with its place
                _check_size(yaml.load(text, Loader=yaml.CSafeLoader), file)


def _check_size(value: Any, file: Path) -> None:
    known: dict[int, float] = {}

    def size(part: Any) -> float:
        if not isinstance(part, (dict, list)):
            return 1
        if id(part) not in known:
            known[id(part)] = float("inf")  # one that contains itself
            known[id(part)] = 1 + sum(map(size, part.values() if isinstance(part, dict) else part))
        return known[id(part)]

    if size(value) > MOST_VALUES:
        raise ConfigError(f"{file}: its aliases (*name) stand for more than {MOST_VALUES:,} values")


def _missing(conf: Path, file: str | tuple[str, ...] | None, options: Sequence[str] | None) -> str:
    """A choice that has no file, and the choices that there are."""
    group, _, _choice = str(file).rpartition("/")
    choices = f"; choose {group}={'|'.join(sorted(options))}" if options else ""
    return f"there is no {conf / str(file)}.yaml{choices}"


def _unreadable(conf: Path, error: Exception) -> str:
    """Which file of `conf` is no YAML, for Hydra's error does not always name it."""
    for file in sorted(conf.rglob("*.yaml")):
        try:
            yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as found:
            return f"{file} is no YAML: {found}"
    return f"{conf}: {error}"


def as_yaml(params: dict[str, Any]) -> str:
    """Parameters as `compose` writes them."""
    from omegaconf import OmegaConf

    return str(OmegaConf.to_yaml(OmegaConf.create(params)))


def is_swept(override: str) -> bool:
    """Whether an override has several values, as `model.max_depth=range(3,6)` does. Raises ConfigError."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    try:
        return bool(OverridesParser.create().parse_override(override).is_sweep_override())
    except HydraException as error:
        raise ConfigError(f"the override `{override}` cannot be read: {str(error).splitlines()[0]}") from None
