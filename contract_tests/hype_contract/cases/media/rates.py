"""The bit rate of a producer, and the message to an owner whose producer is over it (amendment A13)."""

from __future__ import annotations

from hype_contract.actors import must
from hype_contract.actors.world import World
from hype_contract.cases.gateway.steps import hears_nothing
from hype_contract.cases.media.peers import peers
from hype_contract.cases.registry import case

_SECONDS_AT_ONCE = 4
_SIZE = 1200  # bytes of a packet, which every route carries whole


@case(
    "A13.producer-rate-told",
    "when a producer sends more than it may, each socket of its owner receives error rate_limited once, with its id",
    source="asyncapi.yaml#/operations/sendError; amendment A13",
    level="extension",
    profiles=("hardened",),
)
def producer_rate_told(world: World) -> None:
    """Send the packets of four seconds at the highest rate at once."""
    bits_per_second = int(world.contract.openapi["x-hype-limits"]["producerBitsPerSecond"])
    ann, bob = peers(world, "ann", "bob")
    tab = world.socket(ann.participant.person)
    audio = ann.produce("audio")
    payload = audio.payload(_SIZE)
    count = _SECONDS_AT_ONCE * bits_per_second // (8 * _SIZE)
    audio.send(*(audio.packet(payload) for _ in range(count)))
    for socket in (ann.socket, tab):
        data = socket.expect("error", {"code": "rate_limited"})["data"]
        must.equal(data.get("producerId"), audio.id, "the producerId of the error")
        hears_nothing(socket, "more about the producer's bit rate")
    bob.socket.expect_next("new_producer")
    hears_nothing(bob.socket, "about the bit rate of another user's producer")
