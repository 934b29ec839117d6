"""The requirements that follow from openapi.yaml: for each side of each bound, and for each token and user."""

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
    """Return a token as a target makes it."""
    token = forgery.with_claims(f"{forgery.unsigned('a.e30.c')}x", **claims)
    return forgery.signed(token, SECRET)


def test_the_sides_of_a_bound_are_told_apart(contract: Contract) -> None:
    """A message of 2000 code points is on the bound, one of 2001 is outside, and each side is a requirement."""
    beginning = "bounds.createMessage.content.maxLength."
    found = {bound.side: bound for bound in bounds(contract) if bound.id.startswith(beginning)}
    assert {side: {len(probe.value) for probe in bound.probes} for side, bound in found.items()} == {
        "inside": {1999},
        "on": {2000},
        "outside": {2001},
    }


def test_a_bound_that_the_spec_loses_is_no_requirement_any_more(contract: Contract) -> None:
    """A rule that is deleted in the spec disappears from the requirements."""
    edited = copy.deepcopy(contract.openapi)
    del edited["components"]["schemas"]["MessageContent"]["maxLength"]
    left = {bound.id for bound in bounds(Contract("hardened", edited, contract.asyncapi))}
    gone = {bound.id for bound in bounds(contract)} - left
    assert gone == {
        f"bounds.{operation}.content.maxLength.{side}"
        for operation in ("createMessage", "updateMessage")
        for side in ("inside", "on", "outside")
    }


def test_every_operation_that_checks_tokens_has_a_cell_for_every_bad_one(contract: Contract) -> None:
    """Every operation of REST and voice is asked with each kind of token that concerns it, public reads too."""
    found: dict[str, set[str]] = {}
    for cell in cells(contract):
        found.setdefault(cell.operation.id, set()).add(cell.kind)
    for operation in ("createMessage", "getCurrentUser", "createProducer", "listChannelProducers"):
        assert {*BAD_TOKENS, "no-token", "revoked-access-token"} <= found[operation]
    assert found["listMessages"] == {"valid-token", "optional-token", "bad-token-on-a-public-read"}
    assert found["refreshTokens"] == {"token-not-looked-at"}


def test_a_rule_of_the_hardened_profile_alone_has_its_level(contract: Contract) -> None:
    """A rule of channels, which need a token in the hardened profile alone, has another level than one of messages."""
    hardened, documented = catalogue.load(contract), catalogue.load(load("documented"))
    assert hardened["R7.no-token.createChannel"].level == "hardened"
    assert hardened["R7.no-token.createMessage"].level == "documented"
    assert hardened["allow.deleteChannel.other"].level == "hardened"
    assert documented["allow.deleteChannel.anonymous"].level == "published"
    assert documented["R7.garbage-token.createMessage"].level == "documented"
    assert documented["R7.garbage-token.createChannel"].level == "published"
    assert "R7.no-token.createChannel" not in {rule.id for rule in documented}


def test_permissions_follow_the_operations_policy(contract: Contract) -> None:
    """Only the author may edit a message; in the documented profile any user may change a channel."""
    allowed = {permission.id: permission.allowed for permission in permissions(contract)}
    assert allowed["allow.updateMessage.owner"]
    assert not allowed["allow.updateMessage.other"]
    laxer = {permission.id: permission.allowed for permission in permissions(contract.laxer)}
    assert laxer["allow.updateChannel.other"]


def test_a_token_signed_again_with_the_targets_secret_is_the_same() -> None:
    """A token stays the same when the target's secret signs it again, which shows that the secret is the right one."""
    token = _signed(userId="a", exp=5)
    assert forgery.signed(token, SECRET) == token
    assert forgery.signed(token, b"another") != token
    assert forgery.header(forgery.signed(token, SECRET, "HS512"))["alg"] == "HS512"
    assert forgery.claims(forgery.with_claims(token, userId=forgery.MISSING)) == {"exp": 5}


@pytest.mark.parametrize("secret", [None, b"another"])
def test_without_the_targets_secret_no_token_is_forged(
    secret: bytes | None, fake: Fake, world_on: Callable[[Fake], World]
) -> None:
    """A forged token needs the secret's option; the error names the option, also when its secret is wrong."""
    world = world_on(fake)
    world.options = Options(access_secret=secret, refresh_secret=secret)
    ann = world.guest("ann")
    ann.token = ann.refresh_token = _signed(userId=ann.id)
    with pytest.raises(NeedsOption, match="--jwt-access-secret"):
        list(bad_tokens.bad_access_tokens("unknown-user", world, ann))
    with pytest.raises(NeedsOption, match="--jwt-refresh-secret"):
        list(bad_tokens.bad_refresh_tokens("expired-token", world, ann))


def test_every_kind_of_bad_token_differs_from_the_good_one(fake: Fake, world_on: Callable[[Fake], World]) -> None:
    """Every kind of bad token can be made with both secrets; an expired token differs only in its times."""
    world = world_on(fake)
    world.options = Options(access_secret=SECRET, refresh_secret=SECRET)
    ann = world.guest("ann")
    ann.token = _signed(userId=ann.id, type="access", iat=1, exp=2)
    ann.refresh_token = _signed(userId=ann.id, type="refresh", iat=1, exp=2)
    for kind in set(BAD_TOKENS) - {"forged-signature"}:  # the fake's own tokens have no signature to take
        headers = list(bad_tokens.bad_headers(kind, world, ann))
        assert headers
        assert f"Bearer {ann.token}" not in headers
    for kind in set(BAD_REFRESH_TOKENS) - {"forged-signature"}:
        assert ann.refresh_token not in list(bad_tokens.bad_refresh_tokens(kind, world, ann))
    (expired,) = bad_tokens.bad_access_tokens("expired-token", world, ann)
    changed = {name for name, value in forgery.claims(expired).items() if forgery.claims(ann.token)[name] != value}
    assert changed == {"iat", "exp"}
