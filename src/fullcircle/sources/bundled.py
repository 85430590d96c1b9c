"""bundled: a CSV file, plain or zipped, that an installed package ships."""

from __future__ import annotations

import zipfile
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow import csv

from fullcircle.runtime.errors import SourceError

if TYPE_CHECKING:
    from fullcircle.core.problem import Bundled


def read(source: Bundled) -> tuple[pa.Table, str]:
    """Read the file without importing its package. Another version than the pinned one is an error."""
    name = f"{source.package} {source.version}"
    try:
        distribution = metadata.distribution(source.package)
    except metadata.PackageNotFoundError:
        raise SourceError(f"{name} is not installed. `make install` installs what uv.lock names.") from None
    if distribution.version != source.version:
        raise SourceError(
            f"{source.package} {distribution.version} is installed, but the problem pins {source.version}. "
            "Pin the new version in the problem's sources to take the new data on purpose."
        )
    path = Path(str(distribution.locate_file(source.file)))
    if not path.is_file():
        raise SourceError(f"{name} has no file {source.file}.")
    options = csv.ConvertOptions(null_values=list(source.nulls), strings_can_be_null=True)
    try:
        if path.suffix != ".zip":
            table = csv.read_csv(path, convert_options=options)
        else:
            with zipfile.ZipFile(path) as archive, archive.open(path.stem) as file:
                table = csv.read_csv(file, convert_options=options)
    except (pa.ArrowInvalid, zipfile.BadZipFile, KeyError) as error:
        raise SourceError(f"{name}: {source.file} cannot be read: {error}") from None
    return table, f"{name}, {source.file}"
