"""The head of a request, from its octets to its meaning (RFC 9112 sections 2 to 6, RFC 9110 section 5).

A head is read as a whole, and strictly: what the grammar does not allow is refused. Proxies in front of the server may
read an ambiguous head in another way, which is how requests are smuggled.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from hype.errors import BadRequest, HeadTooLarge

__all__ = ["LIMIT_BYTES", "MOST_FIELDS", "Field", "Head", "fields_of", "is_bare", "may_begin", "origin_of", "parse"]

LIMIT_BYTES: Final = 16_384
"""The largest head, its empty line included (amendment A13)."""

MOST_FIELDS: Final = 100
"""The most fields of a head (amendment A13)."""

Field = tuple[bytes, bytes]
"""The name of a field, in lower case, and its value without the white space around it."""

_TOKEN: Final = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]"
_START: Final = re.compile(rb"(" + _TOKEN + rb"{1,32}) ([\x21\x22\x24-\x7e]+) HTTP/1\.([01])\r\n")
_FIELD: Final = re.compile(rb"^(" + _TOKEN + rb"+):([\t\x20-\x7e\x80-\xff]*)\r\n", re.MULTILINE)
_BEGINNING: Final = re.compile(_TOKEN + rb"{0,32}(?: |\r?\Z)")
_BARE: Final = re.compile(rb"(?<!\r)\n|\r[^\n]|\0")
_ABSOLUTE: Final = re.compile(rb"https?://([^/?]+)", re.IGNORECASE)
_HOST: Final = re.compile(rb"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]*)(?::[0-9]{0,5})?")
_ORIGIN: Final = re.compile(rb"^origin:[\t ]*([\x21-\x7e]+)[\t ]*\r?$", re.IGNORECASE | re.MULTILINE)
_LENGTH: Final = re.compile(rb"[0-9]{1,18}")
_ONCE: Final = (b"host", b"content-length", b"transfer-encoding", b"authorization", b"content-type", b"origin")


class Head(NamedTuple):
    """The meaning of a head. path, query: as they were sent. length: bytes of the body, None when it comes in chunks.

    keep_alive: whether another request may follow. expects: whether the client waits for 100 before it sends the body.
    """

    method: str
    path: bytes
    query: bytes
    version: str
    fields: list[Field]
    length: int | None
    keep_alive: bool
    expects: bool


def may_begin(octets: bytes, seen: int) -> bool:
    """Return whether a head may begin with these octets, which do not end one. seen: how many were asked about before.

    What cannot become a head, such as a handshake of TLS, is told at once, and not when the time for a head is over.
    """
    return _BEGINNING.match(octets) is not None and not is_bare(octets, seen)


def is_bare(octets: bytes, seen: int = 0) -> bool:
    """Return whether a CR or LF stands alone in these octets, or a NUL stands there. seen: as for `may_begin`."""
    return _BARE.search(octets, max(0, seen - 1)) is not None


def origin_of(octets: bytes) -> bytes | None:
    """Return the one `Origin` in a head that cannot be read as a whole, None when there is none or several."""
    found = _ORIGIN.findall(octets, 0, LIMIT_BYTES)
    return found[0] if len(found) == 1 else None


def parse(octets: bytes) -> Head:
    """Return the meaning of a whole head, from its first line to its empty line.

    Raises HeadTooLarge when it has too many fields, BadRequest when it is not valid.
    """
    start = _START.match(octets)
    if start is None:
        raise BadRequest
    method, target, minor = start.groups()
    fields = fields_of(octets, start.end())
    known = dict(fields)
    if len(known) != len(fields):
        _expect_no_repetition(fields)
    if b"host" in known:
        if not _HOST.fullmatch(known[b"host"]):
            raise BadRequest
    elif minor == b"1":
        raise BadRequest
    return Head(
        method.decode("ascii"),
        *_path_and_query(method, target),
        "1.1" if minor == b"1" else "1.0",
        fields,
        _length(known, minor) if b"content-length" in known or b"transfer-encoding" in known else 0,
        minor == b"1" and not (b"connection" in known and _closes(known, fields)),
        b"expect" in known and minor == b"1" and known[b"expect"].lower() == b"100-continue",
    )


def fields_of(octets: bytes, start: int = 0) -> list[Field]:
    """Return the fields in the lines from `start` to the empty line at the end.

    Raises HeadTooLarge when there are too many, BadRequest when a line is no field: it has a space before its colon,
    continues the line before (obs-fold, RFC 9112 section 5.2), or holds a bare CR, LF or NUL.
    """
    found = _FIELD.findall(octets, start)
    if len(found) != octets.count(b"\n", start) - 1:
        raise BadRequest
    if len(found) > MOST_FIELDS:
        raise HeadTooLarge
    return [(name.lower(), value.strip(b" \t")) for name, value in found]


def _expect_no_repetition(fields: Sequence[Field]) -> None:
    """Raise BadRequest when a field with one value comes twice: two readers may take different ones."""
    names = [name for name, _ in fields]
    if any(names.count(name) > 1 for name in _ONCE):
        raise BadRequest


def _path_and_query(method: bytes, target: bytes) -> tuple[bytes, bytes]:
    """Return both parts of a target (RFC 9112 section 3.2). Raises BadRequest for a form that the method has not."""
    if not target.startswith(b"/"):
        absolute = _ABSOLUTE.match(target)
        if absolute is not None and _HOST.fullmatch(absolute[1]):
            target = target[absolute.end() :]
            if not target.startswith(b"/"):
                target = b"/" + target
        elif target != b"*" or method != b"OPTIONS":
            raise BadRequest
    path, _, query = target.partition(b"?")
    return path, query


def _length(known: dict[bytes, bytes], minor: bytes) -> int | None:
    """Return the length of a body (RFC 9112 section 6). Raises BadRequest when it is not certain."""
    length, coding = known.get(b"content-length"), known.get(b"transfer-encoding")
    if coding is not None:
        if length is not None or minor == b"0" or coding.lower() != b"chunked":
            raise BadRequest
        return None
    if length is None or not _LENGTH.fullmatch(length):
        raise BadRequest
    return int(length)


def _closes(known: dict[bytes, bytes], fields: Sequence[Field]) -> bool:
    """Return whether a `Connection` field has the option `close`."""
    if len(known) == len(fields) and known[b"connection"] == b"keep-alive":
        return False  # what most clients say
    options = b",".join(value for name, value in fields if name == b"connection")
    return b"close" in [option.strip(b" \t").lower() for option in options.split(b",")]
