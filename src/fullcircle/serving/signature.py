"""The signature of a bundle, which says who made it: checked at the start where the settings name one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..base.errors import BundleError, ConfigError

if TYPE_CHECKING:
    from .settings import Settings


def check_signature(folder: Path, settings: Settings) -> None:
    """Check the bundle against `signature` with `public_key`, a key in PEM.

    Raises BundleError where it is not what was signed, ConfigError where the settings name one file of the two.
    """
    if settings.signature is None and settings.public_key is None:
        return
    if settings.signature is None or settings.public_key is None:
        raise ConfigError("a signature is checked with both `signature` and `public_key`; one of them is missing")
    try:
        from model_signing.verifying import Config
    except ImportError:
        raise ConfigError("checking a signature needs the extra `signing` (model-signing)") from None
    for path in (settings.signature, settings.public_key):
        if not Path(path).is_file():
            raise ConfigError(f"{path} is not there")
    try:
        Config().use_elliptic_key_verifier(public_key=Path(settings.public_key)).verify(
            folder, Path(settings.signature)
        )
    except Exception as error:  # of model-signing, sigstore and cryptography
        raise BundleError(f"{folder} is not what {settings.signature} signs: {error}") from None
