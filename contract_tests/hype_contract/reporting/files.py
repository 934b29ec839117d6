"""The reports that are files. Whether each can be written is known before the run, not after it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from hype_contract.reporting import badge, junit, page
from hype_contract.reporting.document import Document

RENDERERS: Mapping[str, Callable[[Document], str]] = {
    "json": lambda document: json.dumps(document, ensure_ascii=False, indent=2) + "\n",
    "junit": junit.render,
    "html": page.render,
    "badge": badge.render,
}
"""Format → the whole file as text."""


class CannotWrite(Exception):
    """A report has no place; the text is a sentence for the person at the terminal."""


def prepare(places: Mapping[str, Path]) -> None:
    """See that each file can be written; what is there already stays as it is until the run ends.

    `places`: format → file. Raises `CannotWrite`.
    """
    seen: dict[Path, str] = {}
    for format, place in places.items():
        other = seen.setdefault(place.absolute(), format)
        if other != format:
            raise CannotWrite(f"--{other} and --{format} name the same file, {place}.")
        if not place.parent.is_dir():
            raise CannotWrite(f"--{format} {place} cannot be written: there is no folder {place.parent}.")
        try:
            place.open("a", encoding="utf-8").close()
        except OSError as error:
            raise CannotWrite(f"--{format} {place} cannot be written: {error.strerror or error}.") from error


def write(document: Document, places: Mapping[str, Path]) -> None:
    """Write every report that was asked for. `places`: format → file. Raises `CannotWrite`."""
    for format, place in places.items():
        try:
            place.write_text(RENDERERS[format](document), encoding="utf-8")
        except OSError as error:  # the disk has filled up meanwhile
            raise CannotWrite(f"--{format} {place} cannot be written: {error.strerror or error}.") from error
