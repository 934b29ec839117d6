"""The templates of the reports: the files in the folder `templates`. No other module knows Jinja2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

_ENVIRONMENT = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,  # in every file, whatever its suffix: a target's text must not become markup in the SVG either
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def fill(name: str, **values: Any) -> str:
    """Return the template `name` with `values` in it, each text escaped.

    Raises `jinja2.UndefinedError` if the template names a value that is not there.
    """
    return _ENVIRONMENT.get_template(name).render(values)
