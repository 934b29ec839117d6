"""Tokens (ruling R23), and the words in which bad ones are refused (rulings R6 and R7)."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import pytest

from hype.config import Config
from hype.errors import NotAuthenticated
from hype.tokens import Claims, Tokens
from tests.clocks import HandClock

SECRETS = {"JWT_ACCESS_SECRET": "access secret " * 3, "JWT_REFRESH_SECRET": "refresh secret " * 3}
ACCESS, REFRESH = (secret.strip() for secret in SECRETS.values())


@dataclass(frozen=True)
class Someone:
    """A user, as far as tokens care."""

    id: str = "cuser"
    username: str = "anna"
    email: str | None = "anna@example.com"


@pytest.fixture
def clock() -> HandClock:
    """The clock of `tokens`."""
    return HandClock()


@pytest.fixture
def tokens(clock: HandClock) -> Tokens:
    """Tokens with known secrets and the default lifetimes."""
    return Tokens(Config.load(SECRETS, Path("no such file")), clock)


def payload(**changes: Any) -> dict[str, Any]:
    """A payload that is good until some of its members are changed or, with `...`, left out."""
    good = {
        "userId": "cuser",
        "username": "anna",
        "email": None,
        "iat": 1234,
        "exp": 2000,
        "jti": "cjti",
        "type": "access",
        "sid": "csession",
    }
    return {name: value for name, value in (good | changes).items() if value is not ...}


def test_a_pair_says_who_it_is_for(tokens: Tokens) -> None:
    """Each token of a pair reads back as the user and the session it was made for."""
    pair = tokens.pair(Someone(), "csession")
    access, refresh = tokens.read_access(pair.access_token), tokens.read_refresh(pair.refresh_token)
    assert access == Claims("cuser", "anna", "anna@example.com", "csession", access.jti, 1234, 1234 + 900)
    assert refresh.expires_at * 1000 == pair.refresh_expires_at == (1234 + 604_800) * 1000
    assert refresh.jti == pair.refresh_jti != access.jti
    assert tokens.read_access(tokens.pair(Someone(email=None), "s").access_token).email is None


def test_payload_and_algorithm_are_the_contracts(tokens: Tokens) -> None:
    """A client that looks into the token finds the members that ruling R23 lists, signed with HS256."""
    token = tokens.pair(Someone(), "csession").access_token
    assert jwt.get_unverified_header(token)["alg"] == "HS256"
    options: Any = {"verify_exp": False}
    content = jwt.decode(token, ACCESS, algorithms=["HS256"], options=options)
    assert set(content) == {"userId", "username", "email", "iat", "exp", "jti", "type", "sid"}
    assert content["type"] == "access"


def test_pairs_of_one_second_differ(tokens: Tokens) -> None:
    """A refresh in the same second gives another token, so that single use can be told."""
    assert tokens.pair(Someone(), "s").refresh_token != tokens.pair(Someone(), "s").refresh_token


def test_one_kind_is_never_taken_for_the_other(tokens: Tokens) -> None:
    """Each has its own secret and says its type, and one token says `type` under the other's secret in vain."""
    pair = tokens.pair(Someone(), "csession")
    crossed = jwt.encode(payload(type="refresh"), ACCESS, "HS256")
    for token in (pair.refresh_token, crossed):
        with pytest.raises(NotAuthenticated, match=r"^Invalid token$"):
            tokens.read_access(token)
    with pytest.raises(NotAuthenticated, match=r"^Invalid refresh token$"):
        tokens.read_refresh(pair.access_token)


def test_tokens_end_to_the_second(tokens: Tokens, clock: HandClock) -> None:
    """Nothing is forgiven after the end, and the words say that the token was good once."""
    pair = tokens.pair(Someone(), "csession")
    clock.now = 1234 + 899.9
    tokens.read_access(pair.access_token)
    clock.now = 1234 + 900
    with pytest.raises(NotAuthenticated, match=r"^Token expired$"):
        tokens.read_access(pair.access_token)
    clock.now = 1234 + 604_799.9
    tokens.read_refresh(pair.refresh_token)
    clock.now = 1234 + 604_800
    with pytest.raises(NotAuthenticated, match=r"^Refresh token expired$"):
        tokens.read_refresh(pair.refresh_token)


