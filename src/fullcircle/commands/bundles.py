"""The bundle of an id, wherever it is: in dist/, or registered and in DVC's cache or remote."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fullcircle.base.errors import FullCircleError
from fullcircle.base.files import MANIFEST, verify
from fullcircle.core import paths
from fullcircle.monitoring.baseline import read_baseline
from fullcircle.monitoring.measure import Measure
from fullcircle.monitoring.report import Watch
from fullcircle.monitoring.run import Watched
from fullcircle.registry.errors import RegistryError
from fullcircle.registry.fetch import fetch_bundle, kept
from fullcircle.scoring.bundle import Bundle

if TYPE_CHECKING:
    from fullcircle.registry.tags import Tags

ROOT = Path()


def folder_of(identifier: str, tags: Tags) -> tuple[Path, Path]:
    """The folders of a bundle and its baseline, by the bundle's id. Raises FullCircleError where they are not there."""
    if (paths.BUNDLE / MANIFEST).is_file() and verify(paths.BUNDLE) == identifier:
        return paths.BUNDLE, paths.BASELINE
    version = tags.of_bundle(identifier)
    if version is None:
        raise RegistryError(f"bundle {identifier[:12]} is neither in {paths.BUNDLE} nor registered (git fetch --tags?)")
    return fetch_bundle(ROOT, version), kept(ROOT, version, paths.BASELINE)


def bundle_or_why(identifier: str, tags: Tags) -> Bundle | str:
    """The bundle of an id, or why it is not available."""
    try:
        return Bundle.load(folder_of(identifier, tags)[0])
    except FullCircleError as error:
        return str(error)


def watched_or_why(identifier: str, tags: Tags, slices: tuple[str, ...]) -> Watched | str:
    """A bundle with its baseline, or why it cannot be watched."""
    try:
        bundle, baseline = folder_of(identifier, tags)
        found, known = Bundle.load(bundle), read_baseline(baseline)
    except FullCircleError as error:
        return f"bundle {identifier[:12]} cannot be watched: {error}"
    if known.bundle != identifier:
        return f"bundle {identifier[:12]} cannot be watched: {baseline} belongs to bundle {known.bundle[:12]}"
    measure = Measure(known.metric, found.scorer.spec.calibration)
    return Watched(Watch(known, measure, found.version, slices), found.scorer.plan.inputs)
