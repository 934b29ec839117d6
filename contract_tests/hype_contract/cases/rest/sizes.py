"""Texts that are far longer than any thing that they could name (amendment A13)."""

from __future__ import annotations

from hype_contract.actors.people import unique
from hype_contract.actors.world import World
from hype_contract.cases.registry import case
from hype_contract.cases.rest.samples import sample

_LONG = ("a" * 50_000, "a." * 25_000, "\u00e9" * 5_000)
"""Texts up to half of the largest body."""


@case(
    "A13.long-texts",
    "an id, a password or a token of 50,000 characters is refused with 400, or as any wrong one is",
    level="hardened",
)
def long_texts(world: World) -> None:
    """Write a message at the end: the server goes on."""
    message, channel = sample(world, "createMessage"), sample(world, "createChannel")
    for text in _LONG:
        message.ask(body=message.with_members(channelId=text), expect=(400, 404))
        channel.ask(body=channel.with_members(serverId=text), expect=(400, 404))
        world.rest.call("refreshTokens", body={"refreshToken": text}, expect=(400, 401))
    body = {"email": f"{unique('nobody')}@example.com", "password": _LONG[0]}
    world.rest.call("loginUser", body=body, expect=(400, 401))
    message.succeed()
