"""The STUN messages (RFC 8489) of the worker: binding requests, and the answers to them.

This is the only file that imports aioice.
"""

from __future__ import annotations

import secrets
import struct

from aioice import stun

__all__ = ["Message", "challenge", "failure", "is_request", "parse", "success", "unknown_attributes"]

Message = stun.Message

_HEADER_SIZE = 20
_COOKIE = stun.COOKIE.to_bytes(4, "big")
_OPTIONAL = 0x8000  # an attribute with this bit needs no comprehension
_MESSAGE_INTEGRITY, _UNKNOWN_ATTRIBUTES = 0x0008, 0x000A
# Those that a request may have and that need comprehension: of RFC 8489 (18.3) and of RFC 8445 (16.1).
_KNOWN = frozenset(
    (0x0001, 0x0006, _MESSAGE_INTEGRITY, 0x0009, _UNKNOWN_ATTRIBUTES, 0x0014, 0x0015, 0x0020, 0x0024, 0x0025)
)
_MAX_UNKNOWN = 16  # that an answer names


def parse(data: bytes) -> Message | None:
    """Return the message about a binding in these bytes; None: they are something else."""
    if data[4:8] != _COOKIE:
        return None
    try:
        message = stun.parse_message(data)
    except (ValueError, IndexError, KeyError, struct.error):  # what aioice raises for bytes of any kind
        return None
    return message if message.message_method == stun.Method.BINDING else None


def is_request(message: Message) -> bool:
    """Tell whether a message wants an answer."""
    return message.message_class == stun.Class.REQUEST


def unknown_attributes(data: bytes) -> list[int]:
    """Return the types of a parsed message's attributes that need comprehension and have none (RFC 8489 6.3.1).

    Attributes behind MESSAGE-INTEGRITY do not count (RFC 8489 9).
    """
    found: list[int] = []
    at = _HEADER_SIZE
    while at + 4 <= len(data) and len(found) < _MAX_UNKNOWN:
        kind, size = struct.unpack_from("!HH", data, at)
        if kind == _MESSAGE_INTEGRITY:
            break
        if kind < _OPTIONAL and kind not in _KNOWN:
            found.append(kind)
        at += 4 + size + -size % 4
    return found


def success(request: Message, address: tuple[str, int], key: bytes) -> bytes:
    """Return the answer to a check that came from the address. key: the password that signs it."""
    attributes = {"XOR-MAPPED-ADDRESS": address}
    answer = Message(request.message_method, stun.Class.RESPONSE, request.transaction_id, attributes)
    answer.add_message_integrity(key)
    return bytes(answer)


def failure(
    request: Message, code: int, reason: str, key: bytes | None = None, unknown: list[int] | None = None
) -> bytes:
    """Return the answer to a request that fails. key: the password that signs it; None: it stays unsigned.

    unknown: the attributes to name in UNKNOWN-ATTRIBUTES.
    """
    answer = Message(request.message_method, stun.Class.ERROR, request.transaction_id, {"ERROR-CODE": (code, reason)})
    if unknown:
        return _sign(bytes(answer) + _attribute(_UNKNOWN_ATTRIBUTES, struct.pack(f"!{len(unknown)}H", *unknown)), key)
    if key is None:
        answer.add_fingerprint()
    else:
        answer.add_message_integrity(key)
    return bytes(answer)


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


def _sign(data: bytes, key: bytes | None) -> bytes:
    """Return a message to whose end an attribute was added that aioice cannot write, with its signature."""
    if key is not None:
        data += _attribute(_MESSAGE_INTEGRITY, stun.message_integrity(data, key))
    data += _attribute(0x8028, stun.message_fingerprint(data).to_bytes(4, "big"))
    return stun.set_body_length(data, len(data) - _HEADER_SIZE)


def challenge(username: str) -> tuple[bytes, bytes]:
    """Return a binding request for a client, and its transaction id, which only its receiver can know.

    The worker does not know the client's password, so the client answers with an error. That answer has the id, too.
    username: the client's and the worker's username, with a colon between.
    """
    request = Message(stun.Method.BINDING, stun.Class.REQUEST, secrets.token_bytes(12), {"USERNAME": username})
    request.add_message_integrity(secrets.token_bytes(16))
    return bytes(request), request.transaction_id
