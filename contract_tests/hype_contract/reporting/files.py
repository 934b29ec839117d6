"""The reports that are files. A path that cannot be written is found before the run, not after it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from hype_contract.reporting import badge, junit, markdown, page
from hype_contract.reporting.document import Document

RENDERERS: Mapping[str, Callable[[Document], str]] = {
    "json": lambda document: json.dumps(document, ensure_ascii=False, indent=2) + "\n",
    "junit": junit.render,
    "html": page.render,
    "badge": badge.render,
    "markdown": markdown.render,
}
"""Format → a function from a report.json document to the text of the file."""


class CannotWrite(Exception):
    """A report cannot be written; the text is a sentence for the person at the terminal."""


def prepare(paths: Mapping[str, Path]) -> None:
    """Check that each file can be written.

    `paths`: format → file. Raises `CannotWrite`.
    """
    seen: dict[Path, str] = {}
    for format, path in paths.items():
        other = seen.setdefault(path.absolute(), format)
        if other != format:
            raise CannotWrite(f"--{other} and --{format} name the same file, {path}.")
        if not path.parent.is_dir():
            raise CannotWrite(f"--{format} {path} cannot be written: there is no folder {path.parent}.")
        try:
            path.open("a", encoding="utf-8").close()
        except OSError as error:
            raise CannotWrite(f"--{format} {path} cannot be written: {error.strerror or error}.") from error


def write(document: Document, paths: Mapping[str, Path]) -> None:
    """Write the reports. `paths`: format → file.

    Raises `CannotWrite` for the first that cannot be written, after the others are written.
    """
    wrong: list[CannotWrite] = []
    for format, path in paths.items():
        try:
            path.write_text(RENDERERS[format](document), encoding="utf-8")
        except OSError as error:  # for example, the disk is full by now
            wrong.append(CannotWrite(f"--{format} {path} cannot be written: {error.strerror or error}."))
    if wrong:
        raise wrong[0]
