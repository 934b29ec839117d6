"""Tokens and sessions: claims, refresh and logout (rulings R23, P2 and P3)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Any

from hype_contract.actors import must
from hype_contract.actors.clients.rest import Reply
from hype_contract.actors.people import Person, unique
from hype_contract.actors.racing import race, statuses
from hype_contract.actors.world import World
from hype_contract.cases.registry import Case, case, family
from hype_contract.cases.rest import bad_tokens, forgery
from hype_contract.contract.specs import Contract
from hype_contract.requirements.authorisation import BAD_REFRESH_TOKENS

ACCESS_S, REFRESH_S = 15 * 60, 7 * 24 * 60 * 60
"""The contract's lifetimes in seconds. `--access-lifetime` overrides the first one."""

SAME_CLOCK_S = 300
"""The time within which any machine creates a user and a token. Another time zone differs by more."""

RACERS = 4


@case(
    "R23.claims",
    "both tokens are HS256, with the contract's claims and lifetimes",
    source="openapi.yaml#/components/schemas/Token",
)
def claims(world: World) -> None:
    """Compare `iat` with the user's createdAt."""
    for person in (world.guest("ann"), world.member("bob")):
        user_claims = {"userId": person.id, "username": person.username, "email": person.email}
        shown = world.rest.call("getUser", path={"id": person.id}, expect=200)
        created = datetime.fromisoformat(shown.data["createdAt"]).timestamp()
        access, refresh = forgery.claims(person.token), forgery.claims(person.refresh_token)
        for payload in (access, refresh):
            off = abs(payload["iat"] - created)
            must.hold(off < SAME_CLOCK_S, "an iat close to the user's createdAt", f"one that is {off:.0f} s off")
        _judge_pair(world, user_claims, person.token, person.refresh_token)
        for name in ("type", "jti"):
            values = access.get(name), refresh.get(name)
            distinct = all(values) and values[0] != values[1]
            must.hold(distinct, f"a different {name} in each token", values)
    world.rest.call("getCurrentUser", token=person.token, expect=200)


@case("R23.every-pair-is-new", "every token has a jti of its own", source="openapi.yaml#/components/schemas/Token")
def every_pair_is_new(world: World) -> None:
    """Compare the tokens of a registration, a second login and a refresh."""
    _, pairs = world.shared("three pairs", _three_pairs)
    tokens = [token for pair in pairs for token in pair]
    must.equal(len({forgery.claims(token)["jti"] for token in tokens}), len(tokens), "the number of different jtis")
    world.rest.call("getCurrentUser", token=tokens[0], expect=200)


@case(
    "R23.claims-of-later-tokens",
    "tokens of a login or a refresh have the same user claims and lifetimes as those of a registration",
    source="openapi.yaml#/components/schemas/Token",
)
def claims_of_later_tokens(world: World) -> None:
    ann, pairs = world.shared("three pairs", _three_pairs)
    user_claims = {"userId": ann.id, "username": ann.username, "email": ann.email}
    for access, refresh in pairs:
        _judge_pair(world, user_claims, access, refresh)
    world.rest.call("getCurrentUser", token=pairs[-1][0], expect=200)


@case(
    "R23.new-username",
    "the tokens of a user go on working after a new username, and those of a refresh have it",
    source="openapi.yaml#/components/schemas/Token",
)
def new_username(world: World) -> None:
    ann, name = world.guest("ann"), unique("renamed")
    body, path = {"username": name}, {"id": ann.id}
    world.rest.call("updateUser", path=path, token=ann.token, body=body, expect=200)
    me = world.rest.call("getCurrentUser", token=ann.token, expect=200)
    must.equal(me.data["user"]["username"], name, "the username in /auth/me", seen=me.pair)
    pair = _refresh(world, ann.refresh_token, 200)
    username = forgery.claims(pair.data["accessToken"]).get("username")
    must.equal(username, name, "the username in a refreshed token", seen=pair.pair)


def _three_pairs(world: World) -> tuple[Person, list[tuple[str, str]]]:
    """Return a member and three pairs of tokens: of the registration, of a second login, and of a refresh of that."""
    ann = world.member("ann")
    again = world.login(ann)
    pair = _refresh(world, again.refresh_token, 200).data
    refreshed = (pair["accessToken"], pair["refreshToken"])
    return ann, [(ann.token, ann.refresh_token), (again.token, again.refresh_token), refreshed]


