"""Bad tokens by kind (rulings R7 and R23), made from a good token, some with the target's own secret."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hype_contract.actors import must
from hype_contract.actors.people import Person
from hype_contract.actors.world import World
from hype_contract.cases.rest import forgery
from hype_contract.cases.rest.samples import UNKNOWN_ID

EXAMPLE_SECRETS = (b"your-secret-key-for-access-tokens", b"your-secret-key-for-refresh-tokens")
"""The secrets that the seed document gives as an example."""
_GUESSABLE_SECRETS = (b"", b"secret", *EXAMPLE_SECRETS)
LONG_AGO_S = 3600
"""The age of an expired token after its end. No clock is as wrong, and no leeway as wide."""

_HEADERS = ("Bearer", "Basic c29tZTpib2R5", "{token}", "Token {token}")
_ODD_USER_IDS: tuple[Any, ...] = (None, "", 1, True, [], ["{id}"], {"$ne": None}, "a\x00b", "\ud800", forgery.MISSING)
_EXPIRY_MARGIN_S = 2.0


def bad_headers(kind: str, world: World, victim: Person) -> Iterable[str]:
    """Return values of `Authorization` of one kind, made from the victim's token. Raises `NeedsOption`."""
    if kind == "malformed-header":
        return [header.format(token=victim.token) for header in _HEADERS]
    return [f"Bearer {token}" for token in bad_access_tokens(kind, world, victim)]


def bad_access_tokens(kind: str, world: World, victim: Person) -> Iterable[str]:
    """Return tokens of one kind, none of which is an access token of the victim. Raises `NeedsOption`."""
    return _MAKERS[kind](world, victim)


def bad_refresh_tokens(kind: str, world: World, victim: Person) -> Iterable[str]:
    """Return bad refresh tokens of a kind of `BAD_REFRESH_TOKENS`. Raises `NeedsOption`."""
    return _REFRESH_MAKERS[kind](world, victim)


def access_token(world: World, person: Person, **claims: Any) -> str:
    """Return the person's access token with other claims, signed with the target's own secret. Raises `NeedsOption`.

    `algorithm`, one of the claims, is the `alg` of the header instead.
    """
    option, secret = "--jwt-access-secret", world.options.access_secret
    return _signed(_checked(option, secret, person.token), person.token, claims)


def now_at_target(person: Person) -> int:
    """Return the time on the target's clock, in seconds since the epoch, as `iat` of the person's token shows it.

    The clock of this machine may be another; it counts where the token has no `iat`.
    """
    issued = forgery.claims(person.token).get("iat")
    if not isinstance(issued, int):
        return int(time.time())
    return int(issued + time.monotonic() - person.made_at)


def not_yet_valid(person: Person) -> dict[str, int]:
    """Return the time claims of a token that becomes valid long after the run."""
    now = now_at_target(person)
    return {"iat": now, "nbf": now + LONG_AGO_S, "exp": now + 2 * LONG_AGO_S}


def refresh_token(world: World, person: Person, **claims: Any) -> str:
    """Return the person's refresh token with other claims, like `access_token`. Raises `NeedsOption`."""
    option, secret = "--jwt-refresh-secret", world.options.refresh_secret
    return _signed(_checked(option, secret, person.refresh_token), person.refresh_token, claims)


def _checked(option: str, secret: bytes | None, token: str) -> bytes:
    """Return `secret`. Raises `NeedsOption` when it is missing, or did not sign `token`."""
    if secret is None:
        raise must.NeedsOption(f"give {option} to have expired tokens and forged claims judged")
    if forgery.signed(token, secret) != token:
        raise must.NeedsOption(f"the target signs its tokens with a secret other than that of {option}")
    return secret


def _signed(secret: bytes, token: str, claims: Mapping[str, Any]) -> str:
    changes = dict(claims)
    algorithm = changes.pop("algorithm", "HS256")
    return forgery.signed(forgery.with_claims(token, **changes), secret, algorithm)


def _garbage(world: World, victim: Person) -> Iterable[str]:
    yield from ("garbage", "a.b.c", "null", "eyJhbGciOiJIUzI1NiJ9.e30.", f"{victim.token}.x")


def _tampered(world: World, victim: Person) -> Iterable[str]:
    yield forgery.tampered(victim.token)
    yield victim.token[: victim.token.rindex(".") + 1]


def _forger(world: World) -> Person:
    return world.guest("forger")


