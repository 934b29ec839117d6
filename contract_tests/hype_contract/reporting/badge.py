"""An SVG badge in the usual look: `hype contract | hardened: conforms`."""

from __future__ import annotations

from xml.sax.saxutils import escape

from hype_contract.contract.areas import AREAS
from hype_contract.reporting.document import Document

_LABEL = "hype contract"
# Dark enough for white letters (WCAG AA, 4.5:1).
_COLOURS = {"conforms": "#2a7d2e", "does not conform": "#c0392b", "incomplete": "#8a6100", "unusable": "#5f6368"}
_PADDING = 6
_HEIGHT = 20

# Widths of Verdana 11 px, in tenths of a pixel, which shields.io uses too; the rest is as wide as a figure.
_WIDTHS = {
    **dict.fromkeys("ijl'", 30),
    **dict.fromkeys("ft(),.:; I", 43),
    **dict.fromkeys("rszcvxyJ", 60),
    **dict.fromkeys("mw", 100),
    **dict.fromkeys("MW", 98),
}
_USUAL_WIDTH = 70

_TEMPLATE = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" role="img" aria-label="{title}">
<title>{title}</title>
<linearGradient id="shine" x2="0" y2="100%">
<stop offset="0" stop-color="#bbb" stop-opacity=".1"/><stop offset="1" stop-opacity=".1"/>
</linearGradient>
<clipPath id="edge"><rect width="{width}" height="{height}" rx="3" fill="#fff"/></clipPath>
<g clip-path="url(#edge)">
<rect width="{left}" height="{height}" fill="#444"/>
<rect x="{left}" width="{right}" height="{height}" fill="{colour}"/>
<rect width="{width}" height="{height}" fill="url(#shine)"/>
</g>
<g fill="#fff" text-anchor="middle" font-family="Verdana,Geneva,DejaVu Sans,sans-serif" font-size="11">
<text x="{left_middle}" y="14" textLength="{left_text}">{label}</text>
<text x="{right_middle}" y="14" textLength="{right_text}">{message}</text>
</g>
</svg>
"""


def render(document: Document) -> str:
    """The badge of a report.json document. It names the areas that were judged when that is not all of them."""
    message = wording(document)
    left_text, right_text = _width(_LABEL), _width(message)
    left, right = left_text + 2 * _PADDING, right_text + 2 * _PADDING
    return _TEMPLATE.format(
        title=escape(f"{_LABEL}: {message}", {'"': "&quot;"}),
        label=escape(_LABEL),
        message=escape(message),
        colour=_COLOURS[document["verdict"]["word"]],
        width=left + right,
        height=_HEIGHT,
        left=left,
        right=right,
        left_text=left_text,
        right_text=right_text,
        left_middle=left / 2,
        right_middle=left + right / 2,
    )


def wording(document: Document) -> str:
    """`hardened: conforms`, or `hardened, rest only: incomplete`."""
    asked = document["options"]
    limits = [] if set(asked["areas"]) == set(AREAS) else [f"{'+'.join(asked['areas'])} only"]
    limits += ["in part"] if asked["only"] else []
    judged = ", ".join([document["target"]["profile"], *limits] if document["target"]["profile"] else limits)
    word: str = document["verdict"]["word"]
    return f"{judged}: {word}" if judged else word


def _width(text: str) -> int:
    return round(sum(_WIDTHS.get(letter, _USUAL_WIDTH) for letter in text) / 10)
