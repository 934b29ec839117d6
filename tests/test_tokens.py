"""Tokens (ruling R23), and the texts with which bad ones are refused (rulings R6 and R7)."""

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
ACCESS = SECRETS["JWT_ACCESS_SECRET"].strip()
REFRESH = SECRETS["JWT_REFRESH_SECRET"].strip()


@dataclass(frozen=True)
class User:
    """A user, as far as tokens need one."""

    id: str = "cuser"
    username: str = "anna"
    email: str | None = "anna@example.com"


@pytest.fixture
def clock() -> HandClock:
    """Return the clock of `tokens`."""
    return HandClock()


@pytest.fixture
def tokens(clock: HandClock) -> Tokens:
    """Return tokens with known secrets and the default lifetimes."""
    return Tokens(Config.load(SECRETS, Path("no such file")), clock)


def payload(**changes: Any) -> dict[str, Any]:
    """Return a valid payload with some members changed or, with `...`, left out."""
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


def test_a_pair_names_its_user_and_session(tokens: Tokens) -> None:
    """Each token of a pair has the claims of the user and the session."""
    pair = tokens.pair(User(), "csession")
    access, refresh = tokens.read_access(pair.access_token), tokens.read_refresh(pair.refresh_token)
    assert access == Claims("cuser", "anna", "anna@example.com", "csession", access.jti, 1234, 1234 + 900)
    assert refresh.expires_at * 1000 == pair.refresh_expires_at == (1234 + 604_800) * 1000
    assert refresh.jti == pair.refresh_jti != access.jti
    assert tokens.read_access(tokens.pair(User(email=None), "s").access_token).email is None


def test_payload_and_algorithm_keep_the_contract(tokens: Tokens) -> None:
    """A token has the members that ruling R23 lists, and is signed with HS256."""
    token = tokens.pair(User(), "csession").access_token
    assert jwt.get_unverified_header(token)["alg"] == "HS256"
    options: Any = {"verify_exp": False}
    content = jwt.decode(token, ACCESS, algorithms=["HS256"], options=options)
    assert set(content) == {"userId", "username", "email", "iat", "exp", "jti", "type", "sid"}
    assert content["type"] == "access"


def test_pairs_of_one_second_differ(tokens: Tokens) -> None:
    """Two refreshes in one second give different tokens, so that single use can be checked."""
    assert tokens.pair(User(), "s").refresh_token != tokens.pair(User(), "s").refresh_token


def test_each_kind_is_refused_as_the_other(tokens: Tokens) -> None:
    """Each kind has its own secret and its own `type`, and the `type` under the other's secret is refused."""
    pair = tokens.pair(User(), "csession")
    crossed = jwt.encode(payload(type="refresh"), ACCESS, "HS256")
    for token in (pair.refresh_token, crossed):
        with pytest.raises(NotAuthenticated, match=r"^Invalid token$"):
            tokens.read_access(token)
    with pytest.raises(NotAuthenticated, match=r"^Invalid refresh token$"):
        tokens.read_refresh(pair.access_token)


def test_tokens_expire_to_the_second(tokens: Tokens, clock: HandClock) -> None:
    """An expired token is refused at once, with a text that says that it expired."""
    pair = tokens.pair(User(), "csession")
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
    """A token with the seed document's payload alone is told that it expired."""
    token = jwt.encode(payload(exp=1000, sid=..., jti=...), ACCESS, "HS256")
    with pytest.raises(NotAuthenticated, match=r"^Token expired$"):
        tokens.read_access(token)


def test_a_token_is_refused_before_its_beginning(tokens: Tokens, clock: HandClock) -> None:
    """A token with an `nbf` is invalid until then and good from then on, also when it was read before (A4)."""
    access = jwt.encode(payload(nbf=1300), ACCESS, "HS256")
    refresh = jwt.encode(payload(nbf=1300, type="refresh"), REFRESH, "HS256")
    for now, valid in ((1299.9, False), (1300.0, True), (1250.0, False)):
        clock.now = now
        for read, token, refusal in (
            (tokens.read_access, access, "Invalid token"),
            (tokens.read_refresh, refresh, "Invalid refresh token"),
        ):
            if valid:
                assert read(token).session_id == "csession"
            else:
                with pytest.raises(NotAuthenticated, match=f"^{refusal}$"):
                    read(token)


@pytest.mark.parametrize("beginning", [0, 1234, 1234.0, -1])
def test_a_token_that_has_begun_is_good(tokens: Tokens, beginning: float) -> None:
    """A token whose `nbf` is past, or now, is accepted."""
    assert tokens.read_access(jwt.encode(payload(nbf=beginning), ACCESS, "HS256")).jti == "cjti"


def test_the_helper_payload_is_good(tokens: Tokens) -> None:
    """The payload that the tests below change is accepted unchanged."""
    assert tokens.read_access(jwt.encode(payload(), ACCESS, "HS256")).session_id == "csession"


NO_TEXTS: list[Any] = [..., None, 5, [], {}, ""]
NO_NUMBERS: list[Any] = [..., None, "2000", 2000.0, True, [], 1e300]
NO_TIMES: list[Any] = [None, "1000", True, [], {}]
NO_EMAILS: list[Any] = [5, [], {}]
NO_TYPES: list[Any] = [..., None, 5, [], {}, "refresh", "ACCESS"]
BAD_CLAIMS: list[dict[str, Any]] = [
    *({name: value} for name in ("userId", "username", "sid", "jti") for value in NO_TEXTS),
    *({name: value} for name in ("iat", "exp") for value in NO_NUMBERS),
    *({"email": value} for value in NO_EMAILS),
    *({"nbf": value} for value in NO_TIMES),
    *({"type": value} for value in NO_TYPES),
]


@pytest.mark.parametrize("changes", BAD_CLAIMS, ids=str)
def test_a_claim_of_a_wrong_type_is_invalid(tokens: Tokens, changes: dict[str, Any]) -> None:
    """A well signed token with a claim of a wrong type is invalid, and causes no other error."""
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
def test_a_forged_token_is_refused(tokens: Tokens, token: str) -> None:
    """Every text in place of a token is refused with the contract's text."""
    with pytest.raises(NotAuthenticated, match=r"^Invalid token$"):
        tokens.read_access(token)
    with pytest.raises(NotAuthenticated, match=r"^Invalid refresh token$"):
        tokens.read_refresh(token)
