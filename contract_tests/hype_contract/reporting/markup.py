"""HTML that cannot be broken by what is put into it: every text is escaped unless it is `Html` already."""

from __future__ import annotations

from html import escape

_EMPTY = frozenset({"input", "meta"})


class Html(str):
    """Text that is HTML."""

    __slots__ = ()


def el(tag: str, *children: str | None, **attributes: str | None) -> Html:
    """An element. A child or attribute that is None is left out; `class_` and `for_` are `class` and `for`, and any
    other underscore is a hyphen."""
    named = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    if tag in _EMPTY:
        return Html(f"<{tag}{named}>")
    return Html(f"<{tag}{named}>{join(*children)}</{tag}>")


def join(*children: str | None) -> Html:
    """Several pieces behind each other."""
    pieces = (child if isinstance(child, Html) else escape(child) for child in children if child is not None)
    return Html("".join(pieces))
