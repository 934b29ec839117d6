"""The requirements that follow from openapi.yaml: one for each side of each bound, one for each way to ask."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest

from hype_contract.actors.must import NeedsOption
from hype_contract.actors.options import Options
from hype_contract.actors.world import World
from hype_contract.cases import catalogue
from hype_contract.cases.rest import bad_tokens, forgery
from hype_contract.contract.specs import Contract, load
from hype_contract.requirements.authorisation import BAD_REFRESH_TOKENS, BAD_TOKENS, cells, permissions
from hype_contract.requirements.bounds import bounds
from tests.hype_contract.fake import Fake

SECRET = b"a secret of the target's own"


def _signed(**claims: object) -> str:
    """A token as a target makes it."""
    token = forgery.with_claims(f"{forgery.unsigned('a.e30.c')}x", **claims)
    return forgery.signed(token, SECRET)


def test_the_sides_of_a_bound_are_told_apart(contract: Contract) -> None:
    """A message of 2000 code points is on the bound, one of 2001 outside, and each is a requirement of its own."""
    found = {one.side: one for one in bounds(contract) if one.id.startswith("bounds.createMessage.content.maxLength.")}
    assert {side: {len(probe.value) for probe in one.probes} for side, one in found.items()} == {
        "inside": {1999},
        "on": {2000},
        "outside": {2001},
    }


def test_a_bound_that_the_spec_loses_is_no_requirement_any_more(contract: Contract) -> None:
    """The list is read from the spec, not written beside it."""
    edited = copy.deepcopy(contract.openapi)
    del edited["components"]["schemas"]["MessageContent"]["maxLength"]
    left = {one.id for one in bounds(Contract("hardened", edited, contract.asyncapi))}
    gone = {one.id for one in bounds(contract)} - left
    assert gone == {
        f"bounds.{operation}.content.maxLength.{side}"
        for operation in ("createMessage", "updateMessage")
        for side in ("inside", "on", "outside")
    }


def test_every_operation_that_checks_tokens_has_a_cell_for_every_bad_one(contract: Contract) -> None:
    """REST's and voice's; a public read and an operation without security are asked with bad ones, too."""
    found: dict[str, set[str]] = {}
    for cell in cells(contract):
        found.setdefault(cell.operation.id, set()).add(cell.kind)
    for operation in ("createMessage", "getCurrentUser", "createProducer", "listChannelProducers"):
        assert {*BAD_TOKENS, "no-token", "revoked-access-token"} <= found[operation]
    assert found["listMessages"] == {"valid-token", "optional-token", "bad-token-on-a-public-read"}
    assert found["refreshTokens"] == {"token-not-looked-at"}


def test_what_only_the_hardened_profile_demands_is_said_to_be_its(contract: Contract) -> None:
    """Channels need a token there, and in the documented profile none; messages need one in both."""
    hardened, documented = catalogue.load(contract), catalogue.load(load("documented"))
    assert hardened["R7.no-token.createChannel"].level == "hardened"
    assert hardened["R7.no-token.createMessage"].level == "documented"
    assert hardened["allow.deleteChannel.other"].level == "hardened"
    assert documented["allow.deleteChannel.anonymous"].level == "documented"
    assert documented["R7.garbage-token.createChannel"].level == "documented"
    assert "R7.no-token.createChannel" not in {one.id for one in documented}


def test_whom_an_operation_is_for_is_read_from_its_policy(contract: Contract) -> None:
    """The author edits a message, nobody else does; in the documented profile anybody changes a channel."""
    allowed = {one.id: one.allowed for one in permissions(contract)}
    assert allowed["allow.updateMessage.owner"]
    assert not allowed["allow.updateMessage.other"]
    assert {one.id: one.allowed for one in permissions(contract.laxer)}["allow.updateChannel.other"]


def test_a_token_signed_again_with_the_targets_secret_is_the_same() -> None:
    """So it is told whether the secret is the right one, and an expired token differs in nothing else."""
    token = _signed(userId="a", exp=5)
    assert forgery.signed(token, SECRET) == token
    assert forgery.signed(token, b"another") != token
    assert forgery.header(forgery.signed(token, SECRET, "HS512"))["alg"] == "HS512"
    assert forgery.claims(forgery.with_claims(token, userId=forgery.MISSING)) == {"exp": 5}


@pytest.mark.parametrize("secret", [None, b"another"])
def test_without_the_targets_secret_no_token_is_forged(
    secret: bytes | None, fake: Fake, world_on: Callable[[Fake], World]
) -> None:
    """Those cells wait for the option, also where it was given and is wrong, and say which one it is."""
    world = world_on(fake)
    world.options = Options(access_secret=secret, refresh_secret=secret)
    ann = world.guest("ann")
    ann.token = ann.refresh_token = _signed(userId=ann.id)
    with pytest.raises(NeedsOption, match="--jwt-access-secret"):
        list(bad_tokens.bad_access_tokens("unknown-user", world, ann))
    with pytest.raises(NeedsOption, match="--jwt-refresh-secret"):
        list(bad_tokens.bad_refresh_tokens("expired-token", world, ann))


def test_every_kind_of_bad_token_differs_from_the_good_one(fake: Fake, world_on: Callable[[Fake], World]) -> None:
    """With both secrets each kind can be made; the expired one differs in its times alone."""
    world = world_on(fake)
    world.options = Options(access_secret=SECRET, refresh_secret=SECRET)
    ann = world.guest("ann")
    ann.token = _signed(userId=ann.id, type="access", iat=1, exp=2)
    ann.refresh_token = _signed(userId=ann.id, type="refresh", iat=1, exp=2)
    for kind in set(BAD_TOKENS) - {"forged-signature"}:  # the fake's own tokens have no signature to put under it
        headers = list(bad_tokens.bad_headers(kind, world, ann))
        assert headers
        assert f"Bearer {ann.token}" not in headers
    for kind in set(BAD_REFRESH_TOKENS) - {"forged-signature"}:
        assert ann.refresh_token not in list(bad_tokens.bad_refresh_tokens(kind, world, ann))
    (expired,) = bad_tokens.bad_access_tokens("expired-token", world, ann)
    changed = {name for name, value in forgery.claims(expired).items() if forgery.claims(ann.token)[name] != value}
    assert changed == {"iat", "exp"}
