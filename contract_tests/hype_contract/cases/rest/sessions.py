"""Tokens and sessions: claims, refresh and logout (rulings R23, P2 and P3)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Any

from hype_contract.actors import must
from hype_contract.actors.clients.rest import Reply
from hype_contract.actors.people import Person
from hype_contract.actors.racing import race, statuses
from hype_contract.actors.world import World
from hype_contract.cases.registry import Case, case, family
from hype_contract.cases.rest import bad_tokens, forgery
from hype_contract.cases.rest.authorisation import refused
from hype_contract.contract.specs import Contract
from hype_contract.requirements.authorisation import BAD_REFRESH_TOKENS

ACCESS_S, REFRESH_S = 15 * 60, 7 * 24 * 60 * 60
"""The contract's lifetimes in seconds; `--access-lifetime` states another of the first."""

SAME_CLOCK_S = 300
"""What makes a user and at once a token, however slow, is done within it; another time zone is further off."""

RACERS = 4


@case("R23.claims", "tokens are HS256 with the contract's claims and lifetimes")
def claims(world: World) -> None:
    """Both tokens are HS256 and say who, what for, and until when."""
    for person in (world.guest("ann"), world.member("bob")):
        who = {"userId": person.id, "username": person.username, "email": person.email}
        shown = world.rest.call("getUser", path={"id": person.id}, expect=200)
        created = datetime.fromisoformat(shown.data["createdAt"]).timestamp()
        access, refresh = forgery.claims(person.token), forgery.claims(person.refresh_token)
        for payload in (access, refresh):
            off = abs(payload["iat"] - created)
            must.hold(off < SAME_CLOCK_S, "an iat by the clock of createdAt", f"{off:.0f} s off")
        _judge_pair(world, who, person.token, person.refresh_token)
        for name in ("type", "jti"):
            values = access.get(name), refresh.get(name)
            distinct = all(values) and values[0] != values[1]
            must.hold(distinct, f"a {name} in each token, and not the same", values)
    world.rest.call("getCurrentUser", token=person.token, expect=200)


@case("R23.every-pair-is-new", "every token has a jti of its own")
def every_pair_is_new(world: World) -> None:
    """No two tokens have one jti, refreshed or of another login."""
    _, pairs = world.shared("three pairs", _three_pairs)
    tokens = [token for pair in pairs for token in pair]
    must.equal(len({forgery.claims(token)["jti"] for token in tokens}), len(tokens), "the number of different jtis")
    world.rest.call("getCurrentUser", token=tokens[0], expect=200)


@case("R23.claims-of-later-tokens", "tokens of a login or a refresh say the same, and live as long")
def claims_of_later_tokens(world: World) -> None:
    """What a login and a refresh give out says the same as what the registration gave out, and lives as long."""
    ann, pairs = world.shared("three pairs", _three_pairs)
    who = {"userId": ann.id, "username": ann.username, "email": ann.email}
    for access, refresh in pairs:
        _judge_pair(world, who, access, refresh)
    world.rest.call("getCurrentUser", token=pairs[-1][0], expect=200)


def _three_pairs(world: World) -> tuple[Person, list[tuple[str, str]]]:
    """Somebody, and the pairs that their registration, a second login and a refresh of that gave."""
    ann = world.member("ann")
    again = world.login(ann)
    pair = _refresh(world, again.refresh_token, 200).data
    refreshed = (pair["accessToken"], pair["refreshToken"])
    return ann, [(ann.token, ann.refresh_token), (again.token, again.refresh_token), refreshed]


def _judge_pair(world: World, who: dict[str, Any], access: str, refresh: str) -> None:
    """Both are HS256, say who, and until when; `who`: the claims that are the user's."""
    for token, lifetime in ((access, world.options.access_lifetime_s or ACCESS_S), (refresh, REFRESH_S)):
        payload = forgery.claims(token)
        must.equal(forgery.header(token)["alg"], "HS256", "alg")
        must.members(payload, who, "the payload")
        must.equal(payload["exp"] - payload["iat"], lifetime, "exp - iat, in seconds")


@family
def bad_refresh_tokens(contract: Contract) -> Iterable[Case]:
    """One case per kind of token that does not refresh."""
    for kind in BAD_REFRESH_TOKENS:
        yield Case(f"R23.bad-refresh-token.{kind}", "refreshTokens", partial(_does_not_refresh, kind=kind))


def _does_not_refresh(world: World, kind: str) -> None:
    """401, with each of that kind."""
    ann = world.guest("ann")
    for token in bad_tokens.bad_refresh_tokens(kind, world, ann):
        refused(_refresh(world, token, 401))


@case(
    "R6.refresh-token-expired",
    "an expired refresh token is answered in the seed's words",
    source="POST /auth/refresh › Ответ при ошибке (401); ruling R6",
)
def expired_refresh_token(world: World) -> None:
    """A refresh token that has expired is told apart from one that is none."""
    (expired,) = bad_tokens.bad_refresh_tokens("expired-token", world, world.guest("ann"))
    reply = _refresh(world, expired, 401)
    must.equal(reply.error, "Refresh token expired", "error", seen=reply.pair)


@case("P3.refresh", "a refresh gives a pair of tokens that works", source="POST /auth/refresh › Поведение")
def refresh(world: World) -> None:
    """A refresh gives a pair that works."""
    ann = world.guest("ann")
    pair = _pair(world, ann.refresh_token)
    me = world.rest.call("getCurrentUser", token=pair["accessToken"], expect=200)
    must.equal(me.data["user"]["id"], ann.id, "who the new access token is", seen=me.pair)
    for _ in range(2):
        pair = _pair(world, pair["refreshToken"])
    world.rest.call("getCurrentUser", token=pair["accessToken"], expect=200)


