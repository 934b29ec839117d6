"""Names and pictures that cannot deceive a reader, and profiles that take them back (amendment A18, R21, P8)."""

from __future__ import annotations

from typing import Any

import pytest

from hype.errors import BadRequest, Conflict
from hype.spec import Profile
from tests.operations.backend import Backend, contract


def refused(profile: Profile, **members: Any) -> list[tuple[str, list[Any]]]:
    """Return the code and the path of each issue of a profile update."""
    rule = contract(profile).operations["updateUser"].body
    assert rule is not None
    return [(issue["code"], issue["path"]) for issue in rule.issues(members)]


@pytest.mark.parametrize(
    "name", ["Ann", " Ann ", "Жук", "漢字", "\U0001f469\u200d\U0001f680", "\u05d0\u200f", "e\u0301"]
)
def test_a_name_that_is_seen_is_good(name: str) -> None:
    """Every script works, with the joiners and marks that it needs."""
    assert refused("hardened", displayName=name) == []


@pytest.mark.parametrize(
    "name", [" ", "\u3000", "\u200b", "\u2060\ufeff", "\xad", "\u2800", "\u3164\u115f", "\ufe0f", "\U000e0041"]
)
def test_a_name_that_nobody_sees_is_refused(name: str) -> None:
    """A name of blanks, fillers and ignorable characters alone has one issue."""
    assert refused("hardened", displayName=name) == [("custom", ["displayName"])]


@pytest.mark.parametrize("name", ["a\u202eb", "\u2066a", "a\u202a", "a\nb", "a\u2028b", "\x1b[31ma", "a\x7f", "a\x9b"])
def test_a_name_that_controls_the_text_is_refused(name: str) -> None:
    """A name cannot turn the direction of the text after it, end its line or control a terminal."""
    assert refused("hardened", displayName=name) == [("custom", ["displayName"])]


WRONG_URLS = [
    'http://x/"><script>',
    "http://x/<",
    "http://x/`",
    "http://x\\@y",
    "http://user@x/a.png",
    "http://user:password@x",
    "http://é/",
    "http://x:80a/",
    "http:///a.png",
]


@pytest.mark.parametrize("url", WRONG_URLS)
def test_an_avatar_has_the_characters_of_urls_and_no_userinfo(url: str) -> None:
    """The documented profile keeps the seed document's words: any absolute URL (P8)."""
    assert refused("hardened", avatarUrl=url) == [("invalid_string", ["avatarUrl"])]
    if url != "http:///a.png":
        assert refused("documented", avatarUrl=url) == []


@pytest.mark.parametrize("url", ["https://x:8443/~a/b_c.png?d=(e)&f=%20@g[]#h!$'*+,;", "http://[::1]/a", "HTTPS://X"])
def test_an_avatar_of_url_characters_is_good(url: str) -> None:
    """All characters of RFC 3986 may stand behind the host, and a host may be an address."""
    assert refused("hardened", avatarUrl=url) == []


def test_null_takes_a_profile_back(hardened: Backend) -> None:
    """A display name, an avatar and a bio can be taken back; a username cannot."""
    ann = hardened.guest("ann")
    path, token = {"id": ann["user"]["id"]}, ann["accessToken"]
    given = {"displayName": "Ann", "bio": "Hello", "avatarUrl": "https://example.com/a.png"}
    nothing = dict.fromkeys(given)
    assert refused("hardened", **nothing) == refused("documented", **nothing) == []
    assert refused("hardened", username=None) == [("invalid_type", ["username"])]
    hardened.call("updateUser", given, path=path, token=token)
    assert hardened.data("updateUser", nothing, path=path, token=token).items() >= nothing.items()


@pytest.mark.parametrize("name", ["system", "System", "SYSTEM"])
def test_the_servers_own_name_is_taken_in_every_letter_case(hardened: Backend, name: str) -> None:
    """No user can look like the owner of the seeded server (R21)."""
    ann = hardened.guest("ann")
    with pytest.raises(BadRequest, match="Username already taken"):
        hardened.register(name)
    with pytest.raises(BadRequest, match="Username already taken"):
        hardened.guest(name)
    with pytest.raises(Conflict, match="Username already taken"):
        hardened.call("updateUser", {"username": name}, path={"id": ann["user"]["id"]}, token=ann["accessToken"])
    hardened.guest("systems")
