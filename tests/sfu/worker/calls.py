"""A call through a worker: somebody sends, somebody receives."""

from __future__ import annotations

from dataclasses import dataclass

from hype.sfu.worker import rtcp
from tests.sfu.worker.peer import Peer
from tests.sfu.worker.rig import Rig, rtp_packet, video_packet

DELTA = b"\x10\x01\x00\x00"  # VP8, not a key frame


@dataclass
class Call:
    """A sender and a receiver of one producer."""

    rig: Rig
    kind: str
    sender: Peer
    receiver: Peer
    transports: tuple[str, str]
    producer_id: str
    consumer_id: str

    def send(self, number: int, content: bytes = b"") -> None:
        """Send one packet. Video packets are key frames unless `content` says otherwise."""
        if self.kind == "audio":
            self.sender.send_rtp(rtp_packet(number, content or b"sound %d" % number))
        else:
            self.sender.send_rtp(video_packet(number, content or video_packet(number)[12:] + b"%d" % number))

    async def arrived(self, count: int) -> list[bytes]:
        """Return the first `count` packets that the receiver got."""
        await self.receiver.until(lambda: len(self.receiver.packets) >= count)
        return self.receiver.packets[:count]

    async def reported(self, peer: Peer, kind: int, format_: int | None = None) -> tuple[bytes, rtcp.Part]:
        """Return the first RTCP packet of that kind that a peer got."""

        def find() -> tuple[bytes, rtcp.Part] | None:
            for data in peer.reports:
                for part in rtcp.parts(data):
                    if part.kind == kind and format_ in (None, part.format):
                        return data, part
            return None

        await peer.until(lambda: find() is not None)
        found = find()
        assert found is not None
        return found


async def begin(rig: Rig, kind: str, *, rtx: bool = True, tcp: bool = False, receiver_tcp: bool = False) -> Call:
    """Begin a call of one producer and one consumer. tcp, receiver_tcp: the sender, the receiver is on TCP."""
    send, sender = await rig.connect("send", tcp=tcp)
    recv, receiver = await rig.connect("recv", tcp=receiver_tcp)
    producer_id = await rig.produce(send, kind)
    consumer_id = await rig.consume(recv, producer_id, kind, rtx=rtx)
    return Call(rig, kind, sender, receiver, (send, recv), producer_id, consumer_id)