@case(
    "P3.access-token-lives-on",
    "a refresh leaves the access token from before it alone, which is valid for 15 minutes",
    source="JWT Authentication Flow; rulings P3 and R23",
    strength="should",
)
def access_token_lives_on(world: World) -> None:
    """The access token from before a refresh is one for 15 minutes all the same."""
    ann = world.guest("ann")
    _pair(world, ann.refresh_token)
    world.rest.call("getCurrentUser", token=ann.token, expect=200)


@case("P3.single-use", "a refresh token that is used again ends the session", level="hardened")
def single_use(world: World) -> None:
    """Using a refresh token again ends the session: neither the new pair nor the old works any more."""
    ann = world.guest("ann")
    pair = _pair(world, ann.refresh_token)
    refused(_refresh(world, ann.refresh_token, 401))
    for token in (pair["accessToken"], ann.token):
        refused(world.rest.call("getCurrentUser", token=token, expect=401))
    refused(_refresh(world, pair["refreshToken"], 401))


@case("P3.reuse-of-an-older-token", "so does one that was used before the last refresh", level="hardened")
def reuse_of_an_older_token(world: World) -> None:
    """A refresh token that was used two refreshes ago ends the session as the last one would."""
    ann = world.guest("ann")
    newest = _pair(world, _pair(world, ann.refresh_token)["refreshToken"])
    refused(_refresh(world, ann.refresh_token, 401))
    refused(world.rest.call("getCurrentUser", token=newest["accessToken"], expect=401))
    refused(_refresh(world, newest["refreshToken"], 401))


@case("P3.other-sessions-live", "the end of one session leaves the user's others alone", level="hardened")
def other_sessions_live(world: World) -> None:
    """The end of one session is not the end of the user's others."""
    ann = world.member("ann")
    other = world.login(ann)
    _pair(world, ann.refresh_token)
    _refresh(world, ann.refresh_token, 401)
    world.rest.call("getCurrentUser", token=other.token, expect=200)
    _pair(world, other.refresh_token)


@case("P3.race", "of several refreshes with one token at once at most one succeeds", level="hardened")
def refresh_race(world: World) -> None:
    """Of several who use one refresh token at once at most one gets a new pair."""
    token = world.guest("ann").refresh_token
    won = statuses(race([partial(world.rest.call, "refreshTokens", body={"refreshToken": token})] * RACERS))
    must.hold(won[200] <= 1 and won[200] + won[401] == RACERS, "one 200 at most, and 401 for the others", dict(won))


@case("P3.old-token-stays-valid", "a refresh token may be used again", profiles=("documented",))
def old_token_stays_valid(world: World) -> None:
    """A refresh token works until it expires, used or not."""
    ann = world.guest("ann")
    for _ in range(2):
        pair = _pair(world, ann.refresh_token)
        world.rest.call("getCurrentUser", token=pair["accessToken"], expect=200)
    world.rest.call("getCurrentUser", token=ann.token, expect=200)


@case("P2.logout", "logout answers in the seed's words", source="POST /auth/logout › Ответ; ruling R1")
def logout(world: World) -> None:
    """Logout answers in the seed's words."""
    reply = world.rest.call("logoutUser", token=world.guest("ann").token, expect=200)
    must.equal(reply.json, {"success": True, "message": "Logged out successfully"}, "the answer", seen=reply.pair)


@case("P2.revokes", "after logout the session's tokens are refused, and other sessions' work", level="hardened")
def revokes(world: World) -> None:
    """After logout neither token of the session works; another session of the same user does."""
    ann = world.member("ann")
    other = world.login(ann)
    _leave(world, ann)
    refused(world.rest.call("getCurrentUser", token=ann.token, expect=401))
    refused(world.rest.call("logoutUser", token=ann.token, expect=401))
    refused(_refresh(world, ann.refresh_token, 401))
    world.rest.call("getCurrentUser", token=other.token, expect=200)
    _pair(world, other.refresh_token)


@case(
    "P2.revokes-the-whole-session",
    "logout ends every token of the session, from before a refresh too",
    level="hardened",
)
def revokes_the_whole_session(world: World) -> None:
    """A logout after a refresh ends what the session had before it, too."""
    ann = world.guest("ann")
    pair = _pair(world, ann.refresh_token)
    world.rest.call("logoutUser", token=pair["accessToken"], expect=200)
    for token in (ann.token, pair["accessToken"]):
        refused(world.rest.call("getCurrentUser", token=token, expect=401))
    refused(_refresh(world, pair["refreshToken"], 401))


@case("P2.tokens-stay-valid", "after logout the tokens work until they expire", profiles=("documented",))
def tokens_stay_valid(world: World) -> None:
    """Logout is only a word: both tokens work on."""
    ann = world.guest("ann")
    _leave(world, ann)
    world.rest.call("getCurrentUser", token=ann.token, expect=200)
    _pair(world, ann.refresh_token)


def _leave(world: World, person: Person) -> None:
    world.rest.call("logoutUser", token=person.token, expect=200)


def _refresh(world: World, token: str, expect: int) -> Reply:
    return world.rest.call("refreshTokens", body={"refreshToken": token}, expect=expect)


def _pair(world: World, token: str) -> dict[str, Any]:
    pair: dict[str, Any] = _refresh(world, token, 200).data
    return pair