def _judge_pair(world: World, user_claims: dict[str, Any], access: str, refresh: str) -> None:
    """Judge the algorithm, claims and lifetime of both tokens. `user_claims`: the claims that name the user."""
    for token, lifetime in ((access, world.options.access_lifetime_s or ACCESS_S), (refresh, REFRESH_S)):
        payload = forgery.claims(token)
        must.equal(forgery.header(token)["alg"], "HS256", "alg")
        must.members(payload, user_claims, "the payload")
        must.equal(payload["exp"] - payload["iat"], lifetime, "exp - iat, in seconds")


@family
def bad_refresh_tokens(contract: Contract) -> Iterable[Case]:
    """Yield a case for each kind of token that does not refresh."""
    for kind in BAD_REFRESH_TOKENS:
        yield Case(f"R23.bad-refresh-token.{kind}", "refreshTokens", partial(_does_not_refresh, kind=kind))


def _does_not_refresh(world: World, kind: str) -> None:
    """Send each token of a kind: 401."""
    ann = world.guest("ann")
    for token in bad_tokens.bad_refresh_tokens(kind, world, ann):
        # An empty text may count as no token at all (amendment A4).
        _refresh(world, token, 401 if token else [401, 400])


@case(
    "A4.not-yet-valid-token",
    "a token whose nbf lies in the future is refused",
    source="amendment A4; RFC 7519 section 4.1.5",
    level="hardened",
)
def not_yet_valid_token(world: World) -> None:
    """Show it with an access token and a refresh token; a token whose `nbf` is past works."""
    ann = world.guest("ann")
    begun = {"nbf": bad_tokens.now_at_target(ann) - bad_tokens.LONG_AGO_S}
    world.rest.call("getCurrentUser", token=bad_tokens.access_token(world, ann, **begun), expect=200)
    early = bad_tokens.not_yet_valid(ann)
    world.rest.call("getCurrentUser", token=bad_tokens.access_token(world, ann, **early), expect=401)
    _refresh(world, bad_tokens.refresh_token(world, ann, **early), 401)


@case(
    "R6.refresh-token-expired",
    "an expired refresh token is refused with `Refresh token expired`",
    source="POST /auth/refresh › Ответ при ошибке (401)",
    level="documented",
)
def expired_refresh_token(world: World) -> None:
    (expired,) = bad_tokens.bad_refresh_tokens("expired-token", world, world.guest("ann"))
    reply = _refresh(world, expired, 401)
    must.equal(reply.error, "Refresh token expired", "error", seen=reply.pair)


@case(
    "P3.refresh",
    "a refresh answers with two new tokens that work",
    source="POST /auth/refresh › Поведение",
    level="documented",
)
def refresh(world: World) -> None:
    """Show it with several refreshes in a row."""
    ann = world.guest("ann")
    pair = _pair(world, ann.refresh_token)
    me = world.rest.call("getCurrentUser", token=pair["accessToken"], expect=200)
    must.equal(me.data["user"]["id"], ann.id, "the user of the new access token", seen=me.pair)
    for _ in range(2):
        pair = _pair(world, pair["refreshToken"])
    world.rest.call("getCurrentUser", token=pair["accessToken"], expect=200)


@case(
    "P3.access-token-lives-on",
    "an access token stays valid for its 15 minutes after a refresh",
    source="JWT Authentication Flow › Access Token; rulings P3 and R23",
    level="documented",
    strength="should",
)
def access_token_lives_on(world: World) -> None:
    ann = world.guest("ann")
    _pair(world, ann.refresh_token)
    world.rest.call("getCurrentUser", token=ann.token, expect=200)


@case("P3.single-use", "a refresh token that is used again ends the session", level="hardened")
def single_use(world: World) -> None:
    """Show it with the new pair and with the old access token."""
    ann = world.guest("ann")
    pair = _pair(world, ann.refresh_token)
    _refresh(world, ann.refresh_token, 401)
    for token in (pair["accessToken"], ann.token):
        world.rest.call("getCurrentUser", token=token, expect=401)
    _refresh(world, pair["refreshToken"], 401)


