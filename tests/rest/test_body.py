"""Bodies: JSON, size, encoding (rulings R4, R8 and R11)."""

from __future__ import annotations

import gzip
import json

import pytest

from hype_contract.actors.clients.rest import Rest
from hype_contract.actors.world import World

GOOD = '{"username": "%s"}'
JSON = [("Content-Type", "application/json")]


def guest(rest: Rest, content: bytes, headers: list[tuple[str, str]] = JSON) -> tuple[int, str | None]:
    """Send this body to POST /auth/guest; return status and `error`."""
    reply = rest.raw("POST", "/auth/guest", headers=headers, content=content, operation="loginGuest")
    return reply.status, reply.json.get("error")


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b'{"username": "x',
        b'{"username": NaN}',
        b'{"username": -Infinity}',
        b"{'username': 'x'}",
        b'{"username": "abc"} trailing',
        b'\xef\xbb\xbf{"username": "with-bom"}',
        '{"username": "wide"}'.encode("utf-16"),
        '{"username": "wide"}'.encode("utf-32"),
        b'{"username": "\xff\xfe"}',
        b'{"username": "\xed\xa0\x80"}',
        b"[" * 50_000,
        b"[" * 50_000 + b"]" * 50_000,
        b" ",
        b"\0",
    ],
)
def test_a_body_that_is_not_json_is_400(rest: Rest, content: bytes) -> None:
    """Malformed text, another encoding and extreme nesting are `Invalid JSON`."""
    assert guest(rest, content) == (400, "Invalid JSON")


@pytest.mark.parametrize(
    "content", [b"null", b"[]", b'"text"', b"1e999", b"9" * 5000, b"{}", b'{"username": ' + b"9" * 5000 + b"}"]
)
def test_json_of_the_wrong_shape_is_400(rest: Rest, content: bytes) -> None:
    """JSON that breaks the schema is `Validation failed`, huge numbers included."""
    assert guest(rest, content) == (400, "Validation failed")


@pytest.mark.parametrize("depth", range(850, 1000, 6))
def test_deep_nesting_is_400(rest: Rest, depth: int) -> None:
    """Nesting near the limit of Python's stack is `Invalid JSON` or `Validation failed`."""
    status, error = guest(rest, b'{"username": ' + b"[" * depth + b"]" * depth + b"}")
    assert (status, error) in [(400, "Validation failed"), (400, "Invalid JSON")]


def test_a_missing_body_is_400(rest: Rest) -> None:
    """A missing body is `Validation failed` with one issue for the whole, whatever its type is."""
    reply = rest.call("loginGuest", expect=400)
    assert reply.error == "Validation failed"
    assert reply.issues == [
        {"code": "invalid_type", "expected": "object", "received": "undefined", "path": [], "message": "Required"}
    ]
    assert guest(rest, b"", [("Content-Type", "text/plain")]) == (400, "Validation failed")


@pytest.mark.parametrize("size", [102_400, 102_401, 1_000_000])
def test_the_limit_is_exact(rest: Rest, size: int) -> None:
    """102,400 bytes are read; one more is 413, whatever the bytes are."""
    start, end = b'{"username": "no!", "x": "', b'"}'
    content = start + b"x" * (size - len(start) - len(end)) + end
    expected = (400, "Validation failed") if size == 102_400 else (413, "Payload too large")
    assert guest(rest, content) == expected


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Content-Type", "")],
        [("Content-Type", "text/plain")],
        [("Content-Type", "application/x-www-form-urlencoded")],
        [("Content-Type", "application/jsonp")],
        [("Content-Type", "application/json; charset=utf-16")],
        [("Content-Type", "application/json; charset=latin-1")],
        [*JSON, ("Content-Encoding", "gzip")],
    ],
)
def test_other_media_types_are_415(rest: Rest, headers: list[tuple[str, str]]) -> None:
    """Every body but uncompressed JSON in UTF-8 is 415."""
    assert guest(rest, gzip.compress(b"{}"), headers) == (415, "Unsupported media type")


@pytest.mark.parametrize(
    "media_type",
    ["application/json", "Application/JSON", "application/json; charset=utf-8", 'application/json;Charset="UTF-8"'],
)
def test_json_may_be_named_in_other_ways(world: World, media_type: str) -> None:
    """Letter case and a UTF-8 charset make no difference."""
    content = json.dumps({"username": world.guest().username + "-x"}).encode()
    assert guest(world.rest, content, [("Content-Type", media_type)]) == (200, None)


def test_unknown_members_are_ignored(world: World) -> None:
    """Unknown members may hold any value (ruling R4)."""
    body = {"username": "has-more", "id": 7, "\0": "\ud800", "__proto__": {}}
    assert world.rest.call("loginGuest", body=body, expect=200).data["user"]["username"] == "has-more"


@pytest.mark.parametrize("text", ["a\0b", "a\ud800", "\udc00b", "\ud83d"])
def test_characters_that_no_database_holds_are_400(world: World, text: str) -> None:
    """U+0000 and unpaired surrogates are `custom` issues (ruling R11); a paired surrogate is a character."""
    person, body = world.guest(), {"channelId": "text-general", "content": text}
    reply = world.rest.call("createMessage", token=person.token, body=body, expect=400)
    assert [(issue["code"], issue["path"]) for issue in reply.issues] == [("custom", ["content"])]
    good = world.rest.call("createMessage", token=person.token, body={**body, "content": "\ud83d\ude00"}, expect=201)
    assert good.data["content"] == "😀"
