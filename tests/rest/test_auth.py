"""The `Authorization` header (rulings R7, P1 and P6)."""

from __future__ import annotations

import pytest

from hype_contract.actors.world import World

MALFORMED = ["Bearer", "Bearer ", "Basic {}", "{}", "Token {}", "Bearer{}", "Bearer {} {}", "Bearer, {}", "é {}"]


@pytest.mark.parametrize("form", ["Bearer {}", "bearer {}", "BEARER {}", "Bearer    {}"])
def test_the_scheme_in_any_letter_case(world: World, form: str) -> None:
    """RFC 9110 lets a client write the scheme in either case, with one space or more."""
    person = world.guest()
    header = [("Authorization", form.format(person.token))]
    assert world.rest.call("getCurrentUser", headers=header, expect=200).data["user"]["id"] == person.id


@pytest.mark.parametrize("form", MALFORMED)
def test_a_malformed_header_is_no_authentication(world: World, form: str) -> None:
    """Where a token is needed it is 401 `Not authenticated`, with the scheme to use."""
    header = [("Authorization", form.format(world.guest().token, "x").strip())]
    reply = world.rest.call("getCurrentUser", headers=header, expect=401)
    assert (reply.error, reply.headers["WWW-Authenticate"]) == ("Not authenticated", "Bearer")


@pytest.mark.parametrize("form", [*MALFORMED, "Bearer a.b.c"])
@pytest.mark.parametrize("operation", ["listChannels", "listUsers", "listServers", "getHealth", "getApi"])
def test_public_reads_ignore_bad_tokens(world: World, operation: str, form: str) -> None:
    """What anybody may read, a stale or broken header does not forbid."""
    world.rest.call(operation, headers=[("Authorization", form.format("x", "y").strip())], expect=200)


def test_a_bad_token_does_not_forbid_to_get_a_good_one(world: World) -> None:
    """Registration, login and refresh do not look at the header at all."""
    person = world.member()
    stale = [("Authorization", "Bearer a.b.c")]
    login = {"email": person.email, "password": person.password}
    world.rest.call("loginUser", body=login, headers=stale, expect=200)
    world.rest.call("refreshTokens", body={"refreshToken": person.refresh_token}, headers=stale, expect=200)


def test_who_asks_comes_before_what_is_asked(world: World) -> None:
    """Without a token a broken body is 401, with one 400 (ruling R10)."""
    headers = [("Content-Type", "application/json")]
    for token, status in ((None, 401), (world.guest().token, 400)):
        world.rest.raw(
            "POST",
            "/api/messages",
            headers=headers,
            content=b"{",
            token=token,
            operation="createMessage",
            expect=status,
        )