@case(
    "P3.reuse-of-an-older-token",
    "a refresh token from before the last refresh ends the session when it is used again",
    level="hardened",
)
def reuse_of_an_older_token(world: World) -> None:
    ann = world.guest("ann")
    newest = _pair(world, _pair(world, ann.refresh_token)["refreshToken"])
    _refresh(world, ann.refresh_token, 401)
    world.rest.call("getCurrentUser", token=newest["accessToken"], expect=401)
    _refresh(world, newest["refreshToken"], 401)


@case("P3.other-sessions-live", "the end of one session leaves the user's other sessions valid", level="hardened")
def other_sessions_live(world: World) -> None:
    """End one session by using its refresh token twice."""
    ann = world.member("ann")
    other = world.login(ann)
    _pair(world, ann.refresh_token)
    _refresh(world, ann.refresh_token, 401)
    world.rest.call("getCurrentUser", token=other.token, expect=200)
    _pair(world, other.refresh_token)


@case("P3.race", "at most one of several concurrent refreshes with one token succeeds", level="hardened")
def refresh_race(world: World) -> None:
    token = world.guest("ann").refresh_token
    won = statuses(race([partial(world.rest.call, "refreshTokens", body={"refreshToken": token})] * RACERS))
    must.hold(won[200] <= 1 and won[200] + won[401] == RACERS, "at most one 200, and 401 for the others", dict(won))


@case(
    "P3.old-token-stays-valid",
    "a refresh token can be used more than once",
    source="POST /auth/refresh › Поведение",
    level="documented",
    profiles=("documented",),
)
def old_token_stays_valid(world: World) -> None:
    ann = world.guest("ann")
    for _ in range(2):
        pair = _pair(world, ann.refresh_token)
        world.rest.call("getCurrentUser", token=pair["accessToken"], expect=200)
    world.rest.call("getCurrentUser", token=ann.token, expect=200)


@case(
    "P2.logout",
    "logout answers `Logged out successfully`",
    source="POST /auth/logout › Ответ; ruling R1",
    level="documented",
)
def logout(world: World) -> None:
    reply = world.rest.call("logoutUser", token=world.guest("ann").token, expect=200)
    must.members(reply.json, {"success": True, "message": "Logged out successfully"}, "the answer", seen=reply.pair)


@case("P2.revokes", "logout ends the tokens of its session and leaves other sessions valid", level="hardened")
def revokes(world: World) -> None:
    ann = world.member("ann")
    other = world.login(ann)
    _log_out(world, ann)
    world.rest.call("getCurrentUser", token=ann.token, expect=401)
    world.rest.call("logoutUser", token=ann.token, expect=401)
    _refresh(world, ann.refresh_token, 401)
    world.rest.call("getCurrentUser", token=other.token, expect=200)
    _pair(world, other.refresh_token)


@case(
    "P2.revokes-the-whole-session",
    "logout ends every token of its session, also those from before a refresh",
    level="hardened",
)
def revokes_the_whole_session(world: World) -> None:
    ann = world.guest("ann")
    pair = _pair(world, ann.refresh_token)
    world.rest.call("logoutUser", token=pair["accessToken"], expect=200)
    for token in (ann.token, pair["accessToken"]):
        world.rest.call("getCurrentUser", token=token, expect=401)
    _refresh(world, pair["refreshToken"], 401)


@case(
    "P2.tokens-stay-valid",
    "after logout the tokens work until they expire",
    source="POST /auth/logout › Поведение",
    level="documented",
    profiles=("documented",),
)
def tokens_stay_valid(world: World) -> None:
    ann = world.guest("ann")
    _log_out(world, ann)
    world.rest.call("getCurrentUser", token=ann.token, expect=200)
    _pair(world, ann.refresh_token)


def _log_out(world: World, person: Person) -> None:
    world.rest.call("logoutUser", token=person.token, expect=200)


def _refresh(world: World, token: str, expect: int | list[int]) -> Reply:
    return world.rest.call("refreshTokens", body={"refreshToken": token}, expect=expect)


def _pair(world: World, token: str) -> dict[str, Any]:
    pair: dict[str, Any] = _refresh(world, token, 200).data
    return pair