def _forged(world: World, victim: Person) -> Iterable[str]:
    yield forgery.with_claims(world.shared("forger", _forger).token, userId=victim.id, username=victim.username)
    yield from _guessed(victim.token)


def _guessed(token: str) -> Iterable[str]:
    """Yield the token, signed with each secret that can be guessed. An example secret in use is told once (A23)."""
    for secret in _GUESSABLE_SECRETS:
        forged = forgery.signed(token, secret)
        if forged != token or secret not in EXAMPLE_SECRETS:
            yield forged


def _unsigned(world: World, victim: Person) -> Iterable[str]:
    yield from (forgery.unsigned(victim.token, alg) for alg in ("none", "None", "NONE"))


def _expired(world: World, victim: Person) -> Iterable[str]:
    if world.options.access_secret is not None:
        yield access_token(world, victim, **_past(victim))
    elif world.options.access_lifetime_s is not None:
        yield _waited_for(world, world.options.access_lifetime_s)
    else:
        raise must.NeedsOption("give --jwt-access-secret or --access-lifetime to have expired tokens judged")


def _expired_refresh_token(world: World, victim: Person) -> Iterable[str]:
    if world.options.refresh_secret is None:  # before a claim is read: the target's tokens may be no JWT
        raise must.NeedsOption("give --jwt-refresh-secret to have expired tokens judged")
    yield refresh_token(world, victim, **_past(victim))


def _past(person: Person) -> dict[str, int]:
    """Return the time claims of a token that has expired long ago."""
    now = now_at_target(person)
    return {"iat": now - 2 * LONG_AGO_S, "exp": now - LONG_AGO_S}


def _waited_for(world: World, lifetime_s: float) -> str:
    """Wait until a token has expired, the same one for all cases of a run; return it. Raises `NeedsOption`."""
    if world.options.mode == "fast":
        raise must.NeedsOption("--fast does not wait until a token expires")
    aged, issued = world.shared("aged", _aging)
    due = issued + lifetime_s + _EXPIRY_MARGIN_S
    world.conditions.sleep(max(0.0, due - time.monotonic()))
    return aged.token


def _aging(world: World) -> tuple[Person, float]:
    return world.guest("aged"), time.monotonic()


def _unknown_user(world: World, victim: Person) -> Iterable[str]:
    yield access_token(world, victim, userId=UNKNOWN_ID, username="nobody-at-all", email=None)


def _wrong_type(world: World, victim: Person) -> Iterable[str]:
    yield access_token(world, victim, type=forgery.claims(victim.refresh_token).get("type", "refresh"))


def _other_algorithm(world: World, victim: Person) -> Iterable[str]:
    yield from (access_token(world, victim, algorithm=name) for name in ("HS384", "HS512"))


def _odd_claims(world: World, victim: Person) -> Iterable[str]:
    for odd in _ODD_USER_IDS:
        yield access_token(world, victim, userId=[victim.id] if odd == ["{id}"] else odd)


_MAKERS: Mapping[str, Callable[[World, Person], Iterable[str]]] = {
    "garbage-token": _garbage,
    "tampered-token": _tampered,
    "forged-signature": _forged,
    "unsigned-token": _unsigned,
    "refresh-token-as-access-token": lambda world, victim: [victim.refresh_token],
    "expired-token": _expired,
    "unknown-user": _unknown_user,
    "wrong-type": _wrong_type,
    "other-algorithm": _other_algorithm,
    "odd-claims": _odd_claims,
}

_REFRESH_MAKERS: Mapping[str, Callable[[World, Person], Iterable[str]]] = {
    "garbage-token": lambda world, victim: ["garbage", "a.b.c", "", "\U0001f600.\U0001f600.\U0001f600"],
    "tampered-token": lambda world, victim: [forgery.tampered(victim.refresh_token)],
    "forged-signature": lambda world, victim: [
        forgery.with_claims(world.shared("forger", _forger).refresh_token, userId=victim.id),
        *_guessed(victim.refresh_token),
    ],
    "unsigned-token": lambda world, victim: [forgery.unsigned(victim.refresh_token)],
    "access-token": lambda world, victim: [victim.token],
    "unknown-user": lambda world, victim: [refresh_token(world, victim, userId=UNKNOWN_ID)],
    "wrong-type": lambda world, victim: [
        refresh_token(world, victim, type=forgery.claims(victim.token).get("type", "access"))
    ],
    "other-algorithm": lambda world, victim: [
        refresh_token(world, victim, algorithm=name) for name in ("HS384", "HS512")
    ],
    "expired-token": _expired_refresh_token,
}
