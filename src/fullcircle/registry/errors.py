"""The error of the registry."""

from __future__ import annotations

from fullcircle.base.errors import FullCircleError


class RegistryError(FullCircleError):
    """Something that cannot be registered, promoted or fetched."""
