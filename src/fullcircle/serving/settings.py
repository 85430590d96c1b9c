"""How the service runs: conf/serving.yaml, and what platforms set in the environment."""

from __future__ import annotations

import hmac
import os
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..base.errors import BundleError, ConfigError
from ..base.files import MANIFEST
from ..base.typed import build

if TYPE_CHECKING:
    from collections.abc import Sequence

FILE = Path("conf/serving.yaml")
KEYS = "FULLCIRCLE_API_KEYS"
NO_AUTH = "FULLCIRCLE_NO_AUTH"
SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""A folder where several workers keep their counts; prometheus_client reads it when it is imported."""
PORTS = ("SAGEMAKER_BIND_TO_PORT", "AIP_HTTP_PORT")
"""Set by SageMaker and Vertex AI: the port, on every address."""
SAGEMAKER_MODEL = Path("/opt/ml/model")
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may take. Beyond `requests` in flight the answer is 503 with Retry-After."""

    body_bytes: int = 16 * 2**20
    rows: int = 10_000
    requests: int = 64
    head_seconds: float = 10.0  # until the head of a request has arrived
    body_seconds: float = 20.0  # until its body has
    answer_seconds: float = 30.0  # until it is answered
    drain_seconds: int = 25  # after SIGTERM, for requests in flight

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be above 0")


@dataclass(frozen=True, slots=True)
class StateSettings:
    """Where events are kept over restarts. `folder`: None keeps them in memory alone.

    `stale_hours`: table -> hours; an answer says so where the latest row of the table is older than that, seen from
    the moment of prediction.
    """

    folder: str | None = None
    stale_hours: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PredictionSettings:
    """The prediction log. `url`: of a database, as SQLAlchemy has it; None, and no `url_env`: there is no log.

    `url_env`: names the environment variable that holds the URL, where it has a password. `redact`: columns whose
    values are not written. `clock`: `requests` takes the header `x-time` for the time of a request, to replay traffic.
    `alerts_seconds`: how often the alerts that `fullcircle monitor` raised are read, for /metrics.
    """

    url: str | None = None
    url_env: str | None = None
    keep_days: float | None = 400
    redact: tuple[str, ...] = ()
    flush_seconds: float = 0.5
    queue_rows: int = 100_000
    clock: Literal["system", "requests"] = "system"
    alerts_seconds: float = 15.0

    def __post_init__(self) -> None:
        if self.url and "://" in self.url and re.search(r"://[^/@]*:[^/@]+@", self.url):
            raise ValueError("url has a password, which git would keep: name a variable that holds the URL as url_env")
        if not (0 < self.flush_seconds <= 60 and self.queue_rows > 0):
            raise ValueError("flush_seconds must be in 0..60, queue_rows above 0")
        if not 0 < self.alerts_seconds <= 3600:
            raise ValueError("alerts_seconds must be in 0..3600")
        if self.keep_days is not None and not self.keep_days > 0:
            raise ValueError("keep_days must be above 0, or null to keep all")

    @property
    def on(self) -> bool:
        """Whether there is a log."""
        return self.url is not None or self.url_env is not None


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole of conf/serving.yaml. `model`: the name in V2 paths; None: the problem's.

    `signature`, `public_key`: files, by which a bundle is checked at the start.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    grpc_port: int | None = None  # None: no gRPC, which needs the extra `grpc`
    workers: int = 1
    model: str | None = None
    log: Literal["requests", "errors"] = "requests"
    limits: Limits = field(default_factory=Limits)
    state: StateSettings = field(default_factory=StateSettings)
    predictions: PredictionSettings = field(default_factory=PredictionSettings)
    reload_seconds: float | None = 5.0  # how often the bundle's folder is looked at for another one; None: never
    signature: str | None = None
    public_key: str | None = None
    allow_unblessed: bool = False
    no_auth: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise ValueError(f"port {self.port} is outside 0..65535")
        if self.reload_seconds is not None and not self.reload_seconds > 0:
            raise ValueError("reload_seconds must be above 0, or null to keep the bundle until a restart")
        if self.workers < 1:
            raise ValueError(f"workers {self.workers} must be 1 or more")


def read_settings(file: Path | None) -> Settings:
    """Read a YAML file of settings; without one conf/serving.yaml if it is there. Raises ConfigError."""
    if file is None and not FILE.is_file():
        return Settings()
    import yaml  # the service needs it here alone

    path = file or FILE
    try:
        found: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, yaml.YAMLError) as error:
        raise ConfigError(f"{path} is no YAML: {error}") from None
    return build(Settings, found or {}, str(path))


def of_platform(settings: Settings) -> Settings:
    """The settings with the port that SageMaker or Vertex AI sets. Raises ConfigError for one that is no port."""
    if os.environ.get(NO_AUTH) == "1":
        settings = replace(settings, no_auth=True)
    for name in PORTS:
        if value := os.environ.get(name):
            if not value.isdecimal() or int(value) > 65535:
                raise ConfigError(f"{name} must be a port, and is {value[:20]!r}")
            return replace(settings, host="0.0.0.0", port=int(value))  # noqa: S104  # nosec B104  the platform requires it
    return settings


def keys() -> tuple[str, ...]:
    """The keys that callers may use, from the environment."""
    return tuple(filter(None, (key.strip() for key in os.environ.get(KEYS, "").split(","))))


def is_key(given: bytes, known: Sequence[bytes]) -> bool:
    """Whether a key is one of those known. It takes as long whichever of them it is, and if it is none."""
    return sum(hmac.compare_digest(given, key) for key in known) > 0


def check_keys(settings: Settings) -> None:
    """Refuse to serve other machines without keys. Raises ConfigError."""
    if settings.host not in LOOPBACK and not keys() and not settings.no_auth:
        raise ConfigError(
            f"serving on {settings.host} needs keys: set {KEYS} to one or more, with commas between them, or say "
            f"--no-auth (or {NO_AUTH}=1) where something in front of the service checks who calls"
        )


def find_bundle(given: Path | None, packaged: Path | None) -> Path:
    """The bundle to serve: that given, that of the platform, or the `packaged` one. Raises BundleError."""
    if given is not None:
        return given
    azure = os.environ.get("AZUREML_MODEL_DIR")
    found = [] if azure is None else sorted(file.parent for file in Path(azure).rglob(MANIFEST))
    if len(found) > 1:
        raise BundleError(f"AZUREML_MODEL_DIR holds {len(found)} bundles: {found[0]}, {found[1]}, ...; name one")
    if found:
        return found[0]
    if (SAGEMAKER_MODEL / MANIFEST).is_file():
        return SAGEMAKER_MODEL
    return packaged or Path("dist/bundle")
