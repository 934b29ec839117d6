"""Names and pictures that cannot deceive a reader, and profiles that take them back (rulings A18, R21 and P8)."""

from __future__ import annotations

from typing import Any

from hype_contract.actors import must
from hype_contract.actors.world import World
from hype_contract.cases.registry import case
from hype_contract.cases.rest.samples import registration, sample
from hype_contract.cases.rest.users import update

INVISIBLE_NAMES = (" ", "\u3000", "\u200b", "\u2060\ufeff", "\u00ad", "\u2800", "\u3164", "\ufe0f", "\U000e0041")
"""Names of white space and of characters that Unicode shows no picture of."""

CONTROLLING_NAMES = ("ann\u202etxe", "\u2066ann", "ann\u202a", "ann\nbob", "ann\u2028bob", "\x1b[31mann", "ann\x7f\x9b")
"""Names with characters that turn the direction of text, end a line or control a terminal."""

NAMES = ("Ann", "Zürich", "Жук", "漢字", "\U0001f469\u200d\U0001f680", "\u05d0\u05e0\u200f", "a\u00a0b", "\u200b.")
SYSTEM_NAMES = ("System", "SYSTEM", "sYsTeM")
WRONG_URLS = (
    'http://x/"><script>alert(1)</script>',
    "https://example.com/a b",
    "https://example.com/`a`",
    "https://example.com/{a}",
    "https://example.com\\@evil.example",
    "https://user@example.com/a.png",
    "https://user:password@example.com/a.png",
    "https://example.com@evil.example",
)
_URLS = ("https://example.com:8443/~a/b_c.png?d=e&f=%20@g#h", "http://[2001:db8::1]/a.png", "https://EXAMPLE.com")


@case("A18.taken-back", "null takes a display name, an avatar and a bio back", level="extension")
def taken_back(world: World) -> None:
    """Set all three, take one back after the other, and read the profile."""
    ann = world.guest("ann")
    kept: dict[str, Any] = {"displayName": "Ann", "avatarUrl": "https://example.com/a.png", "bio": "a few words"}
    update(world, ann, **kept)
    for member in list(kept):
        kept[member] = None
        must.members(update(world, ann, **{member: None}), kept, f"the profile after null for {member}")
    shown = world.rest.call("getUser", path={"id": ann.id}, expect=200)
    must.members(shown.data, {"displayName": None, "avatarUrl": None, "avatar": None}, "the user", seen=shown.pair)


@case("A18.display-name", "a display name has a visible character, and none that controls the text", level="extension")
def display_name(world: World) -> None:
    request = sample(world, "updateUser")
    for name in NAMES:
        reply = request.succeed(body={"displayName": name})
        must.equal(reply.data["displayName"], name, "the display name", seen=reply.pair)
    for name in (*INVISIBLE_NAMES, *CONTROLLING_NAMES):
        request.ask(body={"displayName": name}, expect=400)
    shown = world.rest.call("getUser", path=request.path, expect=200)
    must.equal(shown.data["displayName"], NAMES[-1], "the display name afterwards", seen=shown.pair)


@case(
    "P8.url-characters",
    "an avatar URL has only the characters of URLs and no userinfo",
    source="RFC 3986 sections 2 and 3.2; ruling P8",
    level="extension",
    profiles=("hardened",),
)
def url_characters(world: World) -> None:
    """Send URLs that would end an attribute of HTML, or that name another host than a reader sees."""
    request = sample(world, "updateUser")
    for url in _URLS:
        reply = request.succeed(body={"avatarUrl": url})
        must.equal(reply.data["avatarUrl"], url, "avatarUrl", seen=reply.pair)
    for url in WRONG_URLS:
        request.ask(body={"avatarUrl": url}, expect=400)


@case("R21.system", "the name `system` is taken in every letter case", level="extension")
def system_name(world: World) -> None:
    """Show it with a registration, a guest and a new name."""
    for name in SYSTEM_NAMES:
        sample(world, "registerUser").ask(body=registration(username=name), expect=400)
        sample(world, "loginGuest").ask(body={"username": name}, expect=400)
        sample(world, "updateUser").ask(body={"username": name}, expect=409)