def test_an_expired_token_that_names_no_session_is_expired(tokens: Tokens) -> None:
    """A token with the payload of the seed document alone is told that it ran out, if that is what it did."""
    token = jwt.encode(payload(exp=1000, sid=..., jti=...), ACCESS, "HS256")
    with pytest.raises(NotAuthenticated, match=r"^Token expired$"):
        tokens.read_access(token)


def test_the_helper_payload_is_good(tokens: Tokens) -> None:
    """What the refusals below change is accepted as it is."""
    assert tokens.read_access(jwt.encode(payload(), ACCESS, "HS256")).session_id == "csession"


NO_TEXTS: list[Any] = [..., None, 5, [], {}, ""]
NO_NUMBERS: list[Any] = [..., None, "2000", 2000.0, True, [], 1e300]
NO_EMAILS: list[Any] = [5, [], {}]
NO_TYPES: list[Any] = [..., None, 5, [], {}, "refresh", "ACCESS"]
BAD_CLAIMS: list[dict[str, Any]] = [
    *({name: value} for name in ("userId", "username", "sid", "jti") for value in NO_TEXTS),
    *({name: value} for name in ("iat", "exp") for value in NO_NUMBERS),
    *({"email": value} for value in NO_EMAILS),
    *({"type": value} for value in NO_TYPES),
]


@pytest.mark.parametrize("changes", BAD_CLAIMS, ids=str)
def test_claims_of_odd_types(tokens: Tokens, changes: dict[str, Any]) -> None:
    """However well signed, a claim of the wrong type makes the token invalid, never an accident."""
    with pytest.raises(NotAuthenticated, match=r"^Invalid token$"):
        tokens.read_access(jwt.encode(payload(**changes), ACCESS, "HS256"))


def _forged(header: bytes, signature: str = "x") -> str:
    return f"{base64.urlsafe_b64encode(header).rstrip(b'=').decode()}.{BODY}.{signature}"


GOOD = jwt.encode(payload(), ACCESS, "HS256")
BODY = GOOD.split(".")[1]
FORGED = {
    "empty": "",
    "a word": "token",
    "dots": "..",
    "too many parts": GOOD + ".x",
    "other secret": jwt.encode(payload(), "another secret " * 3, "HS256"),
    "other algorithm": jwt.encode(payload(), ACCESS * 3, "HS512"),
    "no signature": jwt.encode(payload(), "", "none"),
    "none, with a signature": _forged(b'{"alg": "none"}', GOOD.split(".")[2]),
    "cut": GOOD[:-1],
    "letters beyond ASCII": GOOD + "é",
    "surrogate": GOOD + "\ud800",
    "zero": GOOD + "\0",
    "spaces": f" {GOOD} ",
    "deep header": _forged(b"[" * 60_000),
    "endless number in the header": _forged(b'{"alg": ' + b"9" * 5_000 + b"}"),
    "header of odd types": _forged(b'{"alg": ["HS256"], "kid": 5, "crit": 7}'),
    "payload is a list": jwt.api_jws.encode(b"[]", ACCESS, "HS256"),
    "payload is no JSON": jwt.api_jws.encode(b"\xff", ACCESS, "HS256"),
    "payload is deep": jwt.api_jws.encode(b"[" * 60_000, ACCESS, "HS256"),
    "huge": "x" * 1_000_000,
}


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED)
def test_forgeries(tokens: Tokens, token: str) -> None:
    """Whatever is sent in a token's place is refused in the contract's words."""
    with pytest.raises(NotAuthenticated, match=r"^Invalid token$"):
        tokens.read_access(token)
    with pytest.raises(NotAuthenticated, match=r"^Invalid refresh token$"):
        tokens.read_refresh(token)
