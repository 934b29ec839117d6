"""References of generated voice requests: transports, producers, and parameters that can be routed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from hype_contract.actors.people import Person
from hype_contract.actors.world import World
from hype_contract.cases.voice.signalling import DTLS, KINDS, Participant, parameters

BEYOND_SCHEMA: frozenset[str] = frozenset({"connectTransport", "createProducer", "createConsumer"})
"""Operations that may refuse a body that keeps its schema.

No schema can state which parameters can be routed, or that one fingerprint at least is of a SHA-2.
"""

MAY_REFUSE_THE_FIRST: frozenset[str] = frozenset({"createConsumer"})
"""Those of which any generated body may be refused: the generation goes on after it.

The bodies of the others take long to generate, and enough of them come before the first that is refused.
"""


class VoiceReferences:
    """The objects that voice requests of one person refer to, created on first use."""

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
        """The id of a voice channel that the person created."""
        return str(self._world.channel(self._owner(), "voice")["id"])

    def fill(self, body: Mapping[str, Any], operation: str, *, routable: bool) -> dict[str, Any]:
        """Return the body with ids of existing objects. `routable`: with DTLS and RTP parameters that work, too."""
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
    def _party(self) -> Participant:
        return self._newcomer()

    @cached_property
    def _producer(self) -> str:
        return self._party.producer()

    def _newcomer(self) -> Participant:
        """Return the person without transports: a new transport replaces the old one."""
        return Participant(self._world, self._owner(), self.channel)
