"""What generated voice requests need to get anywhere: transports, producers, parameters that can be routed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from hype_contract.actors.people import Person
from hype_contract.actors.world import World
from hype_contract.cases.voice.signalling import DTLS, KINDS, Party, parameters

UNSAID: frozenset[str] = frozenset({"createProducer", "createConsumer"})
"""A schema cannot say what can be routed: what it allows may be refused here."""


class VoiceProps:
    """Makes what one operation's requests refer to, for one person."""

    def __init__(self, world: World, owner: Callable[[], Person]) -> None:
        self._world = world
        self._owner = owner
        self.paths: Mapping[str, Callable[[], str]] = {
            "closeProducer": lambda: self._newcomer().producer(),
            "closeConsumer": lambda: str(self._party.consume(self._producer).data["id"]),
            "listChannelProducers": lambda: self.channel,
        }
        self._members: Mapping[str, Mapping[str, Callable[[], Any]]] = {
            "createSendTransport": {"channelId": lambda: self.channel},
            "createRecvTransport": {"channelId": lambda: self.channel},
            "connectTransport": {"transportId": lambda: self._newcomer().sending},
            "restartIce": {"transportId": lambda: self._party.sending},
            "createProducer": {"transportId": lambda: self._party.sending},
            "createConsumer": {"transportId": lambda: self._party.receiving, "producerId": lambda: self._producer},
        }

    @cached_property
    def channel(self) -> str:
        """A voice channel of the person's own."""
        return str(self._world.channel(self._owner(), "voice")["id"])

    def fill(self, body: Mapping[str, Any], operation: str, *, routable: bool) -> dict[str, Any]:
        """The body with ids of what is there. `routable`: with DTLS and RTP parameters that work, too."""
        makers = self._members.get(operation, {})
        filled = {name: makers[name]() if name in makers else value for name, value in body.items()}
        if routable and operation == "createProducer" and filled.get("kind") in KINDS:
            filled["rtpParameters"] = parameters(filled["kind"])
        if routable and operation == "connectTransport":
            filled["dtlsParameters"] = DTLS
        if routable and operation == "createConsumer":
            filled["rtpCapabilities"] = self._party.capabilities
        return filled

    @cached_property
    def _party(self) -> Party:
        return self._newcomer()

    @cached_property
    def _producer(self) -> str:
        return self._party.producer()

    def _newcomer(self) -> Party:
        """The person as if just come: a new transport takes the old one's place."""
        return Party(self._world, self._owner(), self.channel)
