"""The `Authorization` header (rulings R7, P1 and P6)."""

from __future__ import annotations

import pytest

from hype_contract.actors.world import World

MALFORMED = ["Bearer", "Bearer ", "Basic {}", "{}", "Token {}", "Bearer{}", "Bearer {} {}", "Bearer, {}", "é {}"]


@pytest.mark.parametrize("form", ["Bearer {}", "bearer {}", "BEARER {}", "Bearer    {}"])
def test_the_scheme_may_have_any_letter_case(world: World, form: str) -> None:
    """RFC 9110 lets a client write the scheme in either case, with one space or more."""
    person = world.guest()
    header = [("Authorization", form.format(person.token))]
    assert world.rest.call("getCurrentUser", headers=header, expect=200).data["user"]["id"] == person.id


@pytest.mark.parametrize("form", MALFORMED)
def test_a_malformed_header_is_no_authentication(world: World, form: str) -> None:
    """A malformed header is 401 `Not authenticated` where a token is needed, with the scheme to use."""
    header = [("Authorization", form.format(world.guest().token, "x").strip())]
    reply = world.rest.call("getCurrentUser", headers=header, expect=401)
    assert (reply.error, reply.headers["WWW-Authenticate"]) == ("Not authenticated", "Bearer")


@pytest.mark.parametrize("form", [*MALFORMED, "Bearer a.b.c"])
@pytest.mark.parametrize("operation", ["listChannels", "listUsers", "listServers", "getHealth", "getApi"])
def test_public_reads_ignore_bad_tokens(world: World, operation: str, form: str) -> None:
    """A public read succeeds with a stale or malformed header."""
    world.rest.call(operation, headers=[("Authorization", form.format("x", "y").strip())], expect=200)


def test_a_login_ignores_a_bad_token(world: World) -> None:
    """Registration, login and refresh do not read the header."""
    person = world.member()
    stale = [("Authorization", "Bearer a.b.c")]
    login = {"email": person.email, "password": person.password}
    world.rest.call("loginUser", body=login, headers=stale, expect=200)
    world.rest.call("refreshTokens", body={"refreshToken": person.refresh_token}, headers=stale, expect=200)


def test_authentication_comes_before_validation(world: World) -> None:
    """A broken body is 401 without a token, 400 with one (ruling R10)."""
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
