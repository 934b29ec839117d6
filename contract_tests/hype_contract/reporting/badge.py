"""The badge, an SVG in the usual look: `hype contract | hardened: conforms`."""

from __future__ import annotations

from hype_contract.contract.areas import AREAS
from hype_contract.reporting import templating
from hype_contract.reporting.document import Document, edition_in
from hype_contract.requirements.requirement import HIGHEST

_LABEL = "hype contract"
# Dark enough for white letters (WCAG AA, 4.5:1).
_COLOURS = {
    "conforms": "#2a7d2e",
    "does not conform": "#c0392b",
    "incomplete": "#8a6100",
    "unusable": "#5f6368",
    "interrupted": "#5f6368",
}
_PADDING = 6

# Widths of characters in Verdana 11 px, the font of shields.io, in tenths of a pixel. Others are as wide as a digit.
_WIDTHS = {
    **dict.fromkeys("ijl'", 30),
    **dict.fromkeys("ft(),.:; I", 43),
    **dict.fromkeys("rszcvxyJ", 60),
    **dict.fromkeys("mw", 100),
    **dict.fromkeys("MW", 98),
}
_DIGIT_WIDTH = 70


def render(document: Document) -> str:
    """Return the badge of a report.json document as SVG."""
    message = wording(document)
    label_width, message_width = _width(_LABEL), _width(message)
    return templating.fill(
        "badge.svg",
        label=_LABEL,
        message=message,
        edition=edition_in(document),
        colour=_COLOURS[document["verdict"]["word"]],
        label_width=label_width,
        message_width=message_width,
        left=label_width + 2 * _PADDING,
        right=message_width + 2 * _PADDING,
    )


def wording(document: Document) -> str:
    """Return the verdict and its limits: `hardened: conforms`, or `hardened, rest only: incomplete`.

    A target that breaks only what the specs decide conforms to the document, and the badge says so.
    """
    options = document["options"]
    limits = [] if set(options["areas"]) == set(AREAS) else [f"{'+'.join(options['areas'])} only"]
    limits += [f"up to {options['level']}"] if options["level"] != HIGHEST[-1] else []
    limits += ["in part"] if options["only"] else []
    scope = ", ".join([document["target"]["profile"], *limits] if document["target"]["profile"] else limits)
    verdict = document["verdict"]
    keeps_the_document = verdict["levels"].get("documented", {}).get("word") == "conforms"
    word: str = verdict["sentence"] if keeps_the_document and verdict["word"] != "conforms" else verdict["word"]
    return f"{scope}: {word}" if scope else word


def _width(text: str) -> int:
    """Return the width of a text in pixels."""
    return round(sum(_WIDTHS.get(character, _DIGIT_WIDTH) for character in text) / 10)
